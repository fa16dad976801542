"""The part of the control interface that does what people do and shows what they see; see ``control.py``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.slack.simulator.core import View
from tests.slack.simulator.methods.views import view_body
from tests.slack.simulator.server import SimulatedSlack
from tests.slack.simulator.transport.delivery import Delivery
from tests.slack.simulator.world import Channel, Json, Message, SimulatorError, User

Order = Callable[[Json], Awaitable[Json]]
"""Does what a request asks for, and says what came of it."""


def add_people_routes(app: web.Application, sim: SimulatedSlack) -> None:
    """Add the addresses for whatever people do and see."""
    people = ControlledPeople(sim)
    for name in ("sees", "ephemerals", "modals", "home"):
        app.router.add_get(f"/control/{name}", answering(getattr(people, f"get_{name}")))
    for name in (
        *("post", "edit", "delete", "react", "command", "shortcut", "message_shortcut", "press"),
        *("open_home", "submit", "close", "person", "channel", "app"),
    ):
        app.router.add_post(f"/control/{name}", answering(getattr(people, f"do_{name}")))


class ControlledPeople:
    """What people do and see, by requests."""

    def __init__(self, sim: SimulatedSlack) -> None:
        self._sim = sim

    async def get_sees(self, asked: Json) -> Json:
        """What stands in a channel or a thread before a person."""
        found = self._sim.person(asked["user"]).sees(asked["channel"], thread=asked.get("thread"))
        return {"messages": [_shown(message) for message in found]}

    async def get_ephemerals(self, asked: Json) -> Json:
        """What only a person sees."""
        return {"messages": [_shown(message) for message in self._sim.person(asked["user"]).ephemerals]}

    async def get_modals(self, asked: Json) -> Json:
        """The modals before a person, and what an app said of their fields."""
        return {"views": [self._view(view) for view in self._sim.person(asked["user"]).modals]}

    async def get_home(self, asked: Json) -> Json:
        """A person's Home tab; null before it was published."""
        view = self._sim.person(asked["user"]).home
        return {"view": None if view is None else self._view(view)}

    async def do_post(self, asked: Json) -> Json:
        """Say something."""
        message = await self._sim.person(asked["user"]).post(
            asked["channel"],
            asked["text"],
            thread=asked.get("thread"),
            broadcast=bool(asked.get("broadcast")),
            with_file=bool(asked.get("file")),
        )
        return {"ts": message.ts, "deliveries": len(message.deliveries)}

    async def do_edit(self, asked: Json) -> Json:
        """Change one's own message."""
        return _sent(await self._sim.person(asked["user"]).edit(self._message(asked), asked["text"]))

    async def do_delete(self, asked: Json) -> Json:
        """Delete one's own message."""
        return _sent(await self._sim.person(asked["user"]).delete(self._message(asked)))

    async def do_react(self, asked: Json) -> Json:
        """Put a reaction on a message."""
        return _sent(await self._sim.person(asked["user"]).react(self._message(asked), asked["name"]))

    async def do_command(self, asked: Json) -> Json:
        """Type a slash command."""
        channel = asked.get("channel", "images")
        who = self._sim.person(asked["user"])
        return _sent(await who.command(asked["command"], asked.get("text", ""), channel=channel))

    async def do_shortcut(self, asked: Json) -> Json:
        """Choose a global shortcut."""
        return _sent(await self._sim.person(asked["user"]).shortcut(asked["callback_id"]))

    async def do_message_shortcut(self, asked: Json) -> Json:
        """Choose a shortcut in a message's menu."""
        who = self._sim.person(asked["user"])
        return _sent(await who.message_shortcut(asked["callback_id"], self._message(asked)))

    async def do_press(self, asked: Json) -> Json:
        """Press a button, or choose an option: on a message, or in a modal or Home tab."""
        who, button, option = self._sim.person(asked["user"]), asked["button"], asked.get("option")
        if "view" in asked:
            return _sent(await who.press_in(self._known_view(asked), button, option=option))
        return _sent(await who.press(self._message(asked), button, option=option))

    async def do_open_home(self, asked: Json) -> Json:
        """Open the app's Home or Messages tab."""
        return _sent(await self._sim.person(asked["user"]).open_home(asked.get("tab", "home")))

    async def do_submit(self, asked: Json) -> Json:
        """Fill in a modal and submit it: says what became of it, once the app has answered."""
        who = self._sim.person(asked["user"])
        submitted = await who.submit(self._known_view(asked), asked.get("values") or {})
        return {"outcome": submitted.outcome.value, "errors": submitted.errors}

    async def do_close(self, asked: Json) -> Json:
        """Close a modal, or all of its stack."""
        who = self._sim.person(asked["user"])
        return _sent(await who.close(self._known_view(asked), whole_stack=bool(asked.get("whole_stack"))))

    async def do_person(self, asked: Json) -> Json:
        """Let an account exist."""
        user = User(asked["id"], asked["name"], asked.get("team") or self._sim.world.app.team)
        self._sim.add_person(user, *asked.get("channels", ()))
        return {"id": user.id}

    async def do_channel(self, asked: Json) -> Json:
        """Let a channel exist, with the app's bot in it."""
        members = {self._sim.person(name).id for name in asked.get("members", ())}
        channel = Channel(asked["id"], asked["name"], members=members | {self._sim.world.app.bot_user})
        return {"id": self._sim.world.add_channel(channel).id}

    async def do_app(self, asked: Json) -> Json:
        """Give the app other commands, events or scopes."""
        app = self._sim.world.app
        for name in ("commands", "events", "scopes"):
            if name in asked:
                setattr(app, name, set(asked[name]))
        return {"commands": sorted(app.commands), "events": sorted(app.events), "scopes": sorted(app.scopes)}

    def _message(self, asked: Json) -> Message:
        ts = asked["ts"]
        channel = self._sim.channel(asked["channel"])
        ephemerals = self._sim.person(asked["user"]).ephemerals
        found = channel.find(ts) or next((each for each in ephemerals if each.ts == ts), None)
        if found is None:
            raise SimulatorError(f"there is no message {ts}")
        return found

    def _known_view(self, asked: Json) -> View:
        who = self._sim.person(asked["user"])
        views = {view.id: view for view in (*who.modals, who.home) if view is not None}
        found = views.get(str(asked["view"]))
        if found is None:
            raise SimulatorError(f"{who.user.name} has no view {asked['view']} before them")
        return found

    def _view(self, view: View) -> Json:
        return view_body(self._sim.core, view) | {"errors": view.errors}


def _shown(message: Message) -> Json:
    return message.shown(metadata=True) | {"edits": message.edits}


def _sent(delivery: Delivery | None) -> Json:
    """What became of what the app was sent; null where it was not for it to hear."""
    return {"state": None if delivery is None else delivery.state.value}


def answering(do: Order) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Answer requests by what ``do`` says; a request that makes no sense gets 400 with the reason."""

    async def handler(request: web.Request) -> web.Response:
        asked: dict[str, Any] = dict(request.query)
        if request.can_read_body:
            asked |= await request.json()
        try:
            return web.json_response(await do(asked))
        except (SimulatorError, KeyError, ValueError, TypeError) as wrong:
            return web.json_response({"error": f"{type(wrong).__name__}: {wrong}"}, status=400)

    return handler
