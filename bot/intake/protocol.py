"""What `slipway say` and the running bot tell each other over the socket: JSON, an object a line.

The program sends ``{"line": …, "as": person or null, "wait": bool}``. The bot answers with cards, each
``{"card": …, "end": bool}`` (what comes after the last one is the end of the connection), or with
``{"refused": sentence}``. A card about an operation comes with ``"room": address or null``: where it is shown. Who
hangs up before the end is told no more; what was asked for goes on.
"""

from __future__ import annotations

SOCKET = "say.sock"
"""In the state folder, which is its user's alone."""

LONGEST = 64 * 1024
"""Bytes that a request may have."""
