"""The console, declared: a chat on standard input and output, for trying a configuration."""

from __future__ import annotations

import sys
from pathlib import Path

from slipway.bot.chat.console.platform import CONSOLE, PICTURES
from slipway.bot.chat.console.settings import ConsoleSettings
from slipway.bot.chat.declaration import ChatContext, ChatDeclaration
from slipway.bot.chat.model import Chat


def _build(context: ChatContext[ConsoleSettings]) -> Chat:
    """As `slipway run` opens it: JSON lines unless somebody sits at a terminal."""
    from slipway.bot.chat.console.standard_streams import ConsoleOptions, build_console

    as_json = not sys.stdout.isatty()
    callbacks = context.callbacks
    options = ConsoleOptions(context.settings, as_json, context.clock, callbacks.idle, callbacks.quiet)
    chat, _ = build_console(options)
    chat.remember_in(context.store)
    chat.keep_pictures_in(Path(context.state_dir) / PICTURES)
    return chat


CHAT = ChatDeclaration(
    platform=CONSOLE,
    settings=ConsoleSettings,
    build=_build,
    describe=lambda settings: f"console as {settings.speaker}",
    account_problem=lambda _account: None,
    room_problem=lambda _room: None,
    switch="enabled",
    named_accounts=lambda settings: {"speaker": settings.speaker},
    rooms=lambda settings: (settings.room,),
    notice_rooms=lambda settings: (settings.room,),
    auxiliary=True,
    room_example="console:console",
)
