"""The part of the control interface for what becomes of channels; see ``control.py``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from tests.slack.simulator.control_people import answering
from tests.slack.simulator.server import SimulatedSlack
from tests.slack.simulator.transport.delivery import Delivery
from tests.slack.simulator.world import Json


def add_channel_routes(app: web.Application, sim: SimulatedSlack) -> None:
    """Add the addresses by which channels are archived, renamed, left and the like."""
    orders: dict[str, Callable[[Json], Awaitable[Sequence[Delivery | None]]]] = {
        "archive": lambda asked: _one(
            sim.archive(asked["channel"], without_bot=bool(asked.get("without_bot")))
        ),
        "unarchive": lambda asked: _one(sim.unarchive(asked["channel"])),
        "rename": lambda asked: _one(sim.rename_channel(asked["channel"], asked["name"])),
        "invite": lambda asked: _one(sim.invite_bot(asked["channel"])),
        "kick": lambda asked: sim.remove_bot(asked["channel"]),
        "delete_channel": lambda asked: _one(sim.delete_channel(asked["channel"])),
        "join": lambda asked: _one(sim.person(asked["user"]).join(asked["channel"])),
        "leave": lambda asked: _one(sim.person(asked["user"]).leave(asked["channel"])),
    }
    for name, do in orders.items():
        app.router.add_post(f"/control/{name}", answering(_told(do)))


async def _one(delivery: Awaitable[Delivery | None]) -> Sequence[Delivery | None]:
    return (await delivery,)


def _told(
    do: Callable[[Json], Awaitable[Sequence[Delivery | None]]],
) -> Callable[[Json], Awaitable[Json]]:
    """What the app was told of it, by the events' types."""

    async def order(asked: Json) -> Json:
        return {"told": [each.event["type"] for each in await do(asked) if each is not None]}

    return order
