"""What people do beside talking: buttons, slash commands, shortcuts, modals and the Home tab.

Whatever means something is taken in before it is acknowledged. What is only shown (a modal, the Home tab, a
sentence to one person) follows the acknowledgement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from slipway.bot.chat.model import (
    Accept,
    Address,
    Assurance,
    ButtonEvent,
    Choice,
    MessageEvent,
    Room,
)
from slipway.bot.chat.slack.sending.ephemeral import Aside, Spot
from slipway.bot.chat.slack.events.background import Chores
from slipway.bot.chat.slack.house import HostCallbacks
from slipway.bot.chat.slack.rendering.limits import REASON as LONGEST_REASON
from slipway.bot.chat.slack.rendering.modals import REASON, entered, filled
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.chat.slack.events.trust import Trust
from slipway.bot.chat.slack.interactions.values import (
    APPROVE,
    CHANNEL,
    COMMAND,
    DETAILS,
    LAUNCH,
    LAUNCH_FROM,
    OPERATION,
    REJECT,
    SAY,
    SHOW_OPERATION,
    USER,
    Back,
    back_of,
    part,
    stamp_of,
    target_of,
    text_at,
)
from slipway.bot.chat.slack.interactions.views import Windows
from slipway.bot.core.times import Clock

FORGED = "That button belongs to nothing I know. `/slipway pending` lists what waits for an approval."
UNKNOWN = "I do not know that button any more. Ask for the card anew, with `/slipway op ID`."
NO_OPERATION = "There is no operation's id in that message; it would look like `op-7k3f`."

_AMI = re.compile(r"\bami-[0-9a-f]{8,17}\b", re.ASCII)
_SURROGATES = re.compile("[\ud800-\udfff]")
_LONGEST_SEARCH = 100_000

Answer = Mapping[str, Any] | None
"""What an acknowledgement carries; None for nothing."""


@dataclass(frozen=True)
class Did:
    """Who did something, and where they are answered."""

    user: str
    speaker: str
    room: str
    thread: str | None = None
    message: str = ""  # the message or view it was done to
    home: bool = False
    response_url: str = ""

    @property
    def spot(self) -> Spot:
        """Where they look for an answer to them alone."""
        return Spot(self.thread, self.response_url)


class Desk:
    """Takes in what Slack calls interactions and commands."""

    def __init__(
        self,
        *,
        trust: Trust,
        house: HostCallbacks,
        aside: Aside,
        windows: Windows,
        chores: Chores,
        clock: Clock,
        home: str,
    ) -> None:
        self._trust = trust
        self._house = house
        self._aside = aside
        self._windows = windows
        self._chores = chores
        self._clock = clock
        self._home = home

    async def take(self, body: Mapping[str, Any], accept: Accept) -> Answer:
        """Take one in; when this returns it is committed or means nothing, and may be acknowledged.

        What ``accept`` raises comes out.
        """
        match body.get("type"):
            case "block_actions":
                return await self._pressed(body, accept)
            case "view_submission":
                return await self._submitted(body, accept)
            case "shortcut":
                return self._launch_anywhere(body)
            case "message_action":
                return await self._on_message(body, accept)
            case None if body.get("command") == COMMAND:
                return await self._commanded(body, accept)
            case _:
                return None

    # --- buttons

    async def _pressed(self, body: Mapping[str, Any], accept: Accept) -> Answer:
        actions = body.get("actions")
        action = actions[0] if isinstance(actions, list) and actions else None
        did = self._did(body)
        if not isinstance(action, Mapping) or did is None or action.get("type") != "button":
            return None
        if not self._house.knows(did.speaker):
            self._tell(did, _stranger(did.speaker))
            return None
        name = text_at(action, "action_id")
        event_id = f"{did.message}:{name}:{did.user}:{text_at(action, 'action_ts')}"[:250]
        self._aside.remember(event_id, did.spot)
        if name.startswith(f"{SAY}."):
            await self._say(did, event_id, text_at(action, "value"), accept)
        elif name in (APPROVE, REJECT, DETAILS):
            await self._decide(did, event_id, action, text_at(body, "trigger_id"), accept)
        else:
            self._tell(did, UNKNOWN)
        return None

    async def _decide(
        self, did: Did, event_id: str, action: Mapping[str, Any], trigger: str, accept: Accept
    ) -> None:
        target = target_of(action.get("value"))
        if target is None:
            self._tell(did, FORGED)
            return
        if action.get("action_id") == DETAILS:
            line = f"op {target.operation_id}"
            room, thread = (did.user, None) if did.home else (did.room, did.thread or did.message)
            await accept(self._heard(did, event_id, line, room=room, thread=thread))
        elif action.get("action_id") == APPROVE:
            await accept(
                self._press(did, event_id, Choice.APPROVE, Back(did.room, did.thread, target, did.home))
            )
            self._show_home_after(did)
        else:
            back = Back(did.room, did.thread, target, did.home)
            self._chores.start(
                self._windows.ask_reason(trigger, back, did.user, did.spot), "ask for a reason"
            )

    async def _say(self, did: Did, event_id: str, line: str, accept: Accept) -> None:
        if not line:
            self._tell(did, FORGED)
            return
        await accept(self._heard(did, event_id, line, thread=did.thread))
        self._show_home_after(did)

    # --- modals

    async def _submitted(self, body: Mapping[str, Any], accept: Accept) -> Answer:
        view = body.get("view")
        user, speaker = self._who(body)
        back = back_of(part(view, "private_metadata"))
        if not isinstance(view, Mapping) or not user or back is None:
            return None
        did = Did(user, speaker, back.room, back.thread, home=back.home)
        event_id = f"view:{text_at(view, 'id')}:{user}:{text_at(view, 'hash')}"[:250]
        self._aside.remember(event_id, did.spot)
        if view.get("callback_id") == LAUNCH:
            form = filled(view)
            asked = {"profile": form.profile, "duration": form.duration, "count": form.count}
            wrong = {**form.errors, **self._house.launch_mistakes(**asked)}
            if wrong:
                return {"response_action": "errors", "errors": wrong}
            line = self._house.launch_line(image=form.image, **asked)
            await accept(self._heard(did, event_id, line, thread=back.thread))
        elif view.get("callback_id") == REJECT and back.target is not None:
            if self._house.knows(speaker):
                reason = entered(view, REASON)[:LONGEST_REASON]
                await accept(self._press(did, event_id, Choice.REJECT, back, reason))
            else:
                self._tell(did, _stranger(speaker))
        self._show_home_after(did)
        return None

    # --- commands and shortcuts

    async def _commanded(self, body: Mapping[str, Any], accept: Accept) -> Answer:
        user, channel = text_at(body, "user_id"), text_at(body, "channel_id")
        event_id = f"command:{text_at(body, 'trigger_id')}"[:250]
        if not USER.fullmatch(user) or not CHANNEL.fullmatch(channel):
            return None
        line = text_at(body, "text").strip() or "help"
        speaker = self._trust.speaker(user, text_at(body, "team_id"))
        did = Did(user, speaker, channel, response_url=text_at(body, "response_url"))
        self._aside.remember(event_id, did.spot)
        if await accept(self._heard(did, event_id, line)) is False:
            return _whisper("I did not take that in. Try `/slipway help`.")
        return _whisper("I am at it; the answer comes in this conversation.")

    def _launch_anywhere(self, body: Mapping[str, Any]) -> Answer:
        user, speaker = self._who(body)
        if body.get("callback_id") == LAUNCH and user:
            back = Back(self._home or user, home=True)
            did = Did(user, speaker, back.room)
            self._open_launch(did, body, back)
        return None

    async def _on_message(self, body: Mapping[str, Any], accept: Accept) -> Answer:
        did = self._did(body)
        if did is None:
            return None
        message = body.get("message")
        if body.get("callback_id") == LAUNCH_FROM:
            found = _AMI.search(_everything(message))
            self._open_launch(did, body, Back(did.room, did.thread), found[0] if found else "")
        elif body.get("callback_id") == SHOW_OPERATION:
            named = OPERATION.search(_everything(message))
            if named is None:
                self._tell(did, NO_OPERATION)
                return None
            when = text_at(body, "action_ts") or text_at(body, "trigger_id")
            event_id = f"{did.message}:{SHOW_OPERATION}:{did.user}:{when}"[:250]
            self._aside.remember(event_id, did.spot)
            line = f"op {named[0]}"
            await accept(self._heard(did, event_id, line, thread=did.thread or did.message))
        return None

    def _open_launch(self, did: Did, body: Mapping[str, Any], back: Back, image: str = "") -> None:
        assurance, doubt = self._trust.place(back.room)
        if not self._house.knows(did.speaker):
            self._tell(did, _stranger(did.speaker))
            return
        if assurance is Assurance.REFUSED:  # before somebody fills in what would only be refused
            self._tell(did, doubt)
            return
        work = self._windows.offer_launch(text_at(body, "trigger_id"), back, did.user, did.spot, image)
        self._chores.start(work, "offer a launch")

    # --- what all have in common

    def _who(self, body: Mapping[str, Any]) -> tuple[str, str]:
        """The user's id and the account to take them for; empty where no person is named."""
        user = text_at(body, "user", "id")
        if not USER.fullmatch(user):
            return "", ""
        return user, self._trust.speaker(user, text_at(body, "user", "team_id"))

    def _did(self, body: Mapping[str, Any]) -> Did | None:
        """Who did something to a message or to their Home tab; None where that is not told soundly."""
        user, speaker = self._who(body)
        if not user:
            return None
        if part(body, "container", "type") == "view" or (part(body, "view") and not part(body, "channel")):
            if part(body, "view", "type") != "home":
                return None
            return Did(user, speaker, self._home or user, message=text_at(body, "view", "id"), home=True)
        channel = text_at(body, "channel", "id") or text_at(body, "container", "channel_id")
        stamp = stamp_of(
            part(body, "container", "message_ts") or part(body, "message_ts") or part(body, "message", "ts")
        )
        if not CHANNEL.fullmatch(channel) or stamp is None:
            return None
        thread = stamp_of(part(body, "container", "thread_ts") or part(body, "message", "thread_ts"))
        if thread == stamp:  # a message that has been answered names itself; it is seen in the channel
            thread = None
        return Did(user, speaker, channel, thread, stamp, response_url=text_at(body, "response_url"))

    def _heard(
        self, did: Did, event_id: str, line: str, *, room: str | None = None, thread: str | None = None
    ) -> MessageEvent:
        where = room or did.room
        assurance, doubt = self._trust.place(where)
        return MessageEvent(
            event_id=event_id,
            room=Room(platform=SLACK, id=where),
            speaker=did.speaker,
            text=_SURROGATES.sub("\ufffd", line),
            address=Address.MENTION,
            thread=thread,
            sent_at=self._clock(),
            assurance=assurance,
            doubt=doubt,
        )

    def _press(self, did: Did, event_id: str, choice: Choice, back: Back, reason: str = "") -> ButtonEvent:
        # The Home tab is not a conversation: what is decided there is told where the operation was asked for.
        assurance, doubt = (Assurance.FULL, "") if back.home else self._trust.place(did.room)
        target = back.target
        return ButtonEvent(
            event_id=event_id,
            room=Room(platform=SLACK, id=did.user if back.home else did.room),
            speaker=did.speaker,
            choice=choice,
            operation_id=target.operation_id if target else None,
            digest_prefix=target.digest_prefix if target else None,
            reason=_SURROGATES.sub("\ufffd", reason),
            sent_at=self._clock(),
            assurance=assurance,
            doubt=doubt,
        )

    def _tell(self, did: Did, sentence: str) -> None:
        room = did.user if did.home else did.room
        work = self._aside.whisper(room, did.user, sentence, did.spot)
        self._chores.start(work, "tell one person")

    def _show_home_after(self, did: Did) -> None:
        if did.home:
            self._chores.start(self._windows.show_home_after(did.user, did.speaker), "show Home anew")


def _stranger(speaker: str) -> str:
    team = speaker.partition("/")[2]
    instead = f", or `{team}` to `slack.teams`" if team else ""
    return (
        "I do not know you, so that changes nothing. Whoever runs Slipway can add "
        f"`slack:{speaker}` to a person's identities{instead}."
    )


def _whisper(text: str) -> dict[str, str]:
    return {"response_type": "ephemeral", "text": text}


def _everything(message: object) -> str:
    """All of a message's texts, wherever in it they stand."""
    return "\n".join(_texts(message))[:_LONGEST_SEARCH]


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            yield from chain.from_iterable(map(_texts, value.values()))
        case list():
            yield from chain.from_iterable(map(_texts, value))
