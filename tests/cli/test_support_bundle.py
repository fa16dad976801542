"""`slipway support-bundle`: what helps, no secret, and nothing of what people said."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from slipway.bot.cli.main import main
from slipway.bot.cli.operating.bundle_parts import REMOVED, without_secrets
from tests.support.azure import X64
from tests.support.harness import running_bot
from tests.support.processes.program import CONSOLE_CONFIGURATION, run_slipway

TOTP = "PLANTEDPLANTEDPLANTEDPLANTED2345"
PLANTED = {
    "SLIPWAY_AZURE_CLIENT_SECRET": 'planted-"client-secret',
    "SLIPWAY_MATRIX_PASSWORD": "planted-password",
    "AWS_SECRET_ACCESS_KEY": "planted-aws-key",
    "AWS_SESSION_TOKEN": "planted-aws-session",
    "SLIPWAY_PERSON_ALICE_TOTP_SECRET": TOTP,
    "PGPASSWORD": "planted-database-password",
    "AZURE_CLIENT_SECRET": "planted-azure-env",
}
WORDS = "words that alice said and nobody else shall read"


@pytest.mark.xdist_group("program")
async def test_no_secret_and_nobodys_words_are_in_it_and_what_helps_is(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with running_bot(state) as bot:
        await bot.say("alice", f"!hold {X64} {WORDS}")
    matrix = state / "matrix"
    matrix.mkdir()
    (matrix / "login.json").write_text('{"access_token": "planted-login"}')
    (matrix / "cross-signing-seeds.json").write_text('{"master": "planted-master-seed"}')
    kept = ("planted-login", "planted-master-seed")
    (state / "run.log").write_text(f"ready\nit said {', '.join((*PLANTED.values(), *kept))}\n")
    tables = '\ntenant_id = "t"\nclient_id = "c"\n'
    configuration = CONSOLE_CONFIGURATION.replace("[azure]", f"[azure]{tables}")
    (tmp_path / "slipway.toml").write_text(configuration)
    ran = run_slipway("support-bundle", "b.tar.gz", "--without-doctor", cwd=tmp_path, env=PLANTED)
    assert ran.returncode == 0, ran.stderr
    file = tmp_path / "b.tar.gz"
    assert file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(file) as archive:
        held = {
            each.name.removeprefix("slipway-support/"): found.read()
            for each in archive.getmembers()
            if (found := archive.extractfile(each))
        }
    everything = b"\n".join(held.values())
    assert b"planted" not in everything.lower()
    assert WORDS.encode() not in everything
    assert (
        held["logs/run.log"] == b"ready\nit said " + b", ".join([b"[removed]"] * (len(PLANTED) + 2)) + b"\n"
    )
    databases = json.loads(held["databases.json"])
    assert databases["slipway.db"]["schema"] >= "0024"
    assert databases["slipway.db"]["rows"]["operation"] == 1
    assert "sqlalchemy" in json.loads(held["versions.json"])["packages"]
    assert json.loads(held["health.json"])["problem"].startswith("No Slipway is running")
    assert "azure" in json.loads(held["configuration.json"])
    assert any(each["path"] == "matrix/login.json" for each in json.loads(held["files.json"]))


def test_a_secret_is_found_as_it_stands_and_as_json_and_addresses_write_it() -> None:
    text = 'a"b@c and a\\"b@c and ?key=a%22b%40c'
    assert without_secrets(text, ['a"b@c']) == f"{REMOVED} and {REMOVED} and ?key={REMOVED}"


def test_no_line_of_a_secret_is_left_where_a_log_breaks_it() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\nshort\n-----END PRIVATE KEY-----"
    assert "MIIEvQ" not in without_secrets("line 1: MIIEvQIBADANBgkqhkiG9w0BAQEF", [key])


def test_it_replaces_nothing_and_what_is_broken_keeps_nothing_else_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: object) -> None:
        raise RuntimeError("doctor is ill")

    monkeypatch.chdir(tmp_path)
    Path("slipway.toml").write_text(CONSOLE_CONFIGURATION)
    monkeypatch.setattr("slipway.bot.cli.operating.support_bundle._doctor", break_off)
    over = CliRunner().invoke(main, ["support-bundle", "slipway.toml"])
    assert (over.exit_code, "is there already" in over.output) == (1, True)
    assert Path("slipway.toml").read_text() == CONSOLE_CONFIGURATION
    made = CliRunner().invoke(main, ["support-bundle"])
    assert made.exit_code == 0, made.output
    (file,) = tmp_path.glob("slipway-support-*.tar.gz")
    with tarfile.open(file) as archive:
        found = archive.extractfile("slipway-support/doctor.json")
        assert found is not None
        assert json.loads(found.read()) == {"failed": "RuntimeError: doctor is ill"}
        assert "slipway-support/versions.json" in archive.getnames()
