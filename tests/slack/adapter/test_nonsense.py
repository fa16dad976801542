"""What is formed as nothing that Slack sends: refused, and no fault of the bot's."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.slack.harness import running_adapter
from tests.slack.simulator import Kind, SimulatedSlack
from tests.slack.simulator.seed import BOB
from tests.slack.simulator.world import Json

NO_OBJECTS: tuple[object, ...] = (None, 5, "message", [{}], [])

NONSENSE: tuple[tuple[Kind, Json], ...] = (
    *((Kind.EVENT, {"type": "event_callback", "event": each}) for each in NO_OBJECTS),
    (Kind.EVENT, {"type": "event_callback", "event": {"type": "message", "user": 5, "channel": True}}),
    (Kind.EVENT, {"type": "event_callback", "event": {"type": "message"}, "authorizations": "mine"}),
    (Kind.EVENT, {"type": 5}),
    (Kind.EVENT, {"type": "event_callback", "event": {}, "authorizations": [1]}),
    *(
        (Kind.INTERACTIVE, {"type": "view_submission", "user": {"id": BOB}, "view": each})
        for each in NO_OBJECTS
    ),
    (Kind.INTERACTIVE, {"type": "view_submission", "user": {"id": BOB}, "view": {}}),
    (Kind.INTERACTIVE, {"type": "view_submission", "view": {"type": "modal"}, "user": BOB}),
    (Kind.INTERACTIVE, {"type": "view_submission"}),
    (Kind.INTERACTIVE, {"type": "view_closed", "team": "T0FEDORA0", "view": {"type": "modal", "id": 5}}),
    (Kind.INTERACTIVE, {"type": "block_actions", "actions": []}),
    (Kind.INTERACTIVE, {"type": "block_actions", "actions": ["approve"], "container": "message"}),
    (Kind.INTERACTIVE, {"type": "message_action", "message": "op-7k3f", "channel": "C0IMAGES0"}),
    (Kind.COMMAND, {"command": ["/slipway"], "user": "alice"}),
)


async def test_what_is_formed_as_nothing_of_slacks_is_refused_without_a_traceback(
    sim: SimulatedSlack, logged: Callable[[], str]
) -> None:
    async with running_adapter(sim, over_http=True) as adapter:
        assert sim.http is not None
        for _, body in NONSENSE:
            status, _ = await sim.http.post(json.dumps(body), "application/json", {})
            assert status in (200, 400), body
        assert adapter.events == []
    await sim.deliver_over_sockets()
    async with running_adapter(sim) as adapter:
        for kind, body in NONSENSE:
            refused = await sim.outbox.deliver(kind, body)
            await sim.until(lambda refused=refused: bool(refused.acks), f"an acknowledgement of {body}")  # type: ignore[misc]
        await (await sim.person("alice").post("images", "!status")).deliveries[0].acked()
        assert adapter.lines == ["!status"]
    told = logged()
    assert "had another form than any that it sends" in told
    assert "Traceback" not in told
    assert '"level": "error"' not in told


@pytest.mark.parametrize("body", ["[1]", "{", '{"a":' * 2000, "null", '"text"'])
async def test_signed_text_that_is_no_object_is_refused(sim: SimulatedSlack, body: str) -> None:
    async with running_adapter(sim, over_http=True) as adapter:
        assert sim.http is not None
        status, _ = await sim.http.post(body, "application/json", {})
        assert status == 400
        assert adapter.events == []
