"""Slack for the suite: the real adapter over Socket Mode and over HTTP, before a simulated workspace."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from slipway.bot.chat.declaration import ChatContext
from slipway.bot.chat.model import Chat, Choice, Platform
from slipway.bot.chat.slack.chat import SlackChat
from slipway.bot.chat.slack.declaration import CHAT
from slipway.bot.chat.slack.platform import SLACK
from tests.conformance.harness import (
    Capability,
    MakeHarness,
    SendFault,
    SentMessage,
    VisibleMessage,
    VisiblePicture,
    Where,
)
from tests.slack.harness import address_of, apply_manifest
from tests.slack.simulator import Delivery, Message, Person, SimulatedSlack
from tests.slack.simulator.seed import ALICE, BOB, BOT, CAROL, DAVE, IMAGES
from tests.support.configuration import READER, STRANGER

_ACCOUNTS = {"alice": ALICE, "bob": BOB, READER: CAROL, STRANGER: DAVE}
_NAMES = {account: name for name, account in _ACCOUNTS.items()}
_LABELS = {Choice.APPROVE: "Approve", Choice.REJECT: "Reject"}


async def _at_once(_seconds: float) -> None:
    await asyncio.sleep(0)


_VERY_OFTEN = 10_000  # more than any test tries


class SlackHarness:
    """A channel in which refusals are shown to one person alone; buttons are buttons."""

    platform: Platform = SLACK
    missing: Mapping[Capability, str] = {
        Capability.WITHDRAWAL: "a button that was pressed stays pressed; `!reject` changes one's mind",
        Capability.OFFLINE_PRESSES: "Slack tells at once who presses while nobody answers, and delivers it no more",
    }
    redelivers_at_start = False
    _way: Mapping[str, str] = {}

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._slack = SimulatedSlack()
        self._connections = 0
        self._chat: Chat | None = None
        self._listens = False
        self._forged: set[str] = set()
        self._said: list[Delivery] = []
        self._cards: dict[str, dict[str, Any]] = {}  # messages as they were while they had buttons

    async def open(self) -> None:
        apply_manifest(self._slack)
        await self._slack.start()

    async def close(self) -> None:
        await self._slack.stop()

    def configuration(self) -> dict[str, Any]:
        secrets = {"bot_token": self._slack.bot_token, **self._secrets()}
        for name, secret in secrets.items():
            path = self._folder / name
            path.touch(0o600)
            path.write_text(secret)
        files = {f"{name}_file": str(self._folder / name) for name in secrets}
        return {
            "slack": {
                **files,
                **self._way,
                "channels": [IMAGES],
                "endpoint": self._slack.api_url,
                "request_timeout": "10s",
            }
        }

    def _secrets(self) -> dict[str, str]:
        return {"app_token": self._slack.app_token}

    def identity(self, who: str) -> str:
        return f"slack:{_ACCOUNTS[who]}"

    def make_chat(self, context: ChatContext[Any]) -> Chat:
        self._connections = self._slack.sockets.opened
        self._chat = CHAT.build(replace(context, sleep=_at_once))
        return self._chat

    async def ready(self) -> None:
        await self._slack.connected(after=self._connections)
        await self._slack.settled()
        self._listens = True

    async def stopped(self) -> None:
        """What is said now waits for the next connection."""
        self._listens = False

    async def settle(self) -> None:
        await self._slack.settled()

    async def say(
        self, who: str, text: str, *, where: Where, thread: str | None, mention: bool
    ) -> SentMessage:
        channel = BOT if where is Where.DIRECT else IMAGES
        words = f"<@{BOT}> {text}" if mention else text
        message = await self._person(who).post(channel, words, thread=thread, raw=mention)
        self._said += message.deliveries
        return SentMessage(message.ts, who, message)

    async def press(self, who: str, choice: Choice, card: VisibleMessage) -> None:
        (message,) = [each for each in self._slack.messages(IMAGES) if each.ts == card.id]
        person = self._person(who)
        stale = None if message.buttons else self._cards[card.id]
        delivery = await person.press(message, _LABELS[choice], stale=stale)
        self._said.append(delivery)
        await delivery.acked()
        if choice is Choice.REJECT and who != STRANGER:  # it asks for a reason
            submission = await person.submit(await person.modal(), {"Why?": "not now"})
            self._said.append(submission.delivery)

    async def press_shortcut(self, who: str, label: str, card: VisibleMessage) -> None:
        (message,) = [each for each in self._slack.messages(IMAGES) if each.ts == card.id]
        delivery = await self._person(who).press(message, label)
        self._said.append(delivery)
        await delivery.acked()

    async def withdraw_press(self) -> None:
        raise NotImplementedError

    async def edit(self, said: SentMessage, text: str) -> None:
        await self._person(said.who).edit(said.raw, text)

    async def delete(self, said: SentMessage) -> None:
        await self._person(said.who).delete(said.raw)

    async def say_as_bots(self, text: str) -> None:
        """Another app's bot, in both of Slack's ways, and the bot's own token used elsewhere."""
        await self._slack.bot_says(IMAGES, text)
        await self._slack.bot_says(IMAGES, text, legacy=True)
        client = AsyncWebClient(token=self._slack.bot_token, base_url=self._slack.api_url)
        answer = await client.chat_postMessage(channel=IMAGES, text=text)
        self._forged.add(str(answer["ts"]))

    async def visible_messages(self, who: str, where: Where) -> list[VisibleMessage]:
        person = self._person(who)
        place = self._slack.core.open_direct(person.id).id if where is Where.DIRECT else IMAGES
        public = [
            each for each in self._slack.from_bot(place) if each.ts not in self._forged and not each.files
        ]
        own = [each for each in person.ephemerals if each.channel == place]
        for message in public:
            if message.buttons:
                self._cards[message.ts] = message.shown()
        return [_visible(each) for each in sorted((*public, *own), key=lambda each: float(each.ts))]

    async def redeliver(self) -> None:
        for delivery in tuple(self._said):
            await self._slack.again(delivery)

    def inject_fault(self, fault: SendFault, times: int = 1) -> None:
        faults = self._slack.faults
        match fault:
            case SendFault.TRANSIENT:
                faults.server_error("chat.postMessage", times=times)
            case SendFault.LOST_RESPONSE:
                faults.lose_answer("chat.postMessage", times=times)
            case SendFault.PERMANENT:
                faults.refuse("chat.postMessage", "invalid_metadata_schema", times=times)

    def set_away(self, away: bool) -> None:
        self._slack.faults.clear()
        for method in ("chat.postMessage", "chat.update") if away else ():
            self._slack.faults.server_error(method, times=_VERY_OFTEN)

    async def set_room_gone(self, gone: bool) -> None:
        """Archived, and back. Where nobody listens, Slack has given up telling of it by the next start."""
        if not self._listens:
            self._slack.world.channels[IMAGES].archived = gone
        elif gone:
            await self._slack.archive(IMAGES)
        else:
            await self._slack.unarchive(IMAGES)

    async def files(self) -> list[str]:
        held = self._slack.world.files.values()
        return [(each.content or b"").decode() for each in held if each.complete and not each.alternative]

    async def pictures(self) -> list[VisiblePicture]:
        shown = [(message, file["id"]) for message in self._slack.from_bot(IMAGES) for file in message.files]
        held = [(message, self._slack.world.files[file]) for message, file in shown]
        return [
            VisiblePicture(file.content or b"", file.alternative, message.thread_ts)
            for message, file in held
            if file.mimetype == "image/png"
        ]

    async def private_files(self, who: str) -> list[str]:
        direct = self._slack.core.open_direct(_ACCOUNTS[who]).id
        held = [file["id"] for message in self._slack.from_bot(direct) for file in message.files]
        return [(self._slack.world.files[each].content or b"").decode() for each in held]

    def _person(self, who: str) -> Person:
        return self._slack.person(_ACCOUNTS[who])


class SlackHttpHarness(SlackHarness):
    """The same over HTTP: Slack calls the bot."""

    _way: Mapping[str, str] = {"transport": "http", "listen": "127.0.0.1:0"}

    def _secrets(self) -> dict[str, str]:
        return {"signing_secret": self._slack.signing_secret}

    async def ready(self) -> None:
        assert isinstance(self._chat, SlackChat)
        await self._slack.deliver_over_http(await address_of(self._chat))
        await self._slack.redeliver()  # what was said while nobody listened
        await self._slack.settled()
        self._listens = True

    async def set_room_gone(self, gone: bool) -> None:
        """The bot is put out, and invited again."""
        if not self._listens:
            members = self._slack.world.channels[IMAGES].members
            members.discard(BOT) if gone else members.add(BOT)
        elif gone:
            await self._slack.remove_bot(IMAGES)
        else:
            await self._slack.invite_bot(IMAGES)


def _visible(message: Message) -> VisibleMessage:
    called = {account: name for account, name in _NAMES.items() if f"<@{account}>" in message.all_text}
    return VisibleMessage(
        id=message.ts,
        text=message.all_text,
        choices=frozenset(
            choice
            for choice, label in _LABELS.items()
            if label in {button.label for button in message.buttons}
        ),
        thread=message.thread_ts if message.is_reply else None,
        edits=message.edits,
        mentions=frozenset(called.values()),
        private=message.only_for is not None,
    )


HARNESSES: Mapping[str, MakeHarness] = {
    "slack": lambda request: SlackHarness(request.getfixturevalue("tmp_path")),
    "slack-http": lambda request: SlackHttpHarness(request.getfixturevalue("tmp_path")),
}

OTHER_TRANSPORTS = ("slack-http",)
