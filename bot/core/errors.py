"""What can go wrong, as types. Each carries words for a person: what, whose move, what to type next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from slipway.bot.core.reasons import clean_reason, with_reason


class SlipwayError(Exception):
    """The base of every error that Slipway raises on purpose."""


class UserError(SlipwayError):
    """What somebody asked for cannot be done as asked; the words say why and what would work.

    Args:
        sentence: one plain sentence, shown as it is.
        nearest: names that the person may have meant, best first.
        given: what was typed in place of one of them, so that whole lines can be offered; empty where nothing was,
            and it belongs behind the command; None where that is not known.
        hint: the next command to type, with its prefix left out (``images Fedora-Cloud-43-x64``).
        more: how many names beyond ``nearest`` fit as well.
    """

    def __init__(
        self,
        sentence: str,
        *,
        nearest: tuple[str, ...] = (),
        given: str | None = None,
        hint: str | None = None,
        more: int = 0,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.nearest = nearest
        self.given = given
        self.hint = hint
        self.more = more


class CloudErrorKind(StrEnum):
    """Why a cloud did not do what was asked; decides whose move it is."""

    NOT_FOUND = "not found"
    REFUSED = "refused"  # authentication or authorisation
    THROTTLED = "throttled"
    CONFLICT = "conflict"  # the resource's state or an ETag forbids it
    CAPACITY = "no capacity"
    QUOTA = "quota"
    INVALID = "invalid request"
    CONFIGURATION = "configuration"  # what the configuration names there is missing, full, or does not fit
    TIMED_OUT = "timed out"
    UNREACHABLE = "unreachable"
    BROKEN = "broken"  # the cloud answered with an error of its own
    UNEXPECTED_ANSWER = "unexpected answer"
    UNVERIFIED = "not confirmed"  # it accepted the change, and the change cannot be seen


class ResponsibleParty(StrEnum):
    """Whose move it is after a failure."""

    REQUESTER = "you"
    ADMIN = "whoever runs Slipway"
    CLOUD = "the cloud; try again later"


_RESPONSIBLE = {
    CloudErrorKind.NOT_FOUND: ResponsibleParty.REQUESTER,
    CloudErrorKind.REFUSED: ResponsibleParty.ADMIN,
    CloudErrorKind.THROTTLED: ResponsibleParty.CLOUD,
    CloudErrorKind.CONFLICT: ResponsibleParty.REQUESTER,
    CloudErrorKind.CAPACITY: ResponsibleParty.CLOUD,
    CloudErrorKind.QUOTA: ResponsibleParty.ADMIN,
    CloudErrorKind.INVALID: ResponsibleParty.REQUESTER,
    CloudErrorKind.CONFIGURATION: ResponsibleParty.ADMIN,
    CloudErrorKind.TIMED_OUT: ResponsibleParty.CLOUD,
    CloudErrorKind.UNREACHABLE: ResponsibleParty.ADMIN,
    CloudErrorKind.BROKEN: ResponsibleParty.CLOUD,
    CloudErrorKind.UNEXPECTED_ANSWER: ResponsibleParty.ADMIN,
    CloudErrorKind.UNVERIFIED: ResponsibleParty.REQUESTER,
}


@dataclass(frozen=True, slots=True)
class Remedy:
    """The next command after a failure, where it is another one than what was asked for, or has its time.

    Attributes:
        command: without its prefix (``instances``); empty for the one that failed.
        when: completes “Next, …:”, such as ``once there is room``; empty for at once.
    """

    command: str = ""
    when: str = ""


class CloudError(SlipwayError):
    """A cloud refused, failed or answered nonsense.

    Args:
        kind: the class of failure.
        cloud: the name of its table: ``aws``, ``azure.staging``.
        sentence: what failed, in plain words with the cloud's own error code, never its raw body.
        code: the cloud's error code, such as ``InsufficientInstanceCapacity``; empty if it gave none.
        reason: the cloud's own message as it came; ``reason`` holds it cleaned (:func:`.reasons.clean_reason`), and
            it is shown beside the sentence. Empty if there was none, or it says nothing.
        remedy: what to type next, and when; without, what was asked for.
        doubtful: whether the change may have been made all the same, or may yet be; to be looked at before
            anything is said.
        retry_after: seconds that the cloud asks to be left alone for; None where it does not say.
    """

    def __init__(
        self,
        kind: CloudErrorKind,
        *,
        cloud: str,
        sentence: str,
        code: str = "",
        reason: str = "",
        remedy: Remedy | None = None,
        doubtful: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.cloud = cloud
        self.sentence = sentence
        self.code = code
        self.reason = clean_reason(reason)
        self.remedy = remedy or Remedy()
        self.doubtful = doubtful
        self.retry_after = retry_after

    @property
    def words(self) -> str:
        """The sentence, and the cloud's own reason beside it."""
        return with_reason(self.sentence, self.reason)

    @property
    def responsible(self) -> ResponsibleParty:
        """Whose move it is."""
        return _RESPONSIBLE[self.kind]

    def after(self, taken: str, remedy: Remedy | None = None) -> CloudError:
        """The error for a change that the cloud took, where this one keeps anybody from seeing what became of it.

        Args:
            taken: that it was taken, as a sentence without its full stop.
            remedy: what to type next.
        """
        return CloudError(
            self.kind,
            cloud=self.cloud,
            code=self.code,
            sentence=f"{taken}, but what became of it could not be looked up: {self.sentence}",
            reason=self.reason,
            remedy=remedy,
            doubtful=True,
        )


class DeclarationError(SlipwayError):
    """A declaration (of a subject, a command, a cloud, a chat platform, a table) is incomplete or contradicts
    another one. One plain sentence for whoever wrote it; raised when the declaration is made, so at import."""


class ConfigError(SlipwayError):
    """The configuration cannot be used; ``problems`` holds one line a mistake, each naming its key."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class StateError(SlipwayError):
    """The state folder cannot be used: held by another process, not writable, or of a newer Slipway."""


class ListenError(SlipwayError):
    """An address that the configuration names cannot be listened on; as a sentence, with the address."""


class StorageError(SlipwayError):
    """The state folder cannot be written or read now: its disk is full, read-only, or fails. Nothing was stored."""


class ChatError(SlipwayError):
    """A chat platform did not take a message.

    Args:
        sentence: what was not done and why.
        passing: whether a later try may succeed.
        doubtful: whether it may have been done all the same, or may yet be.
        retry_after: seconds that the platform asks to wait before one; 0 if it does not say.
        message_id: the platform's id of the message, where that stands already and only what belongs to it (its
            buttons, its file) is missing.
        room_gone: whether nothing is taken in that room, until somebody changes that: it was archived or replaced, or
            the bot is not in it any more.
        locked_out: whether the bot lacks a right, there or anywhere, until somebody changes that: its token was
            revoked, say, or it may not write there. What is to be said is still to be said.
    """

    def __init__(
        self,
        sentence: str,
        *,
        passing: bool,
        doubtful: bool = False,
        retry_after: float = 0.0,
        message_id: str | None = None,
        room_gone: bool = False,
        locked_out: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.room_gone = room_gone
        self.locked_out = locked_out
        self.passing = passing
        self.doubtful = doubtful
        self.retry_after = retry_after
        self.message_id = message_id
