"""Reads slipway.toml. Either everything in it is right, or every mistake is named and nothing starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from slipway.bot.config.checks import cross_check
from slipway.bot.config.document import place, read_document
from slipway.bot.config.policies import with_defaults
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
    return settings_from(read_document(path), path.absolute().parent, environ, spec=spec)


def settings_from(
    document: Mapping[str, object],
    folder: Path,
    environ: Mapping[str, str],
    *,
    spec: ConfigSpec,
) -> SlipwaySettings:
    """Check a document that has been read already, as :func:`load` does with a file's.

    Raises:
        ConfigError: as :func:`load`.
    """
    written = {str(key): plain(value) for key, value in document.items()}
    schema = Schema(spec)
    filled = fill_in(schema, written, folder, environ)
    understood = understand(schema, written)
    problems = [*filled.problems, *understood.problems]
    secretless = frozenset(problem.key.rpartition(".")[0] for problem in filled.problems)
    problems += cross_check(schema, understood, written, secretless)
    paths = _paths(understood.settings, spec, folder, environ, problems)
    if problems:
        raise ConfigError(in_order(problems, schema.order))
    settings = with_defaults(spec, understood.settings).model_copy(update=paths)
    return settings.with_secret_sources(filled.sources)


def _paths(
    settings: SlipwaySettings,
    spec: ConfigSpec,
    folder: Path,
    environ: Mapping[str, str],
    problems: list[Problem],
) -> dict[str, object]:
    """The settings that name places on the disk, with absolute paths: also in whatever table is declared."""
    state_dir = place("state_dir", settings.state_dir, folder, environ, problems)
    audit = _with_paths("audit", settings.audit, folder, environ, problems)
    if audit.file is not None and audit.file.resolve().is_relative_to(state_dir.resolve()):
        said = (
            "lies in state_dir, where whoever can change the trail can change it, too; name a place elsewhere"
        )
        problems.append(Problem("audit.file", said))
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
