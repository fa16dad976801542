"""Starting where something is wrong: one clear sentence, and nothing is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from slipway.bot.cli.main import main
from slipway.bot.core.errors import StateError
from tests.support.harness import newest_state, propose, running_bot

LETTER = b"This is a letter, and no database. " * 300


@pytest.mark.parametrize("name", ["slipway.db", "workflows.db"])
async def test_a_file_that_is_no_database_is_named_and_left_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(LETTER)
    with pytest.raises(StateError, match=rf"{name} cannot be used as Slipway's .* `slipway state accept`"):
        async with running_bot(tmp_path):
            pass
    assert (tmp_path / name).read_bytes() == LETTER
    for command in ("check", "accept"):
        result = CliRunner().invoke(main, ["state", command, "--state", str(tmp_path)])
        assert result.exit_code == 1
        assert f"{name} cannot be read as a database." in result.output
        assert "`slipway state accept`" in result.output
    (tmp_path / name).unlink()
    async with running_bot(
        tmp_path
    ) as bot:  # all was let go of: the folder, the port, the one DBOS of the process
        assert len(await bot.say("alice", "!status")) == 1


async def test_a_second_bot_on_one_state_folder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        with pytest.raises(StateError, match=r"Another Slipway \(process \d+\) already works on"):
            async with running_bot(tmp_path):
                pass
        await propose(bot)
        assert (await newest_state(bot)).value == "proposed"
