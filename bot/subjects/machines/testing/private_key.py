"""The key by which the bot logs in to machines that it tests."""

from __future__ import annotations

import os
from pathlib import Path

from slipway.bot.core.errors import UserError
from slipway.bot.subjects.machines.keys.public_key import KeyRefusedError, PublicKey, read_key


def read_private_key(path: Path) -> PublicKey:
    """The public key to a private one in a file, which ``ssh`` can use without being asked anything.

    Raises:
        UserError: there is none, or it cannot be used, and who can change that.
    """
    # Loaded where a key is read: not for `slipway check`.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

    try:
        held = path.stat()
        if held.st_uid == os.getuid() and held.st_mode & 0o077:  # which ssh refuses to use
            raise UserError(
                "The file of testing.ssh_key can be read by others, so that ssh does not use it; whoever runs "
                "Slipway can change that by `chmod 600`."
            )
        key = load_ssh_private_key(path.read_bytes(), password=None)
        line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        return read_key(line.decode("ascii"))
    except OSError as error:
        why = error.strerror or "it cannot be read"
    except (ValueError, TypeError, UnsupportedAlgorithm):
        why = "it is no private key of OpenSSH's without a passphrase"
    except KeyRefusedError as error:
        why = f"it {error}"
    raise UserError(f"The key in testing.ssh_key cannot be used: {why}; whoever runs Slipway can correct it.")
