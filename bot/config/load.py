"""Reads slipway.toml. Either everything in it is right, or every mistake is named and nothing starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from slipway.bot.config.checks import cross_check
from slipway.bot.config.document import Document, place, read_document
from slipway.bot.config.policies.defaults import with_defaults
from slipway.bot.config.positions import KeyLines
from slipway.bot.config.schema import Schema, plain, understand
from slipway.bot.config.secret_values import fill_in
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.config.spec import ConfigSpec
from slipway.bot.core.errors import ConfigError
from slipway.bot.core.problems import Problem, in_order
from slipway.bot.core.settings import Settings
from slipway.bot.core.settings_table import TableShape

SettingsT = TypeVar("SettingsT", bound=Settings)


def load(path: Path, environ: Mapping[str, str], *, spec: ConfigSpec) -> SlipwaySettings:
    """Read and check the configuration.

    Args:
        path: slipway.toml; relative paths in it start at its folder.
        environ: the environment, which secrets may come from.
        spec: what slipway.toml may speak of.

    Raises:
        ConfigError: with every mistake that was found, one line each; no line holds a secret.
    """
    return settings_of(read_document(path), environ, spec=spec)


def settings_of(
    document: Document,
    environ: Mapping[str, str],
    *,
    spec: ConfigSpec,
    further: Callable[[SlipwaySettings], Iterable[Problem]] = lambda _settings: (),
) -> SlipwaySettings:
    """Check a file that has been read: mistakes are told with their lines.

    Args:
        document: the file.
        environ: the environment, which secrets may come from.
        spec: what slipway.toml may speak of.
        further: mistakes that show once everything else is right.

    Raises:
        ConfigError: as :func:`load`.
    """
    lines = lines_of(document)
    settings = settings_from(document.content, document.folder, environ, spec=spec, lines=lines)
    if problems := tuple(str(lines.placed(problem)) for problem in further(settings)):
        raise ConfigError(problems)
    return settings


def lines_of(document: Document) -> KeyLines:
    """In which line each key of a file stands."""
    return KeyLines(document.text, {str(key): plain(value) for key, value in document.content.items()})


def settings_from(
    document: Mapping[str, object],
    folder: Path,
    environ: Mapping[str, str],
    *,
    spec: ConfigSpec,
    lines: KeyLines | None = None,
) -> SlipwaySettings:
    """Check what a document holds, as :func:`load` does with a file's; with ``lines``, mistakes name theirs.

    Raises:
        ConfigError: as :func:`load`.
    """
    written = {str(key): plain(value) for key, value in document.items()}
    schema = Schema(spec)
    filled = fill_in(schema, written, folder, environ)
    understood = understand(schema, written)
    problems = [*filled.problems, *understood.problems]
    secrets = {secret.key for secret in schema.secrets(written)}
    refused = [*filled.problems, *(each for each in understood.problems if each.key in secrets)]
    secretless = frozenset(problem.key.rpartition(".")[0] for problem in refused)
    problems += _not_told_yet(cross_check(schema, understood, written, secretless), problems)
    paths = _paths(understood.settings, spec, folder, environ, problems)
    if problems:
        placed = problems if lines is None else [lines.placed(problem) for problem in problems]
        raise ConfigError(in_order(placed, schema.order))
    settings = with_defaults(spec, understood.settings).model_copy(update=paths)
    return settings.with_secret_sources(filled.sources, filled.files)


def _not_told_yet(found: Iterable[Problem], told: Iterable[Problem]) -> list[Problem]:
    """Mistakes of keys in which nothing was wrong by itself: what was cut out there may be all that is missing."""
    keys = tuple(problem.key for problem in told)
    return [
        problem
        for problem in found
        if not any(
            key == problem.key or key.startswith((f"{problem.key} #", f"{problem.key}.")) for key in keys
        )
    ]


_NO_DISK = ("/proc", "/sys")
"""Where the kernel shows itself, and nothing is kept."""


def _paths(
    settings: SlipwaySettings,
    spec: ConfigSpec,
    folder: Path,
    environ: Mapping[str, str],
    problems: list[Problem],
) -> dict[str, object]:
    """The settings that name places on the disk, with absolute paths: also in whatever table is declared."""
    state_dir = place("state_dir", settings.state_dir, folder, environ, problems)
    if any(state_dir.is_relative_to(each) for each in _NO_DISK):
        problems.append(Problem("state_dir", f"{state_dir} keeps no files; name a folder on a disk"))
    audit = _with_paths("audit", settings.audit, folder, environ, problems)
    for key in ("file", "entries_file"):
        path = getattr(audit, key)
        if path is not None and path.resolve().is_relative_to(state_dir.resolve()):
            said = (
                "lies in state_dir, where whoever can change the trail can change it, too; name a place "
                "elsewhere"
            )
            problems.append(Problem(f"audit.{key}", said))
    found: dict[str, object] = {"state_dir": state_dir, "audit": audit}
    for table in spec.tables:
        value = getattr(settings, table.name)
        if isinstance(value, Settings):
            found[table.name] = _with_paths(table.name, value, folder, environ, problems)
        elif isinstance(value, Mapping):  # of accounts, the names are the whole keys: azure, azure.staging
            prefix = "" if table.shape is TableShape.ACCOUNTS else f"{table.name}."
            found[table.name] = {
                name: _with_paths(f"{prefix}{name}", each, folder, environ, problems)
                for name, each in value.items()
            }
    return found


def _with_paths(
    key: str, table: SettingsT, folder: Path, environ: Mapping[str, str], problems: list[Problem]
) -> SettingsT:
    fields = {name: getattr(table, name) for name in type(table).model_fields}
    update = {
        name: place(f"{key}.{name}", path, folder, environ, problems)
        for name, path in fields.items()
        if isinstance(path, Path)
    }
    return table.model_copy(update=update) if update else table
