"""What `slipway matrix …` says."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.bot.chat.matrix.account.account_store import AccountStore
from slipway.bot.chat.matrix.account.login_command import log_in
from slipway.bot.chat.matrix.account.status import AccountProblem, StatusReporter
from slipway.bot.chat.matrix.declaration import CHAT
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.matrix.transport.authentication import Credentials
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import ConfigError
from slipway.bot.store.database import StateLock
from slipway.bot.store.settings import DATABASE_TABLE
from slipway.bot.store.state_files import executor_id


@dataclass(frozen=True)
class LoginOptions:
    """How to log in.

    Attributes:
        secret: a password, or a one-time token.
        by_token: whether it is a token.
        new_device: make a new device in any case.
        new_identity: replace an identity that is not the bot's.
    """

    secret: str
    by_token: bool = False
    new_device: bool = False
    new_identity: bool = False

    def __repr__(self) -> str:
        return "LoginOptions(…)"


def matrix_of(settings: SlipwaySettings) -> MatrixSettings:
    """The account that is configured.

    Raises:
        ConfigError: there is none.
    """
    matrix = settings.optional(CHAT.table)
    if matrix is not None and settings.optional(DATABASE_TABLE) is not None:
        settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        matrix = matrix.of_replica(executor_id(settings.state_dir))
    if matrix is None:
        raise ConfigError(("matrix: there is no such table; add it, as slipway.example.toml shows",))
    return matrix


def check_login(settings: SlipwaySettings) -> None:
    """Look whether a login would be used at all, before anybody types a password.

    Raises:
        ConfigError: a configured token would win over it.
        StateError: the bot runs, or the state folder cannot be used.
    """
    if matrix_of(settings).access_token is not None:
        source = settings.secret_sources.get("matrix.access_token", "the configuration")
        raise ConfigError((f"matrix.access_token: it would win over a login; take it out of {source} first",))
    with StateLock(settings.state_dir):
        pass


async def status_lines(settings: SlipwaySettings) -> tuple[list[str], bool]:
    """How the account stands, a line a thing, and whether all is well.

    Raises:
        ChatError: the homeserver cannot be reached.
    """
    report = await StatusReporter(matrix_of(settings), AccountStore.in_state_dir(settings.state_dir)).report()
    width = max(len(label) for label, _ in report.lines)
    lines = [f"{label:<{width}}  {value}" for label, value in report.lines]
    if not report.problems:
        return [*lines, "All is well."], True
    return [*lines, *(_problem_line(problem) for problem in report.problems)], False


async def login_lines(settings: SlipwaySettings, options: LoginOptions) -> list[str]:
    """Log in, and say what came of it.

    Raises:
        ChatError: it did not work.
        StateError: the bot runs, or the state folder cannot be used.
    """
    store = AccountStore.in_state_dir(settings.state_dir)
    credentials = (
        Credentials(token=options.secret) if options.by_token else Credentials(password=options.secret)
    )
    with StateLock(settings.state_dir):
        login = await log_in(
            matrix_of(settings),
            store,
            credentials,
            new_device=options.new_device,
            new_identity=options.new_identity,
        )
    lines = [
        f"Logged in as {login.user_id}, device {login.device_id}.",
        f"The login is kept in {store.path}; the password is not. Next: `slipway run`",
    ]
    if login.lost_devices:
        lines.append(
            f"Devices that are not used any more: {', '.join(login.lost_devices)}. Sign them out in any "
            "Matrix client (in Element: Settings, Sessions)."
        )
    return lines


def _problem_line(problem: AccountProblem) -> str:
    return f"✘ {problem.sentence}" + (f" Next: `{problem.command}`" if problem.command else "")
