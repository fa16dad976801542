"""`slipway support-bundle`: what somebody else needs to know of an installation in order to help."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.bot.cli.common import config_option, fail, load_settings

if TYPE_CHECKING:
    from slipway.bot.config.settings import SlipwaySettings
    from slipway.bot.declared import Declarations


@click.command(short_help="Collect what somebody needs in order to help, without a secret.")
@config_option
@click.argument("target", type=click.Path(path_type=Path), default=Path())
@click.option("--without-doctor", is_flag=True, help="Do not try the connections, which may take a minute.")
@click.option(
    "--log",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A log file to add the end of.",
)
def support_bundle(path: Path, target: Path, without_doctor: bool, log: Path | None) -> None:
    """Write versions, configuration, doctor's findings, health, schema and counts into one file.

    TARGET is the file, or a folder in which it gets a name with the time; without it, this folder. Nothing that is
    there is replaced.

    No secret is in it, and nothing of what people said: no operation, message or audit entry. The configuration
    names people, rooms and accounts; look through it before you give it away.
    """
    from slipway.bot.core.times import system_clock

    settings, declarations = load_settings(path)
    name = f"slipway-support-{system_clock():%Y-%m-%dT%H%M%SZ}.tar.gz"
    file = target / name if target.is_dir() else target
    if file.exists():
        fail(f"{file} is there already; name another file.")
    parts = _collected(settings, declarations, log, doctor=not without_doctor)
    try:
        _write(file, parts)
    except OSError as error:
        fail(
            f"{file} cannot be written: {error.strerror}. Name a folder that this user may write, like /tmp."
        )
    click.echo(f"{file} holds {', '.join(parts)}. Look through it before you give it away.")


def _collected(
    settings: SlipwaySettings, declarations: Declarations, log: Path | None, *, doctor: bool
) -> dict[str, bytes]:
    from slipway.bot.cli.log_file import RUN_LOG
    from slipway.bot.cli.operating import bundle_parts
    from slipway.bot.core.times import system_clock
    from slipway.bot.health.report import report

    folder, now = settings.state_dir, system_clock()
    found = report(folder, now)
    health = {"problem": found.problem, "warnings": found.warnings, "clouds": found.clouds, "at": str(now)}
    parts = {
        "versions.json": _json(bundle_parts.versions()),
        "configuration.json": bundle_parts.configuration(settings),
        "health.json": _json(health),
        "databases.json": _json(_or_why_not(lambda: bundle_parts.database_facts(folder))),
        "files.json": _json(_or_why_not(lambda: bundle_parts.files_of(folder) if folder.is_dir() else [])),
    }
    if doctor:
        parts["doctor.json"] = _json(_or_why_not(lambda: _doctor(settings, declarations)))
    for each in (log, folder / RUN_LOG):
        if each is not None and each.is_file():
            parts[f"logs/{each.name}"] = bundle_parts.tail(each)
    kept = {each for chat in declarations.chats for each in chat.kept_secrets(str(folder))}
    return bundle_parts.packed(parts, bundle_parts.secrets_of(settings, os.environ) | kept)


def _or_why_not(collect: Callable[[], object]) -> object:
    """A part; or, where it cannot be had, that: what is broken must not keep the rest from whoever is to help."""
    try:
        return collect()
    except Exception as error:  # noqa: BLE001 - a boundary: whatever it is, it stands in the bundle
        return {"failed": f"{type(error).__name__}: {error}"}


def _doctor(settings: SlipwaySettings, declarations: Declarations) -> dict[str, Any]:
    import asyncio
    import logging

    from slipway.bot import logs
    from slipway.bot.cli.doctor import examine, local_looks
    from slipway.bot.cli.operating.telling import as_json
    from slipway.bot.core.times import system_clock

    logs.configure("console", level=logging.CRITICAL)
    local = local_looks(settings, system_clock())
    return as_json(asyncio.run(examine(settings, declarations, further=local)), settings.secret_sources, ())


def _json(value: object) -> str:
    return json.dumps(value, indent=2, default=str, ensure_ascii=False)


def _write(file: Path, parts: dict[str, bytes]) -> None:
    """For this user alone."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as target, tarfile.open(fileobj=target, mode="w:gz") as archive:
        for name, content in parts.items():
            entry = tarfile.TarInfo(f"slipway-support/{name}")
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
