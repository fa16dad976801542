"""Folders that are to be one user's alone, and what may stand in their place where the system made them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

PRIVATE_FILES = 0o077
"""The umask under which what a process makes is its user's alone, whoever the folder belongs to."""

_OTHERS_WRITE = stat.S_IWOTH


def make_private(folder: Path) -> None:
    """Have a folder there, for its user alone where it is this process's.

    A volume of a container is often root's, and its group's to write: Kubernetes' ``fsGroup`` and OpenShift's rule
    that an image runs under any user id in group 0 make it so. Its mode is not ours to change then, and the files in
    it are kept private one by one. One that everybody may write is refused: whoever may write there could put a file
    of their own in the place of any of ours.

    Raises:
        OSError: it cannot be made or used.
        PermissionError: it is another user's, and everybody may write there; ``strerror`` says so.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_uid == os.geteuid():
        folder.chmod(0o700)  # also where the folder was there before: it holds what people said
    elif status.st_mode & _OTHERS_WRITE:
        raise PermissionError(
            0,
            "It belongs to another user, and everybody may write there; name a folder inside it",
            str(folder),
        )
