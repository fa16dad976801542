"""Where secrets are put: whole or not at all, for nobody else to read, and into several places or none."""

from __future__ import annotations

import errno
import os
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from slipway.bot.core.errors import CloudError
from slipway.bot.subjects.credentials.delivery.addresses import Form, SinkAddress
from slipway.bot.subjects.credentials.delivery.deliver import commit_all, prepare_all
from slipway.bot.subjects.credentials.delivery.files import FileSink
from slipway.bot.subjects.credentials.delivery.model import Delivery, NotDeliveredError, Sink
from slipway.bot.subjects.credentials.delivery.programs import CommandSink

TEXT = "Sim8Q~very-secret"
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:up-AbCdEf"
DELIVERY = Delivery("AKIA1", SecretStr(TEXT), "key-1", datetime(2027, 6, 1, tzinfo=UTC))


def file_sink(path: Path, form: Form = Form.SECRET) -> FileSink:
    return FileSink(f"the file {path.name}", path, form, timeout=10)


def command_sink(code: str, timeout: float = 10, form: Form = Form.SECRET, **environ: str) -> CommandSink:
    words = (sys.executable, "-c", code)
    return CommandSink("the command push", words, form, timeout, environ=environ or dict(os.environ))


async def deliver(*sinks: Sink) -> None:
    await commit_all(await prepare_all(sinks, DELIVERY))


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_each_form_has_what_it_takes_to_log_in() -> None:
    assert DELIVERY.written(Form.SECRET) == TEXT.encode()
    assert b'"id": "AKIA1", "secret": "Sim8Q~very-secret"' in DELIVERY.written(Form.JSON)
    assert DELIVERY.written(Form.AWS).decode().splitlines()[0] == "[default]"
    assert TEXT not in repr(DELIVERY)


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("file:/etc/x/secret", "the file secret"),
        ("command+json:/usr/bin/push 'a b'", "the command push"),
        ("vault@azure.staging:https://a.vault.azure.net/secrets/up-1", "the Key Vault secret up-1"),
        ("secretsmanager+json:prod/up", "the Secrets Manager secret prod/up"),
        (f"secretsmanager:{ARN}", "the Secrets Manager secret up-AbCdEf"),
    ],
)
def test_places_are_read_and_named_without_their_whole_path(written: str, title: str) -> None:
    assert SinkAddress.parse(written).title == title


@pytest.mark.parametrize(
    "written",
    [
        *("file:secret", "command:push x", "command:/bin/x 'a", "ftp:/x", "file:", "", "file@aws:/x"),
        *("vault:uploads", "vault:http://a.vault.azure.net/secrets/x", "secretsmanager:a b"),
        "vault:https://a.vault.azure.net/secrets/x/0123456789abcdef",
        *("secretsmanager@azure:x", "vault@azurestaging:https://a.vault.azure.net/secrets/x"),
    ],
)
def test_what_is_no_place_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        SinkAddress.parse(written)


async def test_a_file_is_replaced_whole_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    target, link = tmp_path / "secret", tmp_path / "link"
    target.write_text("before")
    target.chmod(0o644)
    link.symlink_to(target)
    umask = os.umask(0)
    try:
        (prepared,) = await prepare_all([file_sink(link)], DELIVERY)
        assert target.read_text() == "before"
        assert "b'before'" not in repr(prepared), "the former is a secret, too"
        await prepared.commit()
    finally:
        os.umask(umask)
    assert link.is_symlink(), "a link stays one"
    assert target.read_text() == TEXT
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert await prepared.undo()
    assert target.read_text() == "before"
    assert names(tmp_path) == ["link", "secret"]


async def test_a_disk_that_is_full_leaves_the_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "secret"
    target.write_text("before")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CloudError, match="no space left on device") as caught:
        await deliver(file_sink(target))
    assert str(tmp_path) not in caught.value.sentence
    assert target.read_text() == "before"
    assert names(tmp_path) == ["secret"]


async def test_folders_that_others_write_to_and_mounts_of_kubernetes_are_refused(tmp_path: Path) -> None:
    shared, mounted = tmp_path / "shared", tmp_path / "mounted"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(CloudError, match="others may write in its folder"):
        await deliver(file_sink(shared / "secret"))
    (mounted / "..2026").mkdir(parents=True)
    (mounted / "..data").symlink_to("..2026")
    with pytest.raises(CloudError, match="Kubernetes has mounted it"):
        await deliver(file_sink(mounted / "secret"))


async def test_a_command_reads_the_secret_and_finds_it_nowhere_else(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = (
        "import os, sys; said = sys.stdin.read();"
        f"open({str(out)!r}, 'w').write(said + repr(sorted(os.environ)) + open('/proc/self/cmdline').read())"
    )
    sink = command_sink(code, HOME="/", PATH="/bin", OTHER_SECRET="x")
    assert "OTHER_SECRET" not in repr(sink)
    await deliver(sink)
    found = out.read_text()
    assert found.count(TEXT) == 1
    assert found.startswith(TEXT)
    assert "OTHER_SECRET" not in found


@pytest.mark.parametrize(
    ("code", "within", "words"),
    [
        ("import sys; print(sys.stdin.read()); sys.exit(3)", 20, "it ended with status 3"),
        ("import sys, time; sys.stdin.read(); time.sleep(60)", 0.3, "it did not end within"),
    ],
)
async def test_a_command_that_fails_says_so_and_nothing_of_its_output(
    code: str, within: float, words: str
) -> None:
    with pytest.raises(NotDeliveredError, match=words) as caught:
        await deliver(command_sink(code, within))
    assert TEXT not in caught.value.words
    assert caught.value.kept == (("the command push",) if caught.value.doubtful else ())


async def test_a_program_that_is_not_there_is_told_before_anything_is_delivered(tmp_path: Path) -> None:
    target = tmp_path / "secret"
    missing = CommandSink("the command push", (str(tmp_path / "push"),), Form.SECRET, 5)
    with pytest.raises(CloudError, match="there is no such program"):
        await deliver(missing, file_sink(target))
    assert names(tmp_path) == []


async def test_of_several_places_all_have_it_or_none(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("before")
    with pytest.raises(NotDeliveredError) as caught:
        await deliver(command_sink("raise SystemExit(1)"), file_sink(first), file_sink(second))
    assert caught.value.kept == ()
    assert first.read_text() == "before"
    assert names(tmp_path) == ["first"]
    with pytest.raises(NotDeliveredError) as caught:
        await deliver(command_sink(""), command_sink("raise SystemExit(1)"), file_sink(first))
    assert caught.value.kept == ("the command push",), "what cannot be put back is named"
    assert first.read_text() == "before"
