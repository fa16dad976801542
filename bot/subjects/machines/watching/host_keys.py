"""The fingerprints of a machine's own SSH keys, as cloud-init writes them to its console. Pure.

What stands on a console comes from the machine, and so may be anything: nothing of it is taken but fingerprints.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BEGIN = "-----BEGIN SSH HOST KEY FINGERPRINTS-----"
_END = "-----END SSH HOST KEY FINGERPRINTS-----"
"""Source: cloud-init, tools/write-ssh-key-fingerprints."""

_KEY = re.compile(r"\b\d{3,5} (SHA256:[A-Za-z0-9+/]{43}) [^\n]*\(([A-Z][A-Z0-9-]{2,19})\)\s*$", re.ASCII)
_MOST = 6
_USUAL = "ED25519"  # what OpenSSH's client asks for first and so shows


@dataclass(frozen=True)
class HostKey:
    """A machine's own key: its kind, such as ``ED25519``, and its fingerprint, ``SHA256:…``."""

    kind: str
    fingerprint: str


def host_keys(console: str) -> tuple[HostKey, ...]:
    """Those of the last whole block, that which OpenSSH's client shows first; none where there is no such block."""
    before, ended, _ = console.rpartition(_END)
    _, begun, block = before.rpartition(_BEGIN)
    if not ended or not begun:
        return ()
    lines = (_KEY.search(line) for line in block.splitlines())
    found = dict.fromkeys(HostKey(line[2], line[1]) for line in lines if line is not None)
    return tuple(sorted(found, key=lambda key: key.kind != _USUAL))[:_MOST]
