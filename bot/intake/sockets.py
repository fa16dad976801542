"""Sockets in the state folder, for users of the bot's own machine: who the kernel says is at the other end counts."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from pathlib import Path

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid; unix(7), SO_PEERCRED


def listen(folder: Path, name: str) -> socket.socket:
    """Listen in a folder, for its user alone. Bound by way of the folder itself, as a socket's path may have no more
    than 107 bytes.

    Raises:
        OSError: it cannot be made.
    """
    (folder / name).unlink(missing_ok=True)  # of a bot that was killed: this one holds the folder's lock
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        listening.bind(f"/proc/self/fd/{descriptor}/{name}")
        (folder / name).chmod(0o600)
    except OSError:
        listening.close()
        raise
    finally:
        os.close(descriptor)
    return listening


def connect(connection: socket.socket, path: Path) -> None:
    """Connect by way of the folder itself.

    Raises:
        OSError: it cannot be entered, or nobody listens there.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        connection.connect(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


def user_of(connected: socket.socket) -> tuple[int, str]:
    """Number and name of the user at the other end; one without a name goes by number."""
    told = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(told)
    try:
        return uid, pwd.getpwuid(uid).pw_name
    except KeyError:
        return uid, str(uid)
