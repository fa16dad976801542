"""Matrix, declared. Loads no nio before an adapter is built."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from slipway.bot.chat.clocks import clock_problem
from slipway.bot.chat.declaration import ChatContext, ChatDeclaration, TokenFacts
from slipway.bot.chat.matrix.checks import account_problem, matrix_problems, room_problem
from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.model import Chat
from slipway.bot.core.errors import ChatError
from slipway.bot.core.probes import Finding, reach
from slipway.bot.core.problems import Problem
from slipway.bot.core.text import counted


def _build(context: ChatContext[MatrixSettings]) -> Chat:
    from slipway.bot.chat.matrix.account.account_store import AccountStore
    from slipway.bot.chat.matrix.chat import MatrixChat
    from slipway.bot.chat.matrix.memory import MatrixMemory

    return MatrixChat(
        context.settings.of_replica(context.replica) if context.replica else context.settings,
        MatrixMemory(context.store, context.own_store),
        context.clock,
        is_known=context.callbacks.knows,
        answers=context.callbacks.answers,
        room_changed=context.callbacks.room_changed,
        sleep=context.sleep,
        max_age=timedelta(seconds=context.callbacks.max_age),
        store=AccountStore.in_state_dir(Path(context.state_dir)),
        works=context.callbacks.works,
        heard_elsewhere=context.callbacks.heard_elsewhere,
        fence=context.fence,
        replicated=bool(context.replica),
    )


def _describe(settings: MatrixSettings) -> str:
    return f"matrix as {settings.user_id} on {settings.homeserver} in {counted(settings.rooms, 'room')}"


def _rooms(settings: MatrixSettings) -> tuple[str, ...]:
    # Behind an alias may stand any id, so a list with aliases proves nothing about an id.
    return settings.rooms if all(room.startswith("!") for room in settings.rooms) else ()


def _warnings(settings: MatrixSettings, state_dir: Path) -> Iterator[Problem]:
    from slipway.bot.chat.matrix.account.account_store import AccountStore

    if not settings.rooms:
        yield Problem(
            "rooms", "names no room, so the bot works in direct chats alone; add the ids of its rooms"
        )
    if settings.password is not None:
        word = settings.password.get_secret_value()
        if word != word.strip(" "):
            yield Problem("password", "begins or ends with a space; if it should not, take that away")
    if settings.password is not None or settings.access_token is not None:
        return
    try:
        kept = AccountStore.in_state_dir(state_dir).load_login(settings.homeserver, settings.user_id)
    except ChatError as error:
        yield Problem("", str(error))
        return
    if kept is None:
        yield Problem(
            "",
            f"there is no way to log in: no password, no access token, and no login of {settings.user_id} is kept "
            f"in {state_dir}; `slipway matrix login` asks for the password once",
        )


async def _probe(settings: MatrixSettings, state_dir: str) -> Finding:
    from slipway.bot.chat.matrix.account.account_store import AccountStore
    from slipway.bot.chat.matrix.account.status import StatusReporter
    from slipway.bot.chat.matrix.transport.server_clock import clock_ahead

    store = AccountStore.in_state_dir(Path(state_dir))
    try:
        kept = store.load_login(settings.homeserver, settings.user_id)
        report = await StatusReporter(settings, store).report()
    except ChatError as error:
        step = reach(settings.homeserver) if error.passing else "`slipway matrix status`"
        return Finding("matrix", "does not work", (str(error),), step)
    wrong_clock = clock_problem(MATRIX, await clock_ahead(settings))
    otherwise = "`slipway matrix status`" if report.problems else ""
    commands = dict.fromkeys(f"`{problem.command}`" for problem in report.problems if problem.command)
    return Finding(
        "matrix",
        f"{settings.user_id} on {settings.homeserver}",
        (*(problem.sentence for problem in report.problems), *([wrong_clock] if wrong_clock else [])),
        ", ".join(commands) or otherwise or ("set the clock; then `slipway doctor`" if wrong_clock else ""),
        f"the login that is kept in {store.path}" if kept is not None and not settings.access_token else "",
    )


async def _token(settings: MatrixSettings, state_dir: str) -> TokenFacts:
    from slipway.bot.chat.matrix.account.account_store import AccountStore
    from slipway.bot.chat.matrix.account.token import token_facts

    return await token_facts(settings, AccountStore.in_state_dir(Path(state_dir)))


async def _members(settings: MatrixSettings, state_dir: str) -> frozenset[str] | None:
    from slipway.bot.chat.matrix.account.account_store import AccountStore
    from slipway.bot.chat.matrix.account.room_members import members_of_rooms

    return await members_of_rooms(settings, AccountStore.in_state_dir(Path(state_dir)))


def _kept_secrets(state_dir: str) -> tuple[str, ...]:
    from slipway.bot.chat.matrix.account.account_store import AccountStore

    return AccountStore.in_state_dir(Path(state_dir)).secrets


CHAT = ChatDeclaration(
    platform=MATRIX,
    settings=MatrixSettings,
    build=_build,
    describe=_describe,
    check=matrix_problems,
    warnings=_warnings,
    account_problem=account_problem,
    room_problem=room_problem,
    rooms=_rooms,
    notice_rooms=lambda settings: settings.rooms,
    probe=_probe,
    token=_token,
    members=_members,
    kept_secrets=_kept_secrets,
    rooms_key="rooms",
    account_example="matrix:@alice:example.org",
    room_example="matrix:!abc:example.org",
)
