"""`kill -9` while what is latest is published for programs: they read the document before, or the new one, and the
next start ends what was begun."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.crash.clouds import CrashTiming, History, SimulatedClouds
from tests.crash.conftest import new_installation
from tests.crash.installation import FAMILY_TABLES, Installation, until

DEFINITION = "Published"
DOCUMENT = "images.json"
POINTS = [
    (CrashTiming.AFTER, 2, DOCUMENT),  # it is in its place
    (CrashTiming.BEFORE, 2, DOCUMENT),  # it is on the disk, beside the one before
    (CrashTiming.AFTER, 1, DOCUMENT),
    (CrashTiming.BEFORE, 1, DOCUMENT),
    *(
        (timing, number, "chat_memory")  # noting that it is being published, and that it was
        for timing in (CrashTiming.BEFORE, CrashTiming.AFTER)
        for number in (1, 2)
    ),
]


@pytest.fixture
def publishing(clouds: SimulatedClouds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation that publishes what is latest of a gallery with a promoted version and a candidate."""
    created = new_installation(clouds, tmp_path_factory)
    document = created.config.read_text().replace(FAMILY_TABLES, "")
    created.config.write_text(f'{document}\n[publishing]\nfile = "{created.folder / DOCUMENT}"\n')
    clouds.add_definition(DEFINITION, History(days=(30, 3), promoted=(30,)))
    yield created
    clouds.clear()
    created.close()


def published(path: Path) -> str:
    """What is latest by the document, which is whole."""
    return release(json.loads(path.read_text("utf-8")))


def noted(publishing: Installation) -> str:
    """What the bot noted that it published last, whatever it began since; empty where nothing."""
    rows = publishing.rows("SELECT value FROM chat_memory WHERE name = 'images published'")
    found: dict[str, Any] = json.loads(str(rows[0]["value"])) if rows else {"under_way": True}
    return "" if found["under_way"] else release(found["document"])


def is_settled(publishing: Installation, latest: str) -> bool:
    """Whether this is published, and noted."""
    return published(publishing.folder / DOCUMENT) == noted(publishing) == latest


def release(document: dict[str, Any]) -> str:
    """What is latest by a document."""
    ((_, architecture),) = document["streams"][DEFINITION]["architectures"].items()
    (found,) = {each["release"] for each in architecture["images"]["azure"]["regions"].values()}
    return str(found)


def turn(clouds: SimulatedClouds) -> str:
    """Promote the candidate, or take it back, by another way than the bot; what is latest then."""

    async def change() -> str:
        older, candidate = sorted(record.name for record in clouds.azure.state.versions_of(DEFINITION))
        promoted = clouds.azure.state.latest(DEFINITION, "eastus") == candidate
        body = {"properties": {"publishingProfile": {"excludeFromLatest": promoted}}}
        clouds.azure.state.patch(DEFINITION, candidate, body)
        while clouds.azure.state.version(DEFINITION, candidate).state != "Succeeded":
            pass  # a look advances it
        return older if promoted else candidate

    return clouds.wait(change())


@pytest.mark.parametrize(
    "points",
    [
        pytest.param(POINTS[:1], marks=pytest.mark.slow, id="one"),
        pytest.param(POINTS, marks=pytest.mark.exhaustive, id="all"),
    ],
)
@pytest.mark.timeout(600)
def test_a_kill_leaves_a_whole_document_and_the_next_start_the_new_one(
    publishing: Installation, clouds: SimulatedClouds, points: list[tuple[CrashTiming, int, str]]
) -> None:
    path = publishing.folder / DOCUMENT
    publishing.start()
    until("it is published and noted", lambda: path.exists() and noted(publishing) == published(path))
    for (timing, place, of), back in product(points, (True, False)):
        publishing.bot.kill()
        before = published(path)
        latest = turn(clouds)
        assert latest != before
        publishing.crash_at_commit(timing, place, table=of)
        assert publishing.launch().ended() < 0, "it has no such point any more"
        publishing.disarm()
        assert published(path) in (before, latest)
        latest = turn(clouds) if back else latest
        publishing.start()
        until("the next start publishes it", partial(is_settled, publishing, latest))
        assert list(publishing.folder.glob(".images.json*")) == []
    for bot in (*publishing.past, publishing.bot):
        assert not [line for line in bot.lines if "for programs" in line["title"]]
        assert "Traceback" not in bot.stderr_text()
