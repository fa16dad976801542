"""A hold against an approved promotion, a revocation at a time, and protection from deletion, on every platform."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.core.times import system_clock
from tests.conformance.clock import ClockAhead
from tests.conformance.harness import VisibleMessage
from tests.conformance.run import ConformanceRun, PlatformSession, candidate, operation_id
from tests.support.ami_families import ami, client
from tests.support.aws import simulated_aws
from tests.support.azure import X64

OWN = "Own-x64"
LATEST, NEWEST = "20261001.0", "20261101.0"
CHANGES = {
    "family": {
        OWN: {"name": "own-{date}.{respin}", "version": "43.{date}.{respin}", "regions": ["us-east-1"]}
    },
    "promotion": {"*": {"protect": True}},
    "retention": {"keep_candidates": 1, "keep_disabled": "1h"},
    "commands": {"max_age": "7d"},
}


async def approved(session: PlatformSession, card: VisibleMessage) -> str:
    """What a card and its report say once bob has agreed, by a button or, where there is none, by its name."""
    if card.choices:
        said = await session.press("bob", Choice.APPROVE, card)
    else:
        said = await session.say("bob", f"!approve {operation_id(card)}")
    return "\n".join(each.text for each in (await session.current(card), *said))


async def test_a_hold_stops_what_is_agreed_to_and_a_revocation_calls_those_who_may_agree(
    run: ConformanceRun,
) -> None:
    session, latest = run.session, f"43.{system_clock() - timedelta(days=9):%Y%m%d}.0"
    clock = ClockAhead()
    async with simulated_aws() as aws, run.bot(CHANGES, aws=aws, clock=clock):
        card, name = await session.propose()
        said = await session.say("bob", f"!hold {X64}/{candidate()} cloud-init hangs")
        assert "hold: done" in said[0].text
        assert not said[0].choices, "nobody has to agree to a hold"
        (report,) = await session.press("bob", Choice.APPROVE, card)
        assert "is held by Bob (cloud-init hangs)" in report.text
        assert report.mentions == {"alice"}  # she asked for it, and an edited card calls nobody
        assert not (await session.current(card)).choices
        assert run.excluded() is True

        (revoked,) = await session.say("alice", f"!revoke --at 2h {X64}/{latest} its mirrors end")
        begins = operation_id(revoked)
        assert f"!approve {begins}" in revoked.text
        assert revoked.mentions == {"bob"}
        assert "Begins" in revoked.text
        # Where reactions are not encrypted, and could be made up, none counts for it, and none is offered.
        assert "revoke: approved, begins" in await approved(session, revoked)
        assert Choice.APPROVE not in (await session.current(revoked)).choices
        (pending,) = await session.say("carol", "!pending")
        assert "approved, begins" in pending.text
        assert name not in pending.text

        await protection_is_seen_from_promotion_to_clean_up(session, aws, clock)


async def protection_is_seen_from_promotion_to_clean_up(
    session: PlatformSession, aws: SimulatedAws, clock: ClockAhead
) -> None:
    """What is latest nobody can delete; a clean-up lifts that by a step of its own, and waits out the cool-down."""
    newest, other = (
        ami(number, family="own-{date}.{respin}", created=system_clock() - timedelta(days=age))
        for number, age in ((NEWEST, 3), ("20261108.0", 2))
    )
    before = ami(LATEST, family="own-{date}.{respin}", public=True)
    await aws.add_amis([before, newest])
    named = f"43.{NEWEST} of {OWN}"
    (card,) = await session.say("alice", f"!promote {OWN}")
    assert f"protect {named} from deletion" in card.text
    assert f"{named} is protected from deletion" in await approved(session, card)
    with pytest.raises(ClientError, match="protected from deregistration"):  # somebody, by another way
        await asyncio.to_thread(client(aws.url).deregister_image, ImageId=newest.id)

    (back,) = await session.say("alice", f"!rollback {OWN}")
    await approved(session, back)
    await aws.add_amis([other])  # so that the one before is no candidate that is kept
    (card,) = await session.say("alice", f"!cleanup {OWN}")
    assert f"lift the protection of {named} from deletion" in card.text
    assert f"disable {named}" in card.text
    assert "is lifted. EC2 keeps it for 1d more." in await approved(session, card)
    clock.ahead += timedelta(hours=2)  # it is due to be deleted
    (waits,) = await session.say("alice", f"!cleanup {OWN}")
    assert "Nothing to do" in waits.text
    assert f"{named}: its protection is lifted, and its cloud keeps it until" in waits.text
