"""Runs the program of an unpacked image as Kubernetes would: a user id of no name, a root that nobody may write.

`.ci/image FOLDER` makes the folder. A mount namespace and a changed root stand for the container; the kernel's own
rules for the user, its group and the read-only root are what a container has, too.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

STATE = "/var/lib/slipway"
SETTINGS = "/etc/slipway"

UNNAMED_USER = 1000680000
"""One of those that OpenShift gives to a project."""

_ENTER = f"""
set -e
root=$1 state=$2 settings=$3; shift 3
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for each in null zero random urandom; do touch "$root/dev/$each"; mount --bind "/dev/$each" "$root/dev/$each"; done
mkdir -m 1777 "$root/dev/shm"
mount --bind "$state" "$root{STATE}"
mount --bind "$settings" "$root{SETTINGS}"
mount -o remount,ro,bind "$root" "$root"
exec chroot "$root" "$@"
"""


@dataclass(frozen=True)
class Image:
    """An image that `.ci/image` built: its files, and what it says of how it is run."""

    root: Path
    environment: tuple[str, ...]
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    user: str
    folder: str

    @classmethod
    def unpacked(cls, folder: Path) -> Image:
        """The image in a folder that `.ci/image` filled."""
        said = json.loads((folder / "config.json").read_text())["Docker"]["config"]
        root = folder / "root"
        (root / SETTINGS.lstrip("/")).mkdir(exist_ok=True)  # as an engine makes what is mounted upon
        return cls(
            root=root,
            environment=tuple(said["Env"]),
            entrypoint=tuple(said["Entrypoint"]),
            command=tuple(said["Cmd"]),
            user=said["User"],
            folder=said["WorkingDir"],
        )

    def run(
        self, *arguments: str, user: int, state: Path, settings: Path, says: int | None = subprocess.PIPE
    ) -> subprocess.Popen[str]:
        """Start it as a user of group 0 without any capability; no arguments: those that the image names."""
        as_user = (f"--reuid={user}", "--regid=0", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all")
        command = (
            *("unshare", "--mount", "sh", "-c", _ENTER, "sh", str(self.root), str(state), str(settings)),
            *("/usr/bin/setpriv", *as_user, "--no-new-privs", "--"),
            *("/usr/bin/env", "-i", "-C", self.folder, *self.environment),
            *(*self.entrypoint, *(arguments or self.command)),
        )
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=says,
            text=True,
            encoding="utf-8",
            env={"PATH": os.environ["PATH"]},
        )
