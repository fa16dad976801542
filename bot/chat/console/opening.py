"""Puts a console together from a program's standard streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TextIO

from slipway.bot.chat.console.inputs import EditedLines, Input, PipedLines
from slipway.bot.chat.console.modes import Mode
from slipway.bot.chat.console.rendering import JsonRenderer, PlainRenderer, Renderer
from slipway.bot.chat.console.screen import BREAK, ERASE, Screen
from slipway.bot.chat.console.terminal import TerminalRenderer, terminal_console


@dataclass(frozen=True, slots=True)
class Console:
    """What a :class:`slipway.bot.chat.console.adapter.ConsoleChat` needs of the streams."""

    source: Input
    screen: Screen
    renderer: Renderer


def open_console(stdin: TextIO, stdout: TextIO, mode: Mode, speaker: str) -> Console:
    """Read from ``stdin`` and write to ``stdout`` in a mode.

    Somebody typing gets a prompt if the output is shown to them too, with line editing where the terminal
    can redraw a line. Everything else is a script.
    """
    typed = stdin.isatty()
    screen = Screen(stdout, erase=ERASE if mode is Mode.TERMINAL else BREAK)
    if mode is Mode.TERMINAL:
        look = TerminalRenderer(terminal_console(stdout))
        if not typed:
            return Console(PipedLines(stdin.fileno()), screen, look)
        editing = EditedLines(
            stdin.fileno(),
            screen=screen,
            prompt=look.prompt(speaker),
            plain_prompt=f"{speaker}> ",
            columns=lambda: look.columns,
        )
        return Console(editing, screen, look)
    prompt = f"{speaker}> " if typed and stdout.isatty() and mode is Mode.PLAIN else ""
    source = PipedLines(stdin.fileno(), live=typed, screen=screen, prompt=prompt)
    return Console(source, screen, _stream_renderer(mode))


def _stream_renderer(mode: Mode) -> Renderer:
    return JsonRenderer() if mode is Mode.JSON else PlainRenderer()
