"""Asking GitHub and GitLab for keys, over HTTP: pages, entity tags, limits, and everything that goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from slipway.bot.clouds.simulated.accounts import SimulatedAccounts, SimulatedKey
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.subjects.machines.keys.hosts import key_hosts
from slipway.bot.subjects.machines.keys.planners import sort_out
from slipway.bot.subjects.machines.keys.published import KeyService, Listing, NoSuchAccountError
from slipway.bot.subjects.machines.keys.settings import KeySettings
from tests.support.clock import DAY, HOUR, MINUTE, FakeClock
from tests.support.ssh_keys import ed25519

SERVICES = ("github", "gitlab")
EVERY_SERVICE = pytest.mark.parametrize("service", SERVICES)


@pytest.fixture
def hosts(accounts: SimulatedAccounts, clock: FakeClock) -> Mapping[str, KeyService]:
    return asked(accounts, clock, timedelta(minutes=1))


def asked(accounts: SimulatedAccounts, clock: FakeClock, timeout: timedelta) -> Mapping[str, KeyService]:
    """The services, each of whose requests may take so long."""
    settings = KeySettings(github=accounts.github_url, gitlab=accounts.gitlab_url, timeout=timeout)
    return key_hosts(settings, clock)


def make(accounts: SimulatedAccounts, service: str, name: str, keys: int) -> str:
    """An account with so many keys; its number."""
    held = accounts.github if service == "github" else accounts.gitlab
    return str(accounts.add(held, name, [ed25519(number) for number in range(1, keys + 1)]).id)


def lines(listing: Listing) -> list[str]:
    return [key.line for key in sort_out(listing)[0]]


@EVERY_SERVICE
@pytest.mark.parametrize("keys", [0, 1, 100, 101, 250])
async def test_all_pages_are_read_in_order(
    accounts: SimulatedAccounts, hosts: Mapping[str, KeyService], service: str, keys: int
) -> None:
    number = make(accounts, service, "alice", keys)
    listing = await hosts[service].listing("alice")
    assert listing.account_id == number
    assert lines(listing) == [ed25519(each) for each in range(1, keys + 1)]


@EVERY_SERVICE
async def test_ten_thousand_keys_are_not_read(
    accounts: SimulatedAccounts, hosts: Mapping[str, KeyService], service: str
) -> None:
    make(accounts, service, "hoarder", 10_000)
    with pytest.raises(UserError, match=f"{service}:hoarder lists more than 500 keys"):
        await hosts[service].listing("hoarder")
    assert len(accounts.requests) <= 8


@EVERY_SERVICE
async def test_a_name_that_nobody_has(hosts: Mapping[str, KeyService], service: str) -> None:
    with pytest.raises(NoSuchAccountError, match="knows nobody called nobody"):
        await hosts[service].listing("nobody")


@EVERY_SERVICE
async def test_within_a_minute_nothing_is_asked_again_and_then_only_whether_it_changed(
    accounts: SimulatedAccounts, hosts: Mapping[str, KeyService], clock: FakeClock, service: str
) -> None:
    make(accounts, service, "alice", 2)
    first = await hosts[service].listing("alice")
    assert await hosts[service].listing("alice") == first
    assert [entry.status for entry in accounts.requests] == [200, 200]
    clock.advance(2 * MINUTE)
    assert await hosts[service].listing("alice") == first
    assert [entry.status for entry in accounts.requests[2:]] == [304, 304]
    clock.advance(HOUR)
    await hosts[service].listing("alice")
    assert [entry.status for entry in accounts.requests[4:]] == [200, 200]


@EVERY_SERVICE
async def test_a_key_that_was_revoked_is_gone_after_a_minute(
    accounts: SimulatedAccounts, hosts: Mapping[str, KeyService], clock: FakeClock, service: str
) -> None:
    make(accounts, service, "alice", 2)
    await hosts[service].listing("alice")
    del getattr(accounts, service)["alice"].keys[0]
    clock.advance(MINUTE)
    assert lines(await hosts[service].listing("alice")) == [ed25519(2)]


@EVERY_SERVICE
async def test_a_clock_that_was_ahead_keeps_no_answer_and_no_pause_alive(
    accounts: SimulatedAccounts, hosts: Mapping[str, KeyService], clock: FakeClock, service: str
) -> None:
    make(accounts, service, "alice", 2)
    clock.advance(400 * DAY)
    await hosts[service].listing("alice")
    accounts.faults.add(Fault(kind=FaultKind.THROTTLE, seconds=60))
    clock.advance(HOUR)
    with pytest.raises(CloudError):
        await hosts[service].listing("alice")
    del getattr(accounts, service)["alice"].keys[0]
    clock.advance(-400 * DAY)
    assert lines(await hosts[service].listing("alice")) == [ed25519(2)]


@EVERY_SERVICE
async def test_case_does_not_count_in_a_name(
    accounts: SimulatedAccounts, hosts: Mapping[str, KeyService], service: str
) -> None:
    number = make(accounts, service, "Alice", 1)
    listing = await hosts[service].listing("aLICE")
    assert (listing.account.name, listing.account_id) == ("Alice", number)


async def test_the_hours_limit_of_github_is_told_with_its_end_and_not_tried_again_before(
    accounts: SimulatedAccounts, hosts: Mapping[str, KeyService], clock: FakeClock
) -> None:
    make(accounts, "github", "alice", 1)
    accounts.hourly = 0
    for _ in range(2):
        with pytest.raises(
            CloudError, match=r"asked too often from here, and answers again at 13:00 UTC"
        ) as told:
            await hosts["github"].listing("alice")
        assert told.value.kind is CloudErrorKind.THROTTLED
        assert told.value.retry_after == HOUR.total_seconds()
    assert len(accounts.requests) == 1
    clock.advance(HOUR)
    accounts.hourly = 60
    assert lines(await hosts["github"].listing("alice")) == [ed25519(1)]


@EVERY_SERVICE
@pytest.mark.parametrize(("seconds", "again"), [(30.0, "12:01"), (600.0, "12:10"), (None, "12:01")])
async def test_any_other_limit_is_told_with_its_end(
    accounts: SimulatedAccounts,
    hosts: Mapping[str, KeyService],
    service: str,
    seconds: float | None,
    again: str,
) -> None:
    make(accounts, service, "alice", 1)
    accounts.faults.add(Fault(kind=FaultKind.THROTTLE, seconds=seconds))
    with pytest.raises(CloudError, match=f"answers again at {again} UTC"):
        await hosts[service].listing("alice")


@EVERY_SERVICE
@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault(kind=FaultKind.ERROR), CloudErrorKind.BROKEN, "has a fault of its own now (HTTP 500)"),
        (Fault(kind=FaultKind.UNAVAILABLE), CloudErrorKind.BROKEN, "(HTTP 503)"),
        (Fault(kind=FaultKind.REFUSE), CloudErrorKind.REFUSED, "without an account (HTTP 403)"),
        (Fault(kind=FaultKind.GARBAGE), CloudErrorKind.UNEXPECTED_ANSWER, "it is no JSON"),
        (Fault(kind=FaultKind.GARBAGE, body='{"a": 1}'), CloudErrorKind.UNEXPECTED_ANSWER, "was expected"),
        (Fault(kind=FaultKind.GARBAGE, body="[" * 100_000), CloudErrorKind.UNEXPECTED_ANSWER, "no JSON"),
        (Fault(kind=FaultKind.GARBAGE, body="1" * 5_000_000), CloudErrorKind.UNEXPECTED_ANSWER, "too long"),
        (
            Fault(kind=FaultKind.GARBAGE, body='[{"key": 7}]'),
            CloudErrorKind.UNEXPECTED_ANSWER,
            "was expected",
        ),
        # aiohttp tries once more by itself.
        (Fault(kind=FaultKind.DROP, times=2), CloudErrorKind.UNREACHABLE, "cannot be reached at 127.0.0.1"),
    ],
)
@pytest.mark.parametrize("call", [0, 1])
async def test_a_service_that_fails_is_told_and_nothing_is_listed(
    accounts: SimulatedAccounts,
    hosts: Mapping[str, KeyService],
    service: str,
    fault: Fault,
    kind: CloudErrorKind,
    words: str,
    call: int,
) -> None:
    make(accounts, service, "alice", 1)
    accounts.faults.add(fault.model_copy(update={"after": call}))
    with pytest.raises(CloudError) as told:
        await hosts[service].listing("alice")
    assert told.value.kind is kind
    assert words in told.value.sentence
    assert told.value.sentence.startswith({"github": "GitHub", "gitlab": "GitLab"}[service])


@EVERY_SERVICE
async def test_a_service_that_does_not_answer_is_not_waited_for(
    accounts: SimulatedAccounts, clock: FakeClock, service: str
) -> None:
    make(accounts, service, "alice", 1)
    held = accounts.faults.add(Fault(kind=FaultKind.HOLD_BEFORE))
    with pytest.raises(CloudError, match="did not answer in time") as told:
        await asked(accounts, clock, timedelta(milliseconds=100))[service].listing("alice")
    held.release()
    assert told.value.kind is CloudErrorKind.TIMED_OUT


async def test_nobody_is_there() -> None:
    hosts = key_hosts(KeySettings(github="http://127.0.0.1:9"), FakeClock())
    with pytest.raises(CloudError, match=r"GitHub cannot be reached at 127\.0\.0\.1:9"):
        await hosts["github"].listing("alice")


async def test_gitlabs_keys_for_signing_and_those_that_ended_do_not_count(
    accounts: SimulatedAccounts, hosts: Mapping[str, KeyService]
) -> None:
    account = accounts.add(accounts.gitlab, "alice")
    account.keys += [
        SimulatedKey(ed25519(1), usage_type="signing"),
        SimulatedKey(ed25519(2), expires_at="2026-11-20T11:59:59.000Z"),
        SimulatedKey(ed25519(3), usage_type="auth", expires_at="2026-11-20T12:00:01.000Z"),
    ]
    taken, refused = sort_out(await hosts["gitlab"].listing("alice"))
    assert [key.line for key in taken] == [ed25519(3)]
    assert [sentence.partition(" is left out: ")[2] for sentence in refused] == [
        "it is for signing alone.",
        "it ended on 2026-11-20.",
    ]


async def test_a_blocked_account_on_gitlab_gives_no_keys(
    accounts: SimulatedAccounts, hosts: Mapping[str, KeyService]
) -> None:
    accounts.add(accounts.gitlab, "alice", [ed25519(1)]).state = "blocked"
    with pytest.raises(UserError, match="gitlab:alice is not active on GitLab"):
        await hosts["gitlab"].listing("alice")
