"""Manifests over HTTP: only what the version's tag names counts, and all else is unknown."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from aiohttp import web

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.core.errors import UserError
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.contents.comparing import Contents, Inside
from slipway.bot.subjects.images.contents.settings import CONTENTS, ContentsSettings
from slipway.bot.subjects.images.promoting.planner import PromotePlanner
from slipway.bot.subjects.images.requests import Promote
from slipway.bot.subjects.images.rules.gathering import PromotionRules
from slipway.bot.subjects.images.rules.settings import PromotionSettings
from tests.images.builders import MemoryGallery, promoted, version
from tests.images.rules.test_planning import Known
from tests.support.azure import X64
from tests.support.clock import NOW
from tests.support.clouds import galleries


def manifest(**packages: str) -> bytes:
    entries = [{"name": name, "versionInfo": number} for name, number in packages.items()]
    return json.dumps({"spdxVersion": "SPDX-2.3", "packages": entries}).encode()


OLD, NEW = manifest(bash="5.1", curl="8.8"), manifest(bash="5.2", dnf="5.0")


def tagged(data: bytes, tag: str = "Manifest-SHA256") -> dict[str, str]:
    return {tag: f"sha256:{hashlib.sha256(data).hexdigest()}"}


@dataclass
class Host:
    """A server with manifests, by path."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    stuck: asyncio.Event | None = None
    port: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if self.stuck is not None:
            await self.stuck.wait()
        found = self.files.get(request.path)
        return web.Response(status=404) if found is None else web.Response(body=found)

    def settings(self, **more: object) -> ContentsSettings:
        address = f"http://127.0.0.1:{self.port}/{{definition}}/{{version}}.json"
        return ContentsSettings.model_validate({"manifests": address, **more})


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    """The server, with the manifests of two versions of X64."""
    found = Host({f"/{X64}/43.1.0.json": OLD, f"/{X64}/43.2.0.json": NEW})
    app = web.Application()
    app.router.add_get("/{path:.*}", found.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.port = runner.addresses[0][1]
    yield found
    if found.stuck is not None:
        found.stuck.set()
    await runner.cleanup()


LATEST = promoted("43.1.0", tags=tagged(OLD))
CANDIDATE = version("43.2.0", tags=tagged(NEW))


async def test_what_changes_inside_is_told_and_a_manifest_is_fetched_once(host: Host) -> None:
    contents = Contents(host.settings())
    for _again in range(2):
        found = await contents.compare(X64, CANDIDATE, LATEST)
        assert found == Inside(words="1 updated (bash), 1 added (dnf), 1 removed (curl)")
    assert len(host.asked) == 2
    alone = await contents.compare(X64, CANDIDATE, None)
    assert alone == Inside(words="2 packages, and no latest to compare them with")


@pytest.mark.parametrize(
    ("candidate", "why"),
    [
        (version("43.2.0"), "43.2.0 has no tag manifest-sha256 with a SHA-256"),
        (
            version("43.2.0", tags={"manifest-sha256": "abc"}),
            "43.2.0 has no tag manifest-sha256 with a SHA-256",
        ),
        (version("43.2.0", tags=tagged(OLD)), "the manifest of 43.2.0 is another than its tag says"),
        (version("43.3.0", tags=tagged(NEW)), "the manifest of 43.3.0 is not there (HTTP 404)"),
    ],
)
async def test_what_no_digest_binds_is_unknown(host: Host, candidate: ImageVersion, why: str) -> None:
    found = await Contents(host.settings()).compare(X64, candidate, LATEST)
    assert found == Inside(unknown=why)


async def test_what_is_too_long_or_takes_too_long_is_unknown(host: Host) -> None:
    host.files[f"/{X64}/43.2.0.json"] = b" " * 5000
    short = Contents(host.settings(most_bytes=1024))
    assert (await short.compare(X64, CANDIDATE, None)).unknown == "the manifest of 43.2.0 is too long"
    host.stuck = asyncio.Event()
    quick = Contents(host.settings(timeout=timedelta(milliseconds=50)))
    assert (
        await quick.compare(X64, CANDIDATE, None)
    ).unknown == "the manifest of 43.2.0 did not come in time"


async def test_where_none_are_configured_or_nobody_answers_it_is_unknown() -> None:
    none = await Contents(ContentsSettings()).compare(X64, CANDIDATE, LATEST)
    assert none == Inside(unknown="no manifests are configured, in [contents]")
    gone = ContentsSettings(manifests="http://127.0.0.1:9/{version}")
    assert (await Contents(gone).compare(X64, CANDIDATE, LATEST)).unknown == (
        "the manifest of 43.2.0 cannot be reached"
    )


async def test_a_promotion_shows_it_and_a_rule_may_demand_it(host: Host) -> None:
    gallery = MemoryGallery(LATEST, CANDIDATE, version("43.3.0", tags=tagged(b"another")))
    catalogue = Catalogue(galleries(gallery))
    tables = {"*": PromotionSettings(contents=True)}
    rules = PromotionRules(catalogue, Known(), tables, contents=Contents(host.settings()))
    planner = PromotePlanner(catalogue, rules=rules)
    with pytest.raises(
        UserError, match=r"43\.3\.0 .* changes nobody knows what: .*HTTP 404.*\(rule contents\)"
    ):
        await planner.plan(Promote(definition=X64), NOW)
    draft = await planner.plan(Promote(definition=X64, version="43.2.0"), NOW)
    assert dict(draft.evidence)["Inside"] == "1 updated (bash), 1 added (dnf), 1 removed (curl)"
    due = await planner.plan(Promote(definition=X64, due=True), NOW)
    assert [step.title for step in due.steps] == [f"promote 43.2.0 of {X64}"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://example.org/{version}.json", ""),
        ("https://example.org/{definition}.json", "does not name the version"),
        ("https://example.org/{release}/{version}", "has braces around something else"),
        ("http://example.org/{version}", "is not encrypted"),
        ("example.org/{version}", "is not an address"),
    ],
)
def test_an_address_that_cannot_be_right_is_named(address: str, said: str) -> None:
    found = [problem.said for problem in CONTENTS.check(ContentsSettings(manifests=address), True)]
    assert ([said in each for each in found] == [True]) if said else (found == [])
