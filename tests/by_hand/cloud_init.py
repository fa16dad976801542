"""Have cloud-init's own code read user data that a launch puts together, and compare what comes of it.

It is a package of Debian, and needs nothing of it installed:

    apt-get download cloud-init && dpkg -x cloud-init_*.deb cloud-init
    python -m tests.by_hand.cloud_init cloud-init/usr/lib/python3/dist-packages

Says for each case which keys are let in and what else the template has it do, and ends with "All of it works.".
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slipway.bot.subjects.machines.launching.user_data import keys_part, merged, timer_part

TEAM, OURS = "ssh-rsa AAAATEAM team", "ssh-ed25519 AAAAOURS github:alice"
CONFIG = f"#cloud-config\nssh_authorized_keys: ['{TEAM}']\npackages: [tmux]\n".encode()
SCRIPT = b"#!/bin/sh\ntouch /ready\n"
SEVERAL = b"\n".join(
    [
        b"MIME-Version: 1.0",
        b'Content-Type: multipart/mixed; boundary="b"',
        b"",
        *(b"--b", b"Content-Type: text/cloud-config", b"", CONFIG),
        *(b"--b", b"Content-Type: text/x-shellscript", b"", SCRIPT),
        b"--b--",
        b"",
    ]
)

CASES: dict[str, tuple[bytes, dict[str, Any], set[str]]] = {
    "nothing": (b"", {"ssh_authorized_keys": [OURS]}, set()),
    "a configuration": (CONFIG, {"ssh_authorized_keys": [TEAM, OURS], "packages": ["tmux"]}, set()),
    "the same, packed": (
        gzip.compress(CONFIG),
        {"ssh_authorized_keys": [TEAM, OURS], "packages": ["tmux"]},
        set(),
    ),
    "a script": (SCRIPT, {"ssh_authorized_keys": [OURS]}, {"text/x-shellscript"}),
    "several parts": (
        SEVERAL,
        {"ssh_authorized_keys": [TEAM, OURS], "packages": ["tmux"]},
        {"text/x-shellscript"},
    ),
}


def main() -> None:
    """Read the command line, and try every case."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("packages", help="the folder that holds cloud-init's package cloudinit")
    sys.path.insert(0, parser.parse_args().packages)
    for name, (template, wanted, more) in CASES.items():
        data = merged(template, (keys_part([OURS]), timer_part(datetime(2026, 12, 7, tzinfo=UTC))))
        config, kinds = read(data)
        if config != wanted or not kinds >= {"text/cloud-boothook", *more}:
            sys.exit(f"{name}: cloud-init made {config} of it, with parts {sorted(kinds)}")
        sys.stdout.write(f"{name}: {config}\n")
    sys.stdout.write("All of it works.\n")


def read(data: bytes) -> tuple[dict[str, Any], set[str]]:
    """What cloud-init makes of user data: the merged configuration, and the types of all its parts."""
    # It has no type information, and is not on every machine.
    yaml, handlers, helpers, user_data, util, cloud_config = (
        importlib.import_module(name)
        for name in (
            "yaml",
            *(f"cloudinit.{part}" for part in ("handlers", "helpers", "user_data", "util")),
            "cloudinit.handlers.cloud_config",
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        paths = helpers.Paths({"cloud_dir": folder, "run_dir": folder})
        processor = user_data.UserDataProcessor.__new__(user_data.UserDataProcessor)
        processor.paths, processor.ssl_details = paths, None  # what its __init__ asks the machine for
        handler = cloud_config.CloudConfigPartHandler.__new__(cloud_config.CloudConfigPartHandler)
        handlers.Handler.__init__(handler, "always", version=3)
        handler.cloud_buf, handler.cloud_fn, handler.file_names = None, str(Path(folder, "config")), []
        kinds = set()
        handler.handle_part(None, handlers.CONTENT_START, None, None, None, None)
        for part in processor.process(data).walk():
            kind = part.get_content_type()
            kinds.add(kind)
            if kind == "text/cloud-config":
                payload = util.fully_decoded_payload(part)
                handler.handle_part(None, kind, part.get_filename(), payload, None, dict(part.items()))
        handler.handle_part(None, handlers.CONTENT_END, None, None, None, None)
        config: dict[str, Any] = yaml.safe_load(Path(folder, "config").read_text("utf-8"))
        return config, kinds


if __name__ == "__main__":
    main()
