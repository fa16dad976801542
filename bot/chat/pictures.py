"""Pictures that belong to a card, free of any platform."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from typing import Final

from pydantic import Field, field_validator

from slipway.bot.core.model import Model

MOST_BYTES: Final = 1_000_000
"""Of a picture: it is stored with its card until the card's platform has taken it."""

MOST_PICTURES: Final = 4
"""Of one card."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(
    ">8sI4sII"
)  # signature, then the chunk IHDR: its length, its name, width, height (RFC 2083)


class Picture(Model):
    """A PNG, and what it shows in words.

    A platform shows it beside its card, once, to whoever is shown the card; one that cannot shows the card alone. So
    the card says in words all that the picture shows. ``name`` is a file's name; ``alternative`` is for whoever
    cannot see it, in a sentence or two; ``data`` is the file in Base64.
    """

    name: str = Field(pattern=r"^[\w.-]+\.png$", max_length=120)
    alternative: str = Field(min_length=1, max_length=1000)
    data: str = Field(repr=False)

    @field_validator("data")
    @classmethod
    def _is_png(cls, data: str) -> str:
        try:
            found = base64.b64decode(data, validate=True)
        except binascii.Error:
            raise ValueError("a picture is kept in Base64") from None
        if len(found) > MOST_BYTES:
            raise ValueError(f"a picture has at most {MOST_BYTES:,} bytes")
        if len(found) < _HEADER.size:
            raise ValueError("a picture is a PNG")
        signature, _length, chunk, _width, _height = _HEADER.unpack_from(found)
        if (signature, chunk) != (_SIGNATURE, b"IHDR"):
            raise ValueError("a picture is a PNG")
        return data

    @classmethod
    def of(cls, png: bytes, name: str, alternative: str) -> Picture:
        """A picture of a file's bytes.

        Raises:
            ValueError: these are no PNG, or it is too large.
        """
        return cls(name=name, alternative=alternative, data=base64.b64encode(png).decode())

    @property
    def png(self) -> bytes:
        """The file."""
        return base64.b64decode(self.data)

    @property
    def size(self) -> tuple[int, int]:
        """Its width and height, in pixels."""
        *_, width, height = _HEADER.unpack_from(self.png)
        return width, height

    @property
    def token(self) -> str:
        """Stands for what it shows: 16 hexadecimal digits."""
        return hashlib.sha256(self.data.encode()).hexdigest()[:16]
