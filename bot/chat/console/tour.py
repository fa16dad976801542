"""A story of about a minute that shows what Slipway does, told by a script that reads the bot's answers."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from slipway.bot.chat.console.board import Board
from slipway.bot.chat.console.editor import Entered
from slipway.bot.chat.console.inputs import Line, Narration
from slipway.bot.chat.model import Choice
from slipway.bot.core.waiting import Sleep

_FOR_A_SENTENCE = 2.0  # seconds
_FOR_AN_ANSWER = 3.5


@dataclass(frozen=True, slots=True)
class Story:
    """Who and what the tour is about.

    Attributes:
        definition: has a candidate to promote and a promoted version to go back to.
        image: what a machine is launched from, as the command ``launch`` takes it.
        approver: somebody other than the speaker who may approve.
        machine: what the id of a machine looks like in the cloud that launches it.
        prefix: what commands begin with.
    """

    definition: str = "Fedora-Cloud-43-x64"
    image: str = "Fedora-Cloud-43-x64"
    approver: str = "bob"
    machine: re.Pattern[str] = re.compile(r"\bi-[0-9a-f]{17}\b")
    prefix: str = "!"


@dataclass(frozen=True, slots=True)
class Scene:
    """One command, and the sentence before it. ``on_machine`` adds the id of the machine that came up."""

    sentence: str
    command: str
    on_machine: bool = False


def scenes(story: Story) -> tuple[Scene, ...]:
    """The tour from beginning to end."""
    return (
        Scene("Slipway looks after cloud images. What is there?", "images"),
        Scene("One of them in detail: what launches now, and what waits?", f"images {story.definition}"),
        Scene(
            "The newest candidate shall become the latest. First there is only a plan.",
            f"promote {story.definition}",
        ),
        Scene("Now a machine, to be ended after two hours.", f"launch {story.image} --for 2h"),
        Scene("Suppose the new image is bad: back to the one before.", f"rollback {story.definition}"),
        Scene("Old versions can go. Each one is listed with the rule that chose it.", "cleanup"),
        Scene("The machine is no longer needed.", "terminate", on_machine=True),
    )


class Tour:
    """Tells the story line by line, as an :class:`slipway.bot.chat.console.inputs.Input`.

    Button numbers and ids are found in what the bot said, so the console's ``quiet`` has to mean that each
    answer is there. What does not happen (nothing to approve, no machine came up) is left out.

    Args:
        board: what stands on the console; the same one that the console chat has.
        sleep: gives the reader time.
        story: who and what.
    """

    def __init__(self, board: Board, sleep: Sleep, story: Story) -> None:
        self._board = board
        self._sleep = sleep
        self._story = story

    @property
    def live(self) -> bool:
        """Never: it waits for each answer, and is shown as it is told."""
        return False

    @property
    def pasted(self) -> bool:
        """Never."""
        return False

    async def lines(self) -> AsyncGenerator[Line, None]:
        """The story's sentences, and the lines said in it."""
        machine = None
        for scene in scenes(self._story):
            if scene.on_machine and machine is None:
                yield Narration("No machine came up, so there is none to terminate.")
                continue
            yield Narration(scene.sentence)
            await self._sleep(_FOR_A_SENTENCE)
            latest = max(self._board.numbers, default=0)
            target = f" {machine}" if scene.on_machine else ""
            yield Entered(f"{self._story.prefix}{scene.command}{target}")
            await self._sleep(_FOR_AN_ANSWER)
            button = self._board.newest(Choice.APPROVE, above=latest)
            if button is not None:
                yield Narration(
                    f"Nothing has changed yet. {self._story.approver} reads the plan, and agrees."
                )
                await self._sleep(_FOR_A_SENTENCE)
                yield Entered(f"@{self._story.approver}: {button}")
                await self._sleep(_FOR_AN_ANSWER)
            machine = machine or self._board.find(self._story.machine)
        yield Narration(f"That was the tour. Start again without it, and type {self._story.prefix}help.")
