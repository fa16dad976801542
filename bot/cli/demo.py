"""`slipway demo`: the bot in this terminal, on simulated clouds that hold images as Fedora's might be."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from slipway.bot import logs
from slipway.bot.app import App
from slipway.bot.chat.console.adapter import FINISHING, PATIENCE, ConsoleChat
from slipway.bot.chat.console.board import Board
from slipway.bot.chat.console.declaration import CHAT as CONSOLE_CHAT
from slipway.bot.chat.console.inputs import Input
from slipway.bot.chat.console.modes import Mode, choose_mode
from slipway.bot.chat.console.platform import CONSOLE, PICTURES
from slipway.bot.chat.console.screen import ERASE
from slipway.bot.chat.console.standard_streams import ConsoleOptions, build_console
from slipway.bot.chat.console.tour import Story, Tour
from slipway.bot.chat.declaration import ChatContext
from slipway.bot.chat.model import Card, CardOutcome, Chat
from slipway.bot.cli.demo_settings import demo_settings
from slipway.bot.cli.log_file import log_file
from slipway.bot.clouds.simulated.accounts import demo_accounts
from slipway.bot.clouds.simulated.applications import demo_applications
from slipway.bot.clouds.simulated.aws.process import SimulatorError
from slipway.bot.clouds.simulated.aws.seed import fedora_amis, fedora_machines
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import system_clock
from slipway.bot.declared import Declarations, declared
from slipway.bot.signals import stop_on_signals
from slipway.bot.store.database import DATABASE
from slipway.bot.wiring.parts import ChatBuilder

LOG = "demo.log"
"""In the state folder, where the demo keeps one: what went wrong inside Slipway."""

STORY_IMAGES = ".x86_64-43-"
"""The tour launches the newest AMI of this family."""

_SIGNING = timedelta(days=120)
"""For so long the demo's signing key counts still."""

STARTING = "Starting the simulated clouds…"
TRY = "!promote Fedora-Cloud-43-x64"


AGAIN = (
    "This goes on with what the bot remembers: `!history` tells of it. The simulated clouds are new, so machines and "
    "promotions of before are not in them."
)
"""What a start says that finds the memory of one before."""


def greeting(speaker: str, *told: str) -> Card:
    """What somebody reads first: three lines that do what they say for whoever speaks, and what else is to be told of
    this demo."""
    asking, agreeing = (
        ("@alice: ", "bob") if speaker == "carol" else ("", "bob" if speaker != "bob" else "alice")
    )
    return Card(
        title="Slipway on simulated clouds: nothing real is touched.",
        text=f"You are {speaker}{', who may only look' if speaker == 'carol' else ''}. Three things to try:",
        notes=(
            "`!images` shows what is there.",
            f"`{asking}{TRY}` plans a promotion; then `@{agreeing}: 1` presses Approve as {agreeing}.",
            "`!help` shows everything else. `exit` or Ctrl-D ends.",
            *filter(None, told),
        ),
    )


@dataclass(frozen=True)
class DemoOptions:
    """What was asked for on the command line."""

    speaker: str
    as_json: bool
    tour: bool
    state: Path | None


@dataclass
class Stopping:
    """Whether the demo is to end, and whether the bot is there that looks at this."""

    asked: asyncio.Event
    bot_looks: bool = False


async def run_demo(options: DemoOptions) -> frozenset[CardOutcome]:
    """Start the simulated clouds and the bot, and talk until the input ends; gives what became of what was asked for.

    Raises:
        ConfigError: nobody in the demo is called as the speaker.
        StateError: the state folder cannot be used.
    """
    stopping = Stopping(stop_on_signals())  # first: whatever is made from here on is taken away again
    running = asyncio.create_task(_run(options, stopping))
    asked = asyncio.create_task(stopping.asked.wait())
    try:
        await asyncio.wait({running, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done() and not stopping.bot_looks:
            running.cancel()
        with suppress(asyncio.CancelledError):
            return await running
        return frozenset()
    finally:
        asked.cancel()


async def _run(options: DemoOptions, stopping: Stopping) -> frozenset[CardOutcome]:
    async with AsyncExitStack() as stack:
        stack.enter_context(_errors_beside(options.state))
        again = options.state is not None and (options.state / DATABASE).exists()
        state = options.state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slipway-")))
        declarations = declared()
        with _saying_that_it_starts(options):
            now = system_clock()
            azure = SimulatedAzure(fedora_gallery(now))
            azure.graph.applications = demo_applications(now)
            azure_url = await azure.start()
            stack.push_async_callback(azure.stop)
            aws_url, lacking = await _simulated_aws(stack)
            accounts = demo_accounts()
            await accounts.start()
            stack.push_async_callback(accounts.stop)
            settings = demo_settings(
                state_dir=state.absolute(),
                aws_endpoint=aws_url,
                azure_endpoint=azure_url,
                key_addresses={"github": accounts.github_url, "gitlab": accounts.gitlab_url},
                spec=declarations.spec,
                speaker=options.speaker,
                machines_on_azure=True,
                families=True,
                signing_ends=now.date() + _SIGNING,
            )
        told = (lacking, AGAIN if again else "")
        return await _converse(settings, declarations, options, told, stopping)


@contextmanager
def _saying_that_it_starts(options: DemoOptions) -> Iterator[None]:
    """Whoever watches a terminal reads that it is coming; the line goes away again."""
    watched = choose_mode(sys.stdout, os.environ, json=options.as_json) is Mode.TERMINAL
    if watched:
        print(STARTING, end="", flush=True)  # noqa: T201
    try:
        yield
    finally:
        if watched:
            print(ERASE, end="", flush=True)  # noqa: T201


@contextmanager
def _errors_beside(state: Path | None) -> Iterator[None]:
    """Log errors; where somebody watches a terminal, into a file, for lines from elsewhere would break what
    stands there. Says at the end where the file is, if there is anything in it.

    Raises:
        StateError: the file cannot be written.
    """
    logs.configure("console", level=logging.ERROR)
    if not (sys.stdout.isatty() and sys.stderr.isatty()):
        yield
        return
    path = _log_file(state)
    before = path.stat().st_size
    try:
        with path.open("a", encoding="utf-8") as stream:
            logs.configure("console", level=logging.ERROR, stream=stream)
            try:
                yield
            finally:
                logs.configure("console", level=logging.ERROR)
    finally:
        size = path.stat().st_size
        if not size:
            path.unlink()
        if size > before:
            with suppress(OSError):  # the terminal may be gone
                print(f"Something went wrong inside Slipway. Its log is {path}", file=sys.stderr)  # noqa: T201


def _log_file(state: Path | None) -> Path:
    """In the state folder; outside a folder that goes away at the end."""
    if state is None:
        descriptor, name = tempfile.mkstemp(prefix="slipway-demo-", suffix=".log")
        os.close(descriptor)
        return Path(name)
    return log_file(state, LOG)


@contextmanager
def _pictures_folder(state: Path | None) -> Iterator[Path]:
    """In the state folder; else outside of the one that goes away at the end, for pictures are looked at after it.
    One that holds none goes away, too."""
    if state is not None:
        yield state.absolute() / PICTURES
        return
    folder = Path(tempfile.mkdtemp(prefix="slipway-demo-pictures-"))
    try:
        yield folder
    finally:
        with suppress(OSError):
            folder.rmdir()


async def _at_once(_seconds: float) -> None:
    """The pace of a tour that nobody watches."""


async def _simulated_aws(stack: AsyncExitStack) -> tuple[str | None, str]:
    """Where it listens, and what to tell people where it does not."""
    now = system_clock()
    aws = SimulatedAws(fedora_machines(now).model_copy(update={"amis": fedora_amis(now)}))
    try:
        url = await aws.start()
    except SimulatorError as error:
        return None, f"Machines are launched on Azure alone in this demo. {error}"
    stack.push_async_callback(aws.stop)
    return url, ""


async def _converse(
    settings: SlipwaySettings,
    declarations: Declarations,
    options: DemoOptions,
    told: tuple[str, ...],
    stopping: Stopping,
) -> frozenset[CardOutcome]:
    contexts: list[ChatContext[Any]] = []

    async def idle() -> None:
        await contexts[0].callbacks.idle()

    async def quiet() -> None:
        await contexts[0].callbacks.quiet()

    def tour(board: Board) -> Input:
        newest = max(
            each.name for each in fedora_machines(system_clock()).images if STORY_IMAGES in each.name
        )
        return Tour(board, asyncio.sleep if sys.stdout.isatty() else _at_once, Story(image=newest))

    console_settings = settings.table(CONSOLE_CHAT.table)
    console = ConsoleOptions(
        console_settings, options.as_json, system_clock, idle, quiet, tour if options.tour else None
    )
    chat, mode = build_console(console)

    def build(context: ChatContext[Any]) -> Chat:
        contexts.append(context)
        if options.state is not None:
            chat.remember_in(context.store)
        return chat

    if mode is not Mode.JSON and not options.tour:
        await chat.greet(greeting(options.speaker, *told))
    else:
        for sentence in filter(None, told):
            print(sentence, file=sys.stderr)  # noqa: T201
    with _pictures_folder(options.state) as pictures:
        chat.keep_pictures_in(pictures)
        app = App(settings, declarations, chats=(ChatBuilder(CONSOLE, build),))
        await _until_stopped(app, chat, idle, stopping)
    return frozenset(chat.outcomes)


async def _until_stopped(
    app: App, chat: ConsoleChat, idle: Callable[[], Awaitable[object]], stopping: Stopping
) -> None:
    stopping.bot_looks = True
    waiting = asyncio.create_task(say_what_it_waits_for(chat, stopping.asked, idle), name="end of the demo")
    try:
        await app.run(stopping.asked)
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def say_what_it_waits_for(
    chat: ConsoleChat, stop: asyncio.Event, idle: Callable[[], Awaitable[object]]
) -> None:
    """Say, where it is told to stop while work is under way, that this ends first."""
    await stop.wait()
    try:
        async with asyncio.timeout(PATIENCE):
            await idle()
    except TimeoutError:
        with suppress(ChatError):  # nobody reads it
            await chat.greet(FINISHING)
