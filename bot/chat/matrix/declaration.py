"""Matrix, declared. Loads no nio before an adapter is built."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from slipway.bot.chat.declaration import ChatContext, ChatDeclaration
from slipway.bot.chat.matrix.checks import account_problem, matrix_problems, room_problem
from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.model import Chat
from slipway.bot.core.errors import ChatError
from slipway.bot.core.probes import Finding
from slipway.bot.core.text import counted


def _build(context: ChatContext[MatrixSettings]) -> Chat:
    from slipway.bot.chat.matrix.account.account_store import AccountStore
    from slipway.bot.chat.matrix.chat import MatrixChat
    from slipway.bot.chat.matrix.memory import MatrixMemory

    return MatrixChat(
        context.settings,
        MatrixMemory(context.store),
        context.clock,
        is_known=context.callbacks.knows,
        answers=context.callbacks.answers,
        sleep=context.sleep,
        max_age=timedelta(seconds=context.callbacks.max_age),
        store=AccountStore.in_state_dir(Path(context.state_dir)),
    )


def _describe(settings: MatrixSettings) -> str:
    return f"matrix as {settings.user_id} on {settings.homeserver} in {counted(settings.rooms, 'room')}"


def _rooms(settings: MatrixSettings) -> tuple[str, ...]:
    # Behind an alias may stand any id, so a list with aliases proves nothing about an id.
    return settings.rooms if all(room.startswith("!") for room in settings.rooms) else ()


async def _probe(settings: MatrixSettings, state_dir: str) -> Finding:
    from slipway.bot.chat.matrix.account.account_store import AccountStore
    from slipway.bot.chat.matrix.account.status import StatusReporter

    try:
        report = await StatusReporter(settings, AccountStore.in_state_dir(Path(state_dir))).report()
    except ChatError as error:
        return Finding("matrix", "does not work", (str(error),), "`slipway matrix status`")
    commands = dict.fromkeys(f"`{problem.command}`" for problem in report.problems if problem.command)
    return Finding(
        "matrix",
        f"{settings.user_id} on {settings.homeserver}",
        tuple(problem.sentence for problem in report.problems),
        ", ".join(commands) or ("`slipway matrix status`" if report.problems else ""),
    )


CHAT = ChatDeclaration(
    platform=MATRIX,
    settings=MatrixSettings,
    build=_build,
    describe=_describe,
    check=matrix_problems,
    account_problem=account_problem,
    room_problem=room_problem,
    rooms=_rooms,
    probe=_probe,
    account_example="matrix:@alice:example.org",
    room_example="matrix:!abc:example.org",
)
