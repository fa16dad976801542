"""Logging in to a machine that is tested, by the OpenSSH client of the computer that Slipway runs on.

It is a process of its own that is given an address and a user as words, and never a line for a shell to read. It has
no agent, forwards nothing, and reads nobody's configuration. Whatever answers gets a signature and one command that
everybody may know, so that nothing is lost to a machine that is another one than was meant.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from slipway.bot.core.errors import UserError
from slipway.bot.core.reasons import clean_reason
from slipway.bot.subjects.machines.testing.judging import CloudInit, LoggedIn, Login, LoginRefused, NotReached

PROGRAM = "ssh"

_CONNECT_SECONDS = 10
_WHOLE_SECONDS = 40
"""How long one try may take: to connect, to log in, and for cloud-init to tell."""

_LONGEST = 4000
_LOGIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)
_STATUS = re.compile(r"^status: *(.+)$", re.MULTILINE)
_REFUSED = ("permission denied", "too many authentication failures")
_UNUSABLE = ("load key", "unprotected private key")  # then it was not the machine that refused it
_OF_SSH = 255  # the exit status of what ssh itself suffered; ssh(1)
_NO_SUCH_COMMAND = 127  # sh(1)
_RECOVERABLE = 2  # of `cloud-init status`

COMMAND = "cloud-init status --long"

_STATES = {
    "not started": CloudInit.RUNNING,
    "not run": CloudInit.RUNNING,
    "running": CloudInit.RUNNING,
    "done": CloudInit.DONE,
    "degraded": CloudInit.DEGRADED,
    "error": CloudInit.ERROR,
    "disabled": CloudInit.ABSENT,
}
"""Source: cloud-init's documentation, “cloud-init status”: reported statuses."""


class LoginTrial(Protocol):
    """Tries to log in."""

    async def attempt(self, address: str, user: str) -> Login:
        """Try once, within a bound of time."""
        ...


def check_program() -> None:
    """Raise UserError where there is no OpenSSH client."""
    if shutil.which(PROGRAM) is None:
        raise UserError(
            "testing.ssh_key is set, and there is no program ssh to log in with; whoever runs Slipway can install "
            "OpenSSH's client, or leave the key out."
        )


@dataclass(frozen=True)
class OpenSsh:
    """Tries by OpenSSH's client.

    Attributes:
        key: the file of the private key.
        port: where SSH answers.
    """

    key: Path
    port: int = 22

    async def attempt(self, address: str, user: str) -> Login:
        """Log in once, and ask how far cloud-init is."""
        try:
            ip_address(address)
        except ValueError:
            return NotReached("it has no address")
        if _LOGIN.fullmatch(user) is None:
            return NotReached("its profile names no user that can be logged in as")
        with TemporaryDirectory(prefix="slipway-test-") as folder:
            known = Path(folder) / "known_hosts"
            found = await self._run(self._words(address, user, known))
            return replace(found, host_key=shown_key(known)) if isinstance(found, LoggedIn) else found

    async def _run(self, words: Sequence[str]) -> Login:
        try:
            process = await asyncio.create_subprocess_exec(*words, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
        except OSError as error:
            return NotReached(f"ssh cannot be run: {error.strerror}")
        try:
            async with asyncio.timeout(_WHOLE_SECONDS):
                out, said = await asyncio.gather(_bounded(process.stdout), _bounded(process.stderr))
                if max(len(out), len(said)) < _LONGEST:  # nobody waits for the end of what has none
                    await process.wait()
        except TimeoutError:
            return NotReached(f"no answer within {_WHOLE_SECONDS} seconds")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return _read(process.returncode or 0, out, said)

    def _words(self, address: str, user: str, known: Path) -> tuple[str, ...]:
        """The command. Host keys cannot be known before: the machine made them just now. What it shows is written
        down, to be compared with what it writes to its console."""
        options = {
            "BatchMode": "yes",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "PreferredAuthentications": "publickey",
            "StrictHostKeyChecking": "accept-new",
            "UserKnownHostsFile": f'"{str(known).replace("%", "%%")}"',  # several stand with blanks between them
            "HashKnownHosts": "no",
            "UpdateHostKeys": "no",
            "GlobalKnownHostsFile": "/dev/null",
            "ConnectTimeout": str(_CONNECT_SECONDS),
            "ServerAliveInterval": str(_CONNECT_SECONDS),
            "ClearAllForwardings": "yes",
            "ForwardAgent": "no",
            "ForwardX11": "no",
            "ControlPath": "none",
            "LogLevel": "ERROR",
        }
        given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return (
            PROGRAM,
            *("-F", "none", "-T", "-i", str(self.key), "-p", str(self.port), "-l", user),
            *given,
            *("--", address, COMMAND),
        )


def shown_key(known: Path) -> str:
    """The fingerprint of the key that OpenSSH's client wrote down, as it shows it itself (``SHA256:…``); empty where
    it wrote none that can be read. Source: sshd(8), the format of known_hosts."""
    try:
        _hosts, _kind, key, *_ = known.read_text("ascii").split()
        digest = sha256(b64decode(key, validate=True)).digest()
    except (OSError, ValueError):
        return ""
    return f"SHA256:{b64encode(digest).decode('ascii').rstrip('=')}"


async def _bounded(stream: asyncio.StreamReader | None) -> str:
    """What a process writes, up to a bound."""
    held = b""
    while stream is not None and len(held) < _LONGEST and (more := await stream.read(_LONGEST - len(held))):
        held += more
    return held.decode("utf-8", errors="replace").strip()


def _read(status: int, out: str, said: str) -> Login:
    if status == _OF_SSH:
        words = clean_reason(said.splitlines()[-1] if said else "") or "ssh did not say why"
        if any(each in said.casefold() for each in _UNUSABLE):
            return NotReached("ssh could not use the file of the key; it must be its owner's alone to read")
        return (LoginRefused if any(each in said.casefold() for each in _REFUSED) else NotReached)(words)
    if status == _NO_SUCH_COMMAND:
        return LoggedIn(CloudInit.ABSENT)
    found = _STATUS.search(out)
    state = (
        _STATES.get(found[1].strip().casefold(), CloudInit.RUNNING)
        if found is not None
        else CloudInit.RUNNING
    )
    if state is CloudInit.DONE and status == _RECOVERABLE:
        state = CloudInit.DEGRADED
    return LoggedIn(state, clean_reason(" ".join(out.split())))
