"""What comes in, as it is stored until it is answered: events of chats, and lines that anything else asks for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import Field, TypeAdapter

from slipway.bot.chat.model import AnyEvent, Event, Platform, Room
from slipway.bot.core.model import Json, Model
from slipway.bot.people import schedule_id
from slipway.commands.grammar.reading import Line, Reading, Unknown, Unreadable

EVENT_WORKFLOW = "hear"
"""The workflow that answers a chat event; its ids begin with it."""

FORMAT = 4
"""The version of a stored event's form. Format 2 knew not what a message answers, nor the newest operation
then; format 3 answered all that it stored."""

_EVENT: TypeAdapter[AnyEvent] = TypeAdapter(Event)

_TYPES = {"heard": "message", "press": "button", "withdrawal": "withdrawn_reaction"}
_FIELDS = {"speaker": "sender", "press_event_id": "reaction_event_id"}


class UnknownEventError(Exception):
    """A stored event of another version of Slipway, of which this one can make nothing."""


def event_key(event: AnyEvent, event_id: str) -> str:
    """The id of the workflow that an event of this platform starts: one id, one run."""
    return workflow_id(event.room.platform, event_id)


def workflow_id(platform: Platform, event_id: str) -> str:
    """The same, of a platform."""
    return f"{EVENT_WORKFLOW}:{platform}:{event_id}"


class StoredReading(Model):
    """What a message turned out to be, so that it is read once: a line, unknown or unreadable."""

    line: tuple[str, ...] = ()  # the command's name, and its arguments
    unknown: tuple[str, ...] = ()  # the word, and the names that may have been meant
    sentence: bool = False  # whether these names stand in it
    unreadable: str = ""

    @classmethod
    def of(cls, reading: Line | Unknown | Unreadable) -> StoredReading:
        """As it is stored."""
        match reading:
            case Line(name, args):
                return cls(line=(name, *args))
            case Unknown(word, near, sentence):
                return cls(unknown=(word, *near), sentence=sentence)
            case Unreadable(reason):
                return cls(unreadable=reason)

    @property
    def reading(self) -> Reading:
        """As it was read."""
        if self.line:
            return Line(self.line[0], self.line[1:])
        if self.unknown:
            return Unknown(self.unknown[0], self.unknown[1:], self.sentence)
        return Unreadable(self.unreadable)


class AcceptedEvent(Model):
    """A chat event that concerns the bot, with what was found out before it was acknowledged.

    Attributes:
        event_key: the id of its workflow, made of the platform and the event's id.
        event: what happened.
        reading: of a message.
        thread: of a press: the thread that its card begins or stands in.
        became_card: of a press that names no operation: whether its message showed something else before.
        newest_operation: of a line that decides: the number of the newest operation when it was taken in.
        refusal: what whoever sent it is told, and nothing else is done; empty for what is answered.
        held_code: whether its message held a single-use code, which is not among what is stored.
    """

    event_key: str
    event: Event
    reading: StoredReading | None = None
    thread: str | None = None
    newest_operation: int | None = None
    became_card: bool = False
    refusal: str = ""
    # Left out where there was none, so that a former version reads all others.
    held_code: bool = Field(default=False, exclude_if=lambda held: not held)

    @property
    def payload(self) -> dict[str, Json]:
        """As the workflow engine stores it."""
        return {"format": FORMAT, **self.model_dump(mode="json")}

    @classmethod
    def read(cls, payload: dict[str, Any]) -> AcceptedEvent:
        """From what was stored, also by the version before.

        Raises:
            UnknownEventError: a newer version stored it, or it cannot be read.
        """
        number = payload.get("format", 1)
        try:
            if number in (2, 3, FORMAT):
                return cls.model_validate(
                    {name: value for name, value in payload.items() if name != "format"}
                )
            if number == 1:
                return cls(
                    event_key=payload["key"], event=_EVENT.validate_python(_from_format_1(payload["event"]))
                )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UnknownEventError(f"an event of format {number} cannot be read") from None
        raise UnknownEventError(f"this Slipway does not know events of format {number}")


def _from_format_1(event: dict[str, Any]) -> dict[str, Any]:
    renamed = {_FIELDS.get(name, name): value for name, value in event.items()}
    return renamed | {"type": _TYPES.get(event["type"], event["type"])}


_TICK_TIME = "%Y-%m-%dT%H:%MZ"


def tick_prefix(schedule: str) -> str:
    """What the keys of all that a schedule asks for begin with; the time follows, in UTC."""
    return f"tick:{schedule}:"


def tick_time(schedule: str, key: str) -> datetime:
    """The time at which a schedule asked for what has this key."""
    return datetime.strptime(key.removeprefix(tick_prefix(schedule)), _TICK_TIME).replace(tzinfo=UTC)


class LineRequest(Model):
    """A command line that something else than a chat asks for: the clock, later a broker's message or a program.

    Attributes:
        event_key: names it once and for ever; it is the id of its workflow.
        requester: the id of whoever asks, such as ``schedule:weekly-cleanup``.
        text: the line, without a prefix.
        room: where it is told; None for nowhere.
        at: when it was due, or came.
        quiet: whether nothing is said where there is nothing to do.
        decides: whether it may speak on an operation: approve, reject or cancel it.
        doubt: how it came, as a sentence, where those who agree should know it.
        shown_in: where a change that it asks for gets its card, if it is not told anywhere itself.
        thread: the message in whose thread it is told; None for the room itself.
        dry_run: whether a change that it asks for is only told, as with ``--dry-run``.
        after: the key of another line that is answered first; empty for none.
    """

    format: int = Field(5, ge=1, le=5)
    event_key: str
    requester: str
    text: str
    room: Room | None
    at: datetime
    quiet: bool = False
    decides: bool = True
    doubt: str = ""
    shown_in: Room | None = None
    thread: str | None = None
    dry_run: bool = False
    after: str = ""

    @classmethod
    def of_schedule(
        cls,
        name: str,
        at: datetime,
        room: Room | None,
        text: str,
        *,
        quiet: bool,
        dry_run: bool = False,
        after: str = "",
    ) -> LineRequest:
        """What a schedule asks for at one of its times. Its key is the same for ever, so that it runs once."""
        return cls(
            event_key=f"{tick_prefix(name)}{at.strftime(_TICK_TIME)}",
            requester=schedule_id(name),
            text=text,
            room=room,
            at=at,
            quiet=quiet,
            dry_run=dry_run,
            after=after,
        )

    @classmethod
    def of_tick(cls, tick: Any) -> LineRequest:
        """What the version before this one stored of a schedule."""
        at, room = datetime.fromisoformat(tick["at"]), Room.model_validate(tick["room"])
        return cls.of_schedule(tick["schedule"], at, room, tick["text"], quiet=tick.get("quiet", False))
