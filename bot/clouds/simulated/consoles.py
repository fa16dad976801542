"""What a simulated machine writes to its console, whichever cloud it is in."""

from __future__ import annotations

import base64
from hashlib import sha256

_TAG = "<14>Nov 20 12:00:09 cloud-init: "  # cloud-init's script says it by logger(1), which copies it to the console

_KINDS = ((256, "ECDSA"), (256, "ED25519"), (3072, "RSA"))


def host_key(machine: str, kind: str) -> str:
    """The fingerprint of a machine's own key of this kind: the same for the same machine."""
    digest = sha256(f"{machine} {kind}".encode()).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def console_text(machine: str) -> str:
    """What a machine of Fedora writes there until people may log in, with the block of its host keys' fingerprints.

    Source of the block: cloud-init's tools/write-ssh-key-fingerprints, which runs ``ssh-keygen -l`` on each key.
    """
    keys = (f"{_TAG}{bits} {host_key(machine, kind)} root@{machine} ({kind})" for bits, kind in _KINDS)
    lines = (
        "[    0.000000] Linux version 6.17.7-300.fc43.x86_64",
        f"{_TAG}#############################################################",
        f"{_TAG}-----BEGIN SSH HOST KEY FINGERPRINTS-----",
        *keys,
        f"{_TAG}-----END SSH HOST KEY FINGERPRINTS-----",
        f"{_TAG}#############################################################",
        "Cloud-init v. 24.2 finished at Fri, 20 Nov 2026 12:00:09 +0000. Up 21.07 seconds",
        "Fedora Linux 43 (Cloud Edition)",
        f"{machine} login: ",
    )
    return "\r\n".join(lines)
