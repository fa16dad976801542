"""How slipway.toml says where a secret goes: ``file:/etc/uploader/secret``, ``command+json:/usr/bin/push web``."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class SinkKind(StrEnum):
    """What a secret is put into."""

    FILE = "file"
    COMMAND = "command"


class Form(StrEnum):
    """How what is delivered is written."""

    SECRET = "secret"  # noqa: S105 - the secret alone, without a line break
    JSON = "json"  # an object with id, secret, key_id and ends_at
    AWS = "aws"  # a file of credentials as AWS's tools read it, with the profile default


_WRITTEN = re.compile(rf"({'|'.join(SinkKind)})(?:\+({'|'.join(Form)}))?:(\S.*)", re.ASCII)


@dataclass(frozen=True)
class SinkAddress:
    """One place for a secret.

    Attributes:
        kind: what sort of place it is.
        place: where: a path, a command line.
        form: how the secret is written; None for what suits it.
    """

    kind: SinkKind
    place: str
    form: Form | None = None

    @classmethod
    def parse(cls, text: str) -> SinkAddress:
        """Read one.

        Raises:
            ValueError: it is none; a sentence that completes “… is no place for a secret: ”.
        """
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise ValueError(
                "write it like file:/etc/uploader/secret, or command:/usr/local/bin/push uploader"
            )
        address = cls(SinkKind(found[1]), found[3], Form(found[2]) if found[2] else None)
        if address.kind is SinkKind.FILE and not address.path.is_absolute():
            raise ValueError("a file is named from the root on, like file:/etc/uploader/secret")
        if address.kind is SinkKind.COMMAND and not Path(address.words[0]).is_absolute():
            raise ValueError("a command is named from the root on, like command:/usr/local/bin/push uploader")
        return address

    @property
    def can_undo(self) -> bool:
        """Whether what was there before can be put back."""
        return self.kind is not SinkKind.COMMAND

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.place)

    @property
    def words(self) -> tuple[str, ...]:
        """The command and its arguments. No shell reads them.

        Raises:
            ValueError: a quotation mark has no other.
        """
        return tuple(shlex.split(self.place))

    @property
    def title(self) -> str:
        """What people call it, in rooms where no whole path belongs: ``the file secret``."""
        named = self.path if self.kind is SinkKind.FILE else Path(self.words[0])
        return f"the {self.kind} {named.name}"
