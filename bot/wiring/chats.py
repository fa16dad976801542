"""What each chat is given of the bot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from slipway.bot.chat.declaration import ChatContext, HostCallbacks
from slipway.bot.chat.forms import CommandForm
from slipway.bot.chat.model import Platform, Room
from slipway.bot.core.model import Json
from slipway.bot.core.waiting import Polling
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.between_replicas import ROOM_CHANGED
from slipway.bot.operations.gone_rooms import GoneRooms
from slipway.bot.operations.services import Services
from slipway.bot.people import People
from slipway.bot.store.memory import ChatMemory
from slipway.bot.wiring.parts import Parts
from slipway.commands.dispatch.codes.windows import WindowCodes
from slipway.commands.dispatch.events import workflow_id
from slipway.commands.dispatch.home import home

ELSEWHERE_LOOKS, ELSEWHERE_PAUSE = 4, 1.0
"""How often, and how many seconds apart, it is looked whether another replica could read what this one could not."""


async def _heard_elsewhere(parts: Parts, platform: Platform, event_id: str) -> bool:
    """Whether another replica takes an event in within a moment."""
    if parts.intake is None:
        return False
    polling = Polling(ELSEWHERE_LOOKS, ELSEWHERE_PAUSE, parts.sleep)
    key, intake = workflow_id(platform, event_id), parts.intake
    return await polling.until(lambda: intake.knows(key), bool)


def chat_context(
    parts: Parts,
    platform: Platform,
    people: People,
    services: Callable[[], Services],
    messages: Callable[[], MessageService],
    gone_rooms: Callable[[], GoneRooms],
) -> ChatContext[Any]:
    """What the adapter of a platform is built with. It is built first: what it calls later is asked for then."""

    def answers() -> None:
        messages().answers(platform)
        gone_rooms().ask_all(platform)

    def forms(account: str) -> Mapping[str, CommandForm]:
        person = people.by_account(platform, account)
        if person is None:
            return {}
        declared = (form for subject in parts.declarations.registry.subjects for form in subject.forms)
        return {form.shortcut.name: form.make(services(), person) for form in declared}

    def room_changed(id_: str) -> None:
        room = Room(platform=platform, id=id_)
        gone_rooms().ask(room)
        if parts.notices is not None and not parts.membership.works:
            parts.notices.tell_soon(ROOM_CHANGED, room.model_dump(mode="json"))

    async def relay(content: Json) -> None:
        if parts.notices is not None:
            await parts.notices.tell(platform, content)

    callbacks = HostCallbacks(
        knows=lambda account: people.by_account(platform, account) is not None,
        home=lambda account: home(services(), platform, account),
        forms=forms,
        idle=parts.workflows.idle,
        quiet=parts.workflows.quiet,
        groups=people.groups(platform),
        set_group_members=partial(people.set_group_members, platform),
        max_age=parts.settings.commands.max_age.total_seconds(),
        works=lambda: parts.membership.works,
        heard_elsewhere=partial(_heard_elsewhere, parts, platform),
        answers=answers,
        room_changed=room_changed,
        relay=relay,
        codes=WindowCodes(services),
    )
    return ChatContext(
        settings=getattr(parts.settings, platform),
        state_dir=str(parts.settings.state_dir),
        store=ChatMemory(parts.database, platform),
        clock=parts.clock,
        callbacks=callbacks,
        sleep=parts.sleep,
        http=parts.http,
        own_store=ChatMemory(parts.database, platform, parts.replica),
        fence=parts.membership.fence,
        replica=parts.replica,
    )
