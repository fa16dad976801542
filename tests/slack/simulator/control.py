"""A simulator as a process of its own, steered over HTTP: for benchmarks, and for bots that are killed.

All addresses begin with ``/control/``; bodies and answers are JSON.

- ``GET state``: connections, calls by method, deliveries by state, and the milliseconds to
  acknowledgement by what was sent (``message``, ``command``, ``block_actions`` …; ``own`` are the bot's words)
- ``GET acks``: those milliseconds one by one, in the order in which the things were first sent
- ``GET messages?channel=&after=``: the messages of a channel and its threads, newer than a timestamp
- ``GET calls?method=``: the log of calls
- ``GET sees?user=&channel=&thread=``: what stands before a person, with what only they see
- ``GET ephemerals?user=``: what only a person sees
- ``GET modals?user=``: the modals before a person, the uppermost last; ``GET home?user=``: their Home tab
- ``POST post`` (user, channel, text, thread, broadcast, file), ``POST edit`` (user, channel, ts, text),
  ``POST delete`` (user, channel, ts), ``POST react`` (user, channel, ts, name)
- ``POST command`` (user, command, text, channel), ``POST shortcut`` (user, callback_id),
  ``POST message_shortcut`` (user, channel, ts, callback_id)
- ``POST press`` (user, button, option, and channel and ts, or view: the id of a modal or Home tab)
- ``POST open_home`` (user, tab), ``POST submit`` (user, view, values), ``POST close`` (user, view, whole_stack)
- ``POST person`` (id, name, team, channels), ``POST channel`` (id, name, members), ``POST app`` (commands, events,
  scopes): what the world has besides
- ``POST archive`` (channel, without_bot), ``POST unarchive`` (channel), ``POST rename`` (channel, name),
  ``POST delete_channel`` (channel), ``POST invite`` and ``POST kick`` (channel: the app's bot), ``POST join`` and
  ``POST leave`` (user, channel): each says of which events the app was told
- ``POST fault`` (kind, method, times, retry_after, error, status, seconds, after), ``POST limits`` (enforced),
  ``POST omit_team`` (omitted)
- ``POST redeliver``, ``POST cut``, ``POST disconnect`` (reason), ``POST http`` (url, signing_secret)

A request that makes no sense gives 400 with the reason.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict

from aiohttp import web

from tests.slack.simulator.control_channels import add_channel_routes
from tests.slack.simulator.control_people import add_people_routes, answering
from tests.slack.simulator.faults import Fault, FaultKind
from tests.slack.simulator.server import SimulatedSlack
from tests.slack.simulator.transport.delivery import Kind
from tests.slack.simulator.transport.socket_mode import Reason
from tests.slack.simulator.world import Json

_FAULT_FIELDS = ("method", "times", "retry_after", "error", "status", "seconds", "after")


class ControlledSlack(SimulatedSlack):
    """A simulator that also takes orders over HTTP."""

    def add_routes(self, app: web.Application) -> None:
        """Add the addresses of the control API."""
        for name in ("state", "acks", "messages", "calls"):
            app.router.add_get(f"/control/{name}", answering(getattr(self, f"_get_{name}")))
        for name in ("fault", "limits", "redeliver", "cut", "disconnect", "http", "omit_team"):
            app.router.add_post(f"/control/{name}", answering(getattr(self, f"_do_{name}")))
        add_people_routes(app, self)
        add_channel_routes(app, self)

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

    async def _do_fault(self, asked: Json) -> Json:
        more = {name: asked[name] for name in _FAULT_FIELDS if name in asked}
        self.faults.add(Fault(FaultKind(asked["kind"]), **more))
        return {}

    async def _do_limits(self, asked: Json) -> Json:
        self.limits.enforced = bool(asked.get("enforced", True))
        return {}

    async def _do_omit_team(self, asked: Json) -> Json:
        self.core.omits_team = bool(asked.get("omitted", True))
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
