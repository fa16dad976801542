"""A file that is never seen half-written, and a command that may fail in every way."""

from __future__ import annotations

import errno
import os
import stat
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.images.publishing.delivery import (
    CommandDestination,
    DeliveryError,
    FileDestination,
    destination,
)
from slipway.bot.subjects.images.publishing.settings import PublishingSettings


def command(code: str, *, timeout: float = 20, environ: dict[str, str] | None = None) -> CommandDestination:
    words = (sys.executable, "-c", code)
    settings = PublishingSettings(command=words, timeout=timedelta(seconds=timeout))
    found = destination(settings, environ or dict(os.environ))
    assert isinstance(found, CommandDestination)
    return found


def names_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


def is_over(pid: str) -> bool:
    """Whether a process has ended, whether somebody has looked at that or not (proc(5))."""
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] in "ZX"


async def test_a_file_is_replaced_as_a_whole_and_everybody_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "images.json"
    found = destination(PublishingSettings(file=path), {})
    assert isinstance(found, FileDestination)
    assert found.lacks()
    await found.deliver(b"one")
    inode = path.stat().st_ino
    before = path.open("rb")  # somebody who reads it meanwhile
    (tmp_path / ".images.json.new").write_bytes(b"what a kill left behind")
    await found.deliver(b"two and more")
    with before:
        assert before.read() == b"one"
    assert path.read_bytes() == b"two and more"
    assert path.stat().st_ino != inode
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert names_in(tmp_path) == ["images.json"]
    assert not found.lacks()


async def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "images.json"
    await FileDestination(path).deliver(b"one")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DeliveryError) as caught:
        await FileDestination(path).deliver(b"two")
    assert caught.value.sentence == f"{path} could not be written: No space left on device."
    assert path.read_bytes() == b"one"
    assert names_in(tmp_path) == ["images.json"]


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
async def test_a_folder_that_slipway_may_not_write_is_named_with_who_has_to_let_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuses(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "open", refuses)
    with pytest.raises(DeliveryError) as caught:
        await FileDestination(tmp_path / "images.json").deliver(b"one")
    assert caught.value.sentence == f"Slipway may not write into {tmp_path}: {os.strerror(code)}."
    assert "ReadWritePaths=" in caught.value.remedy


async def test_a_folder_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError) as caught:
        await FileDestination(tmp_path / "www/images.json").deliver(b"one")
    assert caught.value.sentence == f"There is no folder {tmp_path}/www."
    assert "Make it" in caught.value.remedy


async def test_a_command_gets_all_of_it_and_none_of_the_bot_s_secrets(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys\n"
        f"pathlib.Path({str(tmp_path / 'got')!r}).write_bytes(sys.stdin.buffer.read())\n"
        f"pathlib.Path({str(tmp_path / 'names')!r}).write_text(' '.join(os.environ))"
    )
    text = b"x" * 1_000_000
    secrets = {"SLIPWAY_MATRIX_ACCESS_TOKEN": "secret", "AWS_PROFILE": "images"}
    await command(code, environ={**os.environ, **secrets}).deliver(text)
    assert (tmp_path / "got").read_bytes() == text
    names = (tmp_path / "names").read_text().split()
    assert "AWS_PROFILE" in names
    assert "SLIPWAY_MATRIX_ACCESS_TOKEN" not in names


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "import sys; sys.exit('no rights\\n  at bucket.\\n')",
            "ended with status 1, and said last: at bucket",
        ),
        ("import sys; sys.exit(3)", "ended with status 3"),
        ("import sys; sys.stderr.write('y\\n' * 3_000_000 + 'the end'); sys.exit(1)", "said last: the end"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "ended with status -15"),
    ],
)
async def test_a_command_that_fails_is_told_in_its_own_words(code: str, words: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        await command(code).deliver(b"x" * 1_000_000)
    assert words in caught.value.sentence
    assert code not in caught.value.sentence
    assert "standard input" in caught.value.remedy


async def test_a_command_need_not_read_it() -> None:
    await command("pass").deliver(b"x" * 1_000_000)


async def test_a_command_that_takes_too_long_is_stopped_with_all_that_it_began(tmp_path: Path) -> None:
    beside = tmp_path / "pid"
    code = (
        "import subprocess, sys, pathlib, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(beside)!r}).write_text(str(child.pid))\n"
        "time.sleep(600)"
    )

    async def over() -> bool:
        return is_over(beside.read_text())  # a process that was killed is gone soon, not at once

    with pytest.raises(DeliveryError) as caught:
        await command(code, timeout=3).deliver(b"x")
    assert "did not end within 3s, and was stopped" in caught.value.sentence
    assert "publishing.timeout" in caught.value.remedy
    assert await Polling(looks=1000, pause=0.02).until(over, bool)


async def test_a_command_that_is_not_there_is_named() -> None:
    settings = PublishingSettings(command=("/nowhere/upload", "--token", "secret"))
    with pytest.raises(DeliveryError) as caught:
        await destination(settings, {}).deliver(b"x")
    assert caught.value.sentence == "/nowhere/upload could not be run: No such file or directory."
    assert "secret" not in caught.value.remedy
