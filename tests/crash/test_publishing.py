"""`kill -9` while what is latest is published for programs: they read the document before, or the new one, and the
next start ends what was begun."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.crash.clouds import CrashTiming, History, SimulatedClouds
from tests.crash.conftest import new_installation
from tests.crash.installation import FAMILY_TABLES, Installation, until

DEFINITION = "Published"
DOCUMENT = "images.json"
POINTS = [
    (CrashTiming.BEFORE, 2, DOCUMENT),  # it is on the disk, beside the one before
    (CrashTiming.BEFORE, 1, DOCUMENT),
    (CrashTiming.AFTER, 1, DOCUMENT),
    (CrashTiming.AFTER, 2, DOCUMENT),  # it is in its place
    (CrashTiming.BEFORE, 1, "chat_memory"),  # noting that it was published
    (CrashTiming.AFTER, 1, "chat_memory"),
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
    found = json.loads(path.read_text("utf-8"))
    ((_, architecture),) = found["streams"][DEFINITION]["architectures"].items()
    (release,) = {each["release"] for each in architecture["images"]["azure"]["regions"].values()}
    return str(release)


def is_published(path: Path, release: str) -> bool:
    """Whether the document says that this is latest."""
    return published(path) == release


def noted(publishing: Installation) -> str:
    """What the bot noted of what it published last; empty where nothing."""
    rows = publishing.rows("SELECT value FROM chat_memory WHERE name = 'images published'")
    return "".join(str(row["value"]) for row in rows)


def turn(clouds: SimulatedClouds, *, promoted: bool) -> str:
    """Promote the candidate, or take it back, by another way than the bot; what is latest then."""

    async def change() -> str:
        older, candidate = sorted(record.name for record in clouds.azure.state.versions_of(DEFINITION))
        body = {"properties": {"publishingProfile": {"excludeFromLatest": not promoted}}}
        clouds.azure.state.patch(DEFINITION, candidate, body)
        while clouds.azure.state.version(DEFINITION, candidate).state != "Succeeded":
            pass  # a look advances it
        return candidate if promoted else older

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
    until("it is published", path.exists)
    for number, (timing, place, of) in enumerate(points):
        until("it is noted", lambda: published(path) in noted(publishing))
        publishing.bot.kill()
        before = published(path)
        latest = turn(clouds, promoted=number % 2 == 0)
        assert latest != before
        publishing.crash_at_commit(timing, place, table=of)
        assert publishing.launch().ended() < 0, "it has no such point any more"
        publishing.disarm()
        assert published(path) in (before, latest)
        publishing.start()
        until("the next start publishes it", partial(is_published, path, latest))
        assert list(publishing.folder.glob(".images.json*")) == []
    for bot in (*publishing.past, publishing.bot):
        assert not [line for line in bot.lines if "for programs" in line["title"]]
        assert "Traceback" not in bot.stderr_text()
