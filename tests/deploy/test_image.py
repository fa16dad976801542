"""The container image, run under the rules that platforms for containers have."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.deploy.container import STATE, UNNAMED_USER, Image
from tests.support.processes.program import CONSOLE_CONFIGURATION, line_with

WHERE = "SLIPWAY_TEST_IMAGE"
"""The folder that `.ci/image` filled."""

PATIENCE = 120  # seconds; a start in a container takes two

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("image"),
    pytest.mark.skipif(
        WHERE not in os.environ, reason=f"no {WHERE}: `.ci/image FOLDER` builds the image as root"
    ),
]


@pytest.fixture(scope="module")
def image() -> Image:
    return Image.unpacked(Path(os.environ[WHERE]))


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A volume as Kubernetes gives one for an ``fsGroup``: root's, its group's to write, and read by everybody."""
    volume = tmp_path / "volume"
    volume.mkdir()
    volume.chmod(0o2775)
    return volume


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "slipway.toml").write_text(f'state_dir = "{STATE}"\n' + CONSOLE_CONFIGURATION)
    return folder


def said(running: subprocess.Popen[str], text: str = "") -> tuple[int, str]:
    output, errors = running.communicate(text, timeout=PATIENCE)
    return running.returncode, output + errors


def test_the_image_runs_as_no_root_and_carries_nothing_of_where_it_was_built(image: Image) -> None:
    assert image.user == "10001:0"
    assert (image.root / STATE.lstrip("/")).stat().st_mode & 0o7777 == 0o770
    assert not [each for each in ("pip.conf", "pip") if (image.root / "etc" / each).exists()]
    assert not list((image.root / "run").glob("secrets/*"))
    assert not list((image.root / "opt/slipway").rglob("pip.conf"))


@pytest.mark.parametrize("user", [10001, UNNAMED_USER])
def test_check_needs_no_volume_that_can_be_written(
    image: Image, volume: Path, settings: Path, user: int
) -> None:
    volume.chmod(0o555)
    status, output = said(image.run("check", user=user, state=volume, settings=settings))
    assert status == 0, output
    assert "/etc/slipway/slipway.toml is right." in output


def test_the_demo_plays_in_it(image: Image, volume: Path, settings: Path) -> None:
    playing = image.run("demo", user=UNNAMED_USER, state=volume, settings=settings)
    status, output = said(playing, "!promote Fedora-Cloud-43-x64\n@bob: 1\n")
    assert status == 0, output
    assert "promote: done" in output


def test_the_bot_runs_under_any_user_id_on_a_root_that_nobody_may_write(
    image: Image, volume: Path, settings: Path
) -> None:
    with image.run(user=UNNAMED_USER, state=volume, settings=settings) as bot:
        try:
            assert bot.stdin is not None
            print("!whoami", file=bot.stdin, flush=True)
            line_with(bot.stdout, "alice")
            asked = image.run("health", user=UNNAMED_USER, state=volume, settings=settings)
            status, output = said(asked)
            assert status == 0, output
            assert "Slipway is well." in output
            bot.send_signal(signal.SIGTERM)
            assert bot.wait(PATIENCE) == 0
        finally:
            bot.kill()
    made = [each for each in volume.rglob("*") if each.is_file()]
    assert "slipway.db" in {each.name for each in made}
    assert not [each for each in made if each.stat().st_mode & 0o077], "what people said is its user's alone"
