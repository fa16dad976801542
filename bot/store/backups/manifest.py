"""What a backup says of itself. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath

from slipway.bot.core.errors import StateError

FORMAT = 1
"""Of backups: raised where an older Slipway could not put one back any more."""

MANIFEST = "backup.json"
"""The first file in a backup."""


@dataclass(frozen=True)
class BackedUpFile:
    """One file of the state folder: its size in bytes, and its SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup holds.

    Attributes:
        made_at: when, in UTC, as ISO 8601 has it.
        version: of the Slipway that made it.
        deployment: its name in the configuration.
        schema: the newest migration of its database; empty where there was none yet.
        entries: how long the audit trail is.
        head: its newest hash.
        files: by their paths in the state folder.
    """

    made_at: str
    version: str
    deployment: str
    schema: str
    entries: int
    head: str
    files: Mapping[str, BackedUpFile] = field(default_factory=dict)

    def text(self) -> str:
        """As it is written into the backup."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2)

    @classmethod
    def parse(cls, text: bytes) -> Manifest:
        """Read one.

        Raises:
            StateError: it is none, or of a newer format, or names a file outside of the folder.
        """
        try:
            held = json.loads(text)
            if held["format"] != FORMAT:
                raise StateError(
                    f"The backup has format {held['format']!r}, and this Slipway knows {FORMAT}: use the version "
                    "that made it."
                )
            files = {
                str(path): BackedUpFile(int(each["size"]), str(each["sha256"]))
                for path, each in held["files"].items()
            }
            texts = {name: str(held[name]) for name in ("made_at", "version", "deployment", "schema", "head")}
            made = cls(entries=int(held["entries"]), files=files, **texts)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StateError("This is no backup of Slipway's, or a damaged one.") from error
        for path in made.files:
            if not is_inside(path):
                raise StateError(f"The backup names the file {path}, which is in no state folder.")
        return made


def is_inside(path: str) -> bool:
    """Whether a path leads to a file of the folder, or of a folder in it."""
    parts = PurePosixPath(path).parts
    return bool(parts) and not PurePosixPath(path).is_absolute() and ".." not in parts
