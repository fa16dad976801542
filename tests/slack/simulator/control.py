"""A simulator as a process of its own, steered over HTTP: for benchmarks, and for bots that are killed.

All addresses begin with ``/control/``; bodies and answers are JSON.

- ``GET state``: connections, calls by method, deliveries by state, and the milliseconds to
  acknowledgement by what was sent (``message``, ``command``, ``block_actions`` …; ``own`` are the bot's words)
- ``GET acks``: those milliseconds one by one, in the order in which the things were first sent
- ``GET messages?channel=&after=``: the messages of a channel and its threads, newer than a timestamp
- ``GET calls?method=``: the log of calls
- ``POST post`` (user, channel, text, thread), ``POST command`` (user, command, text, channel),
  ``POST press`` (user, channel, ts, button)
- ``POST fault`` (kind, method, times, retry_after, error, status, seconds, after), ``POST limits`` (enforced)
- ``POST redeliver``, ``POST cut``, ``POST disconnect`` (reason), ``POST http`` (url, signing_secret)

A request that makes no sense gives 400 with the reason.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from tests.slack.simulator.faults import Fault, FaultKind
from tests.slack.simulator.server import SimulatedSlack
from tests.slack.simulator.transport.delivery import Kind
from tests.slack.simulator.transport.socket_mode import Reason
from tests.slack.simulator.world import Json, SimulatorError

_FAULT_FIELDS = ("method", "times", "retry_after", "error", "status", "seconds", "after")


class ControlledSlack(SimulatedSlack):
    """A simulator that also takes orders over HTTP."""

    def add_routes(self, app: web.Application) -> None:
        """Add the addresses of the control API."""
        for name in ("state", "acks", "messages", "calls"):
            app.router.add_get(f"/control/{name}", _answering(getattr(self, f"_get_{name}")))
        for name in ("post", "command", "press", "fault", "limits", "redeliver", "cut", "disconnect", "http"):
            app.router.add_post(f"/control/{name}", _answering(getattr(self, f"_do_{name}")))

    async def _get_state(self, asked: Json) -> Json:
        del asked
        return {
            "connections": len(self.sockets.live),
            "opened": self.sockets.opened,
            "calls": dict(self.core.call_counts),
            "rate_limited": self.limits.refused,
            "deliveries": Counter(delivery.state.value for delivery in self.outbox.log),
            "attempts": sum(delivery.attempts for delivery in self.outbox.log),
            "ack_ms": {what: _summary(times) for what, times in self._times().items()},
            "messages": {channel.id: len(channel.living()) for channel in self.world.channels.values()},
        }

    async def _get_acks(self, asked: Json) -> Json:
        del asked
        return self._times()

    def _times(self) -> dict[str, list[float]]:
        """Milliseconds from first sending to acknowledgement, by what was sent; ``own`` are the bot's words."""
        found: dict[str, list[float]] = defaultdict(list)
        for delivery in self.outbox.log:
            if delivery.seconds is not None:
                what = delivery.event.get("type") or delivery.payload.get("type") or "command"
                own = delivery.event.get("bot_id") or delivery.event.get("subtype") == "message_changed"
                found["own" if own else what].append(delivery.seconds * 1000)
        return found

    async def _get_messages(self, asked: Json) -> Json:
        after = float(asked.get("after") or 0)
        found = [m for m in self.messages(asked["channel"]) if float(m.ts) > after]
        return {"messages": [message.shown(metadata=True) | {"edits": message.edits} for message in found]}

    async def _get_calls(self, asked: Json) -> Json:
        return {"calls": [asdict(call) for call in self.calls(asked.get("method", ""))]}

    async def _do_post(self, asked: Json) -> Json:
        who = self.person(asked["user"])
        message = await who.post(asked["channel"], asked["text"], thread=asked.get("thread"))
        return {"ts": message.ts, "deliveries": len(message.deliveries)}

    async def _do_command(self, asked: Json) -> Json:
        who = self.person(asked["user"])
        delivery = await who.command(
            asked["command"], asked.get("text", ""), channel=asked.get("channel", "images")
        )
        return {"state": delivery.state.value}

    async def _do_press(self, asked: Json) -> Json:
        message = self.channel(asked["channel"]).find(asked["ts"])
        if message is None:
            raise SimulatorError(f"there is no message {asked['ts']}")
        delivery = await self.person(asked["user"]).press(message, asked["button"])
        return {"state": delivery.state.value}

    async def _do_fault(self, asked: Json) -> Json:
        more = {name: asked[name] for name in _FAULT_FIELDS if name in asked}
        self.faults.add(Fault(FaultKind(asked["kind"]), **more))
        return {}

    async def _do_limits(self, asked: Json) -> Json:
        self.limits.enforced = bool(asked.get("enforced", True))
        return {}

    async def _do_redeliver(self, asked: Json) -> Json:
        del asked
        return {"sent": sum(delivery.kind is Kind.EVENT for delivery in await self.redeliver())}

    async def _do_cut(self, asked: Json) -> Json:
        del asked
        return {"opened": self.cut()}

    async def _do_disconnect(self, asked: Json) -> Json:
        return {"opened": await self.disconnect(Reason(asked.get("reason", Reason.REFRESH_REQUESTED)))}

    async def _do_http(self, asked: Json) -> Json:
        await self.deliver_over_http(asked["url"], asked.get("signing_secret"))
        return {}


def _summary(times: list[float]) -> Json:
    ordered = sorted(times)

    def quantile(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    return {"count": len(times), "p50": quantile(0.5), "p99": quantile(0.99), "max": ordered[-1]}


def _answering(do: Callable[[Json], Awaitable[Json]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(request: web.Request) -> web.Response:
        asked: dict[str, Any] = dict(request.query)
        if request.can_read_body:
            asked |= await request.json()
        try:
            return web.json_response(await do(asked))
        except (SimulatorError, KeyError, ValueError, TypeError) as wrong:
            return web.json_response({"error": f"{type(wrong).__name__}: {wrong}"}, status=400)

    return handler
