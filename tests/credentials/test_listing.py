"""`!credentials` in the room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.subjects.credentials import sources
from tests.support.azure import one_version_seed
from tests.support.certificates import certificate, tls_server
from tests.support.clock import DAY, FakeClock
from tests.support.directory import application, secret
from tests.support.harness import BotHarness, running_bot


def entries(**named: dict[str, Any]) -> dict[str, Any]:
    """A change of the configuration: these are looked after, Alice's unless they say otherwise."""
    return {"credentials": {name: {"owner": "alice", **entry} for name, entry in named.items()}}


@pytest.fixture
async def azure() -> Any:
    azure = SimulatedAzure(one_version_seed(), clock=FakeClock())
    await azure.start()
    yield azure
    await azure.stop()


@asynccontextmanager
async def looked(*given: Any, **more: Any) -> AsyncIterator[BotHarness]:
    """A bot that has had the look of its start, and said what it had to."""
    async with running_bot(*given, **more) as bot:
        await bot.running.upkeep.sweep()
        await bot.running.idle()
        yield bot


def rows(bot: BotHarness) -> list[dict[str, Any]]:
    """The rows of the last answer, as programs read them."""
    (table,) = bot.messages[-1].card.tables
    return list(table.values)


async def test_the_soonest_to_end_comes_first_with_all_that_matters_and_nothing_of_the_secret(
    azure: SimulatedAzure, tmp_path: Path
) -> None:
    old, new = secret("ci", left=5 * DAY), secret("ci", left=300 * DAY)
    azure.graph.applications = [application("uploader", new, old), application("other", secret())]
    file = tmp_path / "hidden-place.pem"
    file.write_bytes(certificate(left=-2 * DAY).pem)
    changes = entries(
        uploader={
            "application": azure.graph.applications[0].client_id,
            "kept_in": "the vault",
            "used_by": "the uploader",
        },
        broker={"certificate": str(file), "owner": "releng"},
        token={"expires": "2026-12-24"},
    )
    async with looked(tmp_path / "state", azure=azure, changes=changes) as bot:
        (answer,) = await bot.say("carol", "!credentials")
        found = rows(bot)
        (one,) = await bot.say("carol", "!credential upload*")
    assert [each["name"] for each in found] == [
        "broker",
        f"uploader/{old.id[:8]}",
        "token",
        f"uploader/{new.id[:8]}",
    ]
    assert [each["state"] for each in found] == ["ended", "ending", "valid", "valid"]
    assert found[1]["owner"] == "alice"
    assert found[1]["ends"] == "2026-11-25T12:00:00Z"
    assert "4 credentials, 2 to see to" in answer.text
    assert "application secret “ci” of uploader" in answer.text
    for shown in ("2 days ago", "5 days", "the vault", "the uploader", "Alice", "role releng"):
        assert shown in answer.text
    assert "Used last" not in answer.text, "no source of these tells, so that nothing stands there"
    assert "broker" not in one.text
    for hidden in (old.hint, "hidden-place", "Q~8"):
        assert hidden not in answer.text


async def test_a_source_that_cannot_be_read_is_named_and_spoils_no_other(
    azure: SimulatedAzure, tmp_path: Path
) -> None:
    azure.graph.refuses = True
    changes = entries(
        everything={"application": "*"},
        token={"expires": "2030-01-01"},
        chat={"chat": "irc"},
        gone={"certificate": str(tmp_path / "gone.pem")},
    )
    async with looked(tmp_path / "state", azure=azure, changes=changes) as bot:
        (answer,) = await bot.say("carol", "!credentials")
        found = rows(bot)
    assert [each["name"] for each in found] == ["token"]
    assert "3 of the sources could not be read" in answer.text
    assert "everything could not be read: Microsoft Graph refused to list" in answer.text
    assert "Application.Read.All" in answer.text
    assert "gone could not be read: Its file cannot be read: No such file or directory." in answer.text
    assert "chat could not be read: This Slipway is on no chat irc" in answer.text


async def test_a_fault_of_slipways_own_at_one_source_spoils_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(_path: Path) -> Any:
        raise RuntimeError("of no kind that is expected")

    monkeypatch.setattr(sources, "certificate_of_file", failing)
    changes = entries(web={"certificate": "/etc/pki/web.pem"}, token={"expires": "2030-01-01"})
    async with looked(tmp_path / "state", changes=changes) as bot:
        (answer,) = await bot.say("carol", "!credentials")
        assert [each["name"] for each in rows(bot)] == ["token"]
    assert "web could not be read: Slipway failed at that" in answer.text


async def test_odd_ends_are_shown_as_what_they_are(azure: SimulatedAzure, tmp_path: Path) -> None:
    azure.graph.applications = [
        application(
            "odd",
            secret("far", ends="9999-12-31T23:59:59.9999999Z"),
            secret("unset", ends="0001-01-01T00:00:00Z", starts=None),
            secret("none", ends=None),
            secret("staged", starts="2026-12-20T00:00:00Z", ends="2027-12-20T00:00:00Z"),
            secret(None, ends="1999-01-01T00:00:00Z", starts=None),
        )
    ]
    never = {"made": "9990-12-31", "max_age": "9999d"}
    changes = entries(odd={"application": "od*"}, never=never)
    async with looked(tmp_path, azure=azure, changes=changes) as bot:
        (answer,) = await bot.say("carol", "!credentials")
        found = {each["what"]: each for each in rows(bot)}
    assert found["secret “far” of odd"]["state"] == "endless"
    assert found["secret “none” of odd"]["ends"] is None
    assert found["by its age"]["state"] == "endless"
    assert found["secret of odd"]["state"] == "left over"
    assert answer.text.count("not told") >= 2
    assert "begins later" in answer.text
    assert "9999" not in answer.text


async def test_what_two_entries_find_the_first_has(azure: SimulatedAzure, tmp_path: Path) -> None:
    azure.graph.applications = [application("fedora-a", secret()), application("fedora-b", secret())]
    changes = entries(b={"application": "*-b", "owner": "bob"}, rest={"application": "Fedora-*"})
    async with looked(tmp_path, azure=azure, changes=changes) as bot:
        azure.requests.clear()
        await bot.say("carol", "!credentials")
        assert sorted((each["name"][:2], each["owner"]) for each in rows(bot)) == [
            ("b/", "bob"),
            ("re", "alice"),
        ]
        listings = [each for each in azure.requests if each.path == "/v1.0/applications"]
        assert len(listings) == 1, "the directory is listed once"


async def test_a_server_is_asked_now(tmp_path: Path) -> None:
    async with tls_server(certificate(left=20 * DAY).context(tmp_path)) as port:
        changes = entries(web={"endpoint": f"127.0.0.1:{port}"})
        async with looked(tmp_path / "state", changes=changes) as bot:
            (answer,) = await bot.say("carol", "!credentials web")
    assert "20 days" in answer.text
    assert "2026-12-10" in answer.text


async def test_nothing_named_and_a_slip_in_the_name_say_what_to_do(tmp_path: Path) -> None:
    async with looked(tmp_path, changes=entries(uploader={"expires": "2030-01-01"})) as bot:
        (slip,) = await bot.say("carol", "!credentials uplaoder")
        assert "No credentials are looked after as uplaoder." in slip.text
        assert "uploader" in slip.text
        (refused,) = await bot.say("mallory", "!credentials")
        assert "I do not know you" in refused.text
    async with looked(tmp_path) as bot:
        (none,) = await bot.say("carol", "!credentials", event_id="later")
        assert "No credentials are looked after." in none.text
        assert "`[credentials.NAME]`" in none.text
