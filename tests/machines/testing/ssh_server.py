"""An SSH server, as a process of its own: ``python -m tests.machines.testing.ssh_server KEY STATUS OUTPUT``.

It takes the public key KEY alone, of the user ``fedora``, answers ``cloud-init status --long`` with OUTPUT and the
exit status STATUS, and every other command with 1. It prints its port, and ends when nobody holds its standard input
any more.
"""

from __future__ import annotations

import asyncio
import sys

import asyncssh

COMMAND = "cloud-init status --long"


class _Server(asyncssh.SSHServer):
    def __init__(self, key: asyncssh.SSHKey) -> None:
        self._key = key

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == "fedora" and key.public_data == self._key.public_data


async def _serve(key: str, status: int, output: str) -> None:
    def answer(process: asyncssh.SSHServerProcess[str]) -> None:
        right = process.command == COMMAND
        process.stdout.write(output if right else f"{process.command}?")
        process.exit(status if right else 1)

    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=lambda: _Server(asyncssh.import_public_key(key)),
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        process_factory=answer,
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
