"""`slipway totp`: what a person's authenticator app and Slipway share."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.bot.cli.common import config_option, fail

if TYPE_CHECKING:
    from pydantic import SecretStr

    from slipway.bot.config.document import Document

FAR = 20
"""How many time steps away a code is still known, to tell a wrong clock from a wrong code: ten minutes."""


@click.group()
def totp() -> None:
    """Codes of authenticator apps, for approvals that take one."""


@totp.command()
@click.argument("person")
@config_option
@click.option(
    "--file",
    "named",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the secret is written. Default: what slipway.toml names, or PERSON.totp beside it.",
)
@click.option(
    "--replace", is_flag=True, help="Write over a file that is there: the former secret is gone then."
)
def new(person: str, path: Path, named: Path | None, replace: bool) -> None:
    """Make a secret for a person: write it to a file of its own, and show it for their app to scan.

    Whoever sees the picture, the address below it, or the file can make the person's codes. Nothing is sent anywhere,
    and the bot takes the secret in at its next start.
    """
    from slipway.bot.core.totp import address, new_secret

    document, entry = _person(path, person)
    written = entry.get("totp_secret_file")
    place = named or document.folder / (written if isinstance(written, str) else f"{person}.totp")
    secret = new_secret()
    _write(place, secret, replace=replace)
    issuer = document.content.get("name", "slipway")
    shown = address(secret, person, str(issuer)).get_secret_value()
    click.echo("Scan this with an authenticator app, or paste the address below it into one:\n")
    click.echo(_picture(shown))
    click.echo(f"{shown}\n")
    click.echo(
        f"The secret stands in {place}, which its owner alone may read. Clear the screen once the app has it."
    )
    if named is not None or not isinstance(written, str):
        click.echo(
            f'In slipway.toml, under the [[person]] "{person}":  totp_secret_file = "{_relative(place, document)}"'
        )
    click.echo(f"Then `slipway totp test {person}`, and start the bot anew.")


@totp.command()
@click.argument("person")
@config_option
def test(person: str, path: Path) -> None:
    """See whether a code of the person's app is right, and whether clocks agree. It is not used up by this.

    The code is asked for, or read from the input's first line.
    """
    from slipway.bot.core.secret_files import read_secret
    from slipway.bot.core.times import format_duration, system_clock
    from slipway.bot.core.totp import PERIOD, code_in, matching_step, step_at

    document, entry = _person(path, person)
    written = entry.get("totp_secret_file")
    if not isinstance(written, str):
        fail(f'The [[person]] "{person}" has no totp_secret_file. Make one: slipway totp new {person}')
    try:
        secret = _checked(read_secret(document.folder / written))
    except ValueError as error:
        fail(f"person.{person}.totp_secret_file: {error}")
    said = click.prompt("Code", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    code = code_in(said)
    if code is None:
        fail("That is no code: an app shows six digits.")
    now = system_clock()
    step = matching_step(secret, code, now, FAR)
    if step is None:
        fail("That is not the code of this secret. Does the app have another one, made before?")
    away = step - step_at(now)
    window = _window(document)
    if abs(away) <= window:
        click.echo("Right.")
        return
    side = "ahead of" if away > 0 else "behind"
    fail(
        f"Right by another clock: the app's is {format_duration(PERIOD * abs(away))} {side} this machine's, and "
        f"{format_duration(PERIOD * window)} count. Set the clocks."
    )


def _person(path: Path, person: str) -> tuple[Document, Mapping[str, object]]:
    """The file, and a person's entry in it: what else may be wrong in the file is no matter here."""
    from slipway.bot.cli.common import in_plain_words
    from slipway.bot.config.document import read_document
    from slipway.bot.core.problems import did_you_mean, listing

    document = in_plain_words(lambda: read_document(path))
    entries = document.content.get("person")
    persons = {
        str(entry["id"]): entry
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and "id" in entry
    }
    if person not in persons:
        near = did_you_mean(person, persons)
        fail(f'There is no [[person]] "{person}" in {path}{near or "."} Persons there: {listing(persons)}')
    return document, persons[person]


def _checked(text: str) -> SecretStr:
    """A secret as the configuration takes it.

    Raises:
        ValueError: it is none.
    """
    from pydantic import SecretStr

    from slipway.bot.core.totp import check_secret

    check_secret(text)
    return SecretStr(text)


def _window(document: Document) -> int:
    settings = document.content.get("step_up")
    window = settings.get("window") if isinstance(settings, dict) else None
    return window if isinstance(window, int) else 1


def _write(place: Path, secret: SecretStr, *, replace: bool) -> None:
    """Write a secret so that nobody but the file's owner can read it at any moment, and it is there or not."""
    beside = place.with_name(f".{place.name}.new")
    try:
        if place.exists() and not replace:
            fail(
                f"{place} is there already. --replace writes over it: an app that has its secret is of no use then."
            )
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside.unlink(missing_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{secret.get_secret_value()}\n")
            file.flush()
            os.fsync(handle)
        beside.replace(place)
    except OSError as error:
        fail(f"{place} cannot be written: {error.strerror}.")


def _picture(text: str) -> str:
    """A QR code in half blocks; a sentence where this terminal cannot show such."""
    import segno

    drawn = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(drawn, compact=True)
    try:
        drawn.getvalue().encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "(This terminal cannot show a QR code.)\n"
    return drawn.getvalue()


def _relative(place: Path, document: Document) -> Path:
    absolute = place.absolute()
    return absolute.relative_to(document.folder) if absolute.is_relative_to(document.folder) else absolute
