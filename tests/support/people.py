"""Who takes part in tests, by name and role."""

from __future__ import annotations

ROLE = "releng"
"""The role that may change images, in the demo's configuration too."""

RELENG = ("alice", "bob")
"""The people who hold it."""

READER = "carol"
PEOPLE = (*RELENG, READER)

STRANGER = "mallory"
"""In the room, and in no configuration."""
