"""Draws docs/session.svg: what a real `slipway demo` shows in a terminal. Run it with: python docs/picture.py"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from xml.sax.saxutils import escape

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import DIMMED_MONOKAI as THEME
from rich.text import Text

COLUMNS, ROWS = 92, 50
SAID = ("!promote Fedora-Cloud-42-x64", "@bob: 1")
PICTURE = Path(__file__).parent / "session.svg"

SIZE, CELL, LINE, MARGIN = 14, 8.43, 16, 14  # pixels; a cell is as large as most fonts of that size have it
STRETCH = re.compile(r"\S+(?: \S+)*")


def session() -> str:
    """What the terminal got, colours included. The lines come from a pipe, so that they are shown as said."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    for name in ("NO_COLOR", "COLUMNS", "LINES"):
        environ.pop(name, None)
    command = [sys.executable, "-m", "slipway", "demo"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=slave, env=environ) as process:  # noqa: S603
        os.close(slave)
        if process.stdin is not None:
            process.stdin.write("\n".join(SAID).encode())
            process.stdin.close()
        shown = bytearray()
        try:
            while chunk := os.read(master, 65536):
                shown += chunk
        except OSError:  # how Linux says that the other end of a terminal was closed
            pass
    os.close(master)
    return shown.decode().replace("\r\n", "\n")


def drawn(text: Text) -> str:
    """The text as SVG: every stretch of it stands where its column is, whatever the reader's font."""
    console = Console(width=COLUMNS, color_system="truecolor", file=io.StringIO(), legacy_windows=False)
    lines = console.render_lines(text, pad=False)
    shapes = []
    for row, line in enumerate(lines):
        column = 0
        for segment in line:
            style = segment.style or Style.null()
            shapes += [
                _stretch(match.group(), column + cell_len(segment.text[: match.start()]), row, style)
                for match in STRETCH.finditer(segment.text)
            ]
            column += segment.cell_length
    width, height = COLUMNS * CELL + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{SIZE}">\n'
        "<title>A session of slipway demo</title>\n"
        f'<rect width="100%" height="100%" rx="8" fill="{THEME.background_color.hex}"/>\n'
        + "\n".join(shapes)
        + "\n</svg>\n"
    )


def _stretch(text: str, column: int, row: int, style: Style) -> str:
    colour = style.color.get_truecolor(THEME) if style.color else THEME.foreground_color
    weight = ' font-weight="bold"' if style.bold else ""
    faint = ' opacity="0.6"' if style.dim else ""
    x, y = MARGIN + column * CELL, MARGIN + (row + 0.8) * LINE
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" textLength="{cell_len(text) * CELL:.1f}" '
        f'fill="{colour.hex}"{weight}{faint}>{escape(text)}</text>'
    )


if __name__ == "__main__":
    PICTURE.write_text(drawn(Text.from_ansi(session())), encoding="utf-8")
