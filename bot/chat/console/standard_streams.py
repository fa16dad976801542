"""Builds the console chat on this process's standard streams."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

from slipway.bot.chat.console.adapter import ConsoleChat
from slipway.bot.chat.console.board import Board
from slipway.bot.chat.console.inputs import Input
from slipway.bot.chat.console.modes import Mode, choose_mode
from slipway.bot.chat.console.opening import open_console
from slipway.bot.chat.console.settings import ConsoleSettings
from slipway.bot.core.times import Clock

SESSION_DIGITS = 8


@dataclass(frozen=True)
class ConsoleOptions:
    """How a console is opened."""

    settings: ConsoleSettings
    as_json: bool
    clock: Clock
    idle: Callable[[], Awaitable[None]]
    quiet: Callable[[], Awaitable[None]]
    source: Callable[[Board], Input] | None = None  # instead of standard input


def build_console(options: ConsoleOptions) -> tuple[ConsoleChat, Mode]:
    """A console chat, and the mode it writes in."""
    mode = choose_mode(sys.stdout, os.environ, json=options.as_json)
    console = open_console(sys.stdin, sys.stdout, mode, options.settings.speaker)
    board = Board(uuid4().hex[:SESSION_DIGITS], options.settings.room)
    chat = ConsoleChat(
        source=options.source(board) if options.source else console.source,
        screen=console.screen,
        renderer=console.renderer,
        board=board,
        speaker=options.settings.speaker,
        clock=options.clock,
        quiet=options.quiet,
        settled=options.idle,
    )
    return chat, mode
