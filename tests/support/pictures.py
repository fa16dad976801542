"""A small picture, made without any library."""

from __future__ import annotations

import struct
import zlib

from slipway.bot.chat.pictures import Picture


def png(width: int = 3, height: int = 2) -> bytes:
    """A grey PNG of this size (RFC 2083)."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress((b"\0" + b"\x80" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


PICTURE = Picture.of(
    png(), "x64-20261120.png", "Timeline of x64: 2 versions. Latest: 43.1.0 in 2 of 2 regions."
)
