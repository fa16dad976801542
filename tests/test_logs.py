"""The log of a program whose standard error takes nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.program import environment

LOGS = """
import resource, structlog
from slipway.bot import logs

logs.configure("json")
log = structlog.get_logger()
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))
log.info("first")
log.error("second")
print("it goes on", flush=True)
if input():
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    log.info("third")
"""


def _run(log: Path, said: str) -> str:
    with log.open("wb") as sink:
        done = subprocess.run(
            (sys.executable, "-c", LOGS),
            input=said,
            stdout=subprocess.PIPE,
            stderr=sink,
            env=environment(),
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0
    return done.stdout


def test_a_log_on_a_full_disk_stops_nothing_and_tells_what_it_lacks(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert _run(log, "space\n") == "it goes on\n"
    assert '"third"' in log.read_text()
    assert '"lines": 2, "event": "lines of this log could not be written"' in log.read_text()
    assert '"first"' not in log.read_text()


def test_a_program_whose_log_stayed_full_ends_well(tmp_path: Path) -> None:
    assert _run(tmp_path / "log", "\n") == "it goes on\n"
    assert (tmp_path / "log").read_text() == ""


def test_a_program_without_standard_error_works_all_the_same() -> None:
    code = "from slipway.bot import logs\nlogs.configure('console')\nimport structlog\n"
    code += "structlog.get_logger().error('lost')\nprint('it goes on')"
    done = subprocess.run(
        ("/bin/sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, code),
        capture_output=True,
        env=environment(),
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "it goes on\n")
