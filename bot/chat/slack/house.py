"""What the adapter is handed of the rest of the house; it imports none of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from slipway.bot.chat.model import Card


class ProfileChoice(Protocol):
    """A profile that machines can be launched with, and its limits as they are typed."""

    @property
    def name(self) -> str:
        """As it is typed."""
        ...

    @property
    def description(self) -> str:
        """For people; may be empty."""
        ...

    @property
    def max_count(self) -> int:
        """The most machines of one launch."""
        ...

    @property
    def default_for(self) -> str:
        """How long a machine lives if nobody says."""
        ...

    @property
    def max_for(self) -> str:
        """The longest that anybody may ask for."""
        ...


class LaunchChoices(Protocol):
    """What a form for launching machines offers."""

    @property
    def images(self) -> tuple[str, ...]:
        """Names of images, the newest first."""
        ...

    @property
    def profiles(self) -> Sequence[ProfileChoice]:
        """The profiles there are."""
        ...


class LaunchLine(Protocol):
    """Makes the command line of a filled form; an empty text leaves an option out."""

    def __call__(self, *, image: str, profile: str, duration: str, count: str) -> str:
        """The line, without a prefix."""
        ...


class LaunchMistakes(Protocol):
    """Says what is wrong with a filled form, as far as the form alone tells."""

    def __call__(self, *, profile: str, duration: str, count: str) -> Mapping[str, str]:
        """A sentence for each of ``profile``, ``duration`` and ``count`` that is wrong."""
        ...


@dataclass(frozen=True)
class HostCallbacks:
    """Callables into the house.

    Attributes:
        knows: whether an account belongs to a configured person.
        home: the cards of an account's App Home tab.
        launch_form: what can be launched; raises Mistake or CloudError where nothing can be offered.
        launch_line: the command line of a filled form.
        launch_mistakes: what is wrong with a filled form.
        idle: returns when no work is under way.
        groups: the user groups that give roles.
        learn_groups: takes in who is in them.
    """

    knows: Callable[[str], bool]
    home: Callable[[str], Awaitable[tuple[Card, ...]]]
    launch_form: Callable[[], Awaitable[LaunchChoices]]
    launch_line: LaunchLine
    launch_mistakes: LaunchMistakes
    idle: Callable[[], Awaitable[None]]
    groups: tuple[str, ...]
    learn_groups: Callable[[Mapping[str, frozenset[str]]], None]
