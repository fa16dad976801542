"""Reads slipway.toml. Either everything in it is right, or every mistake is named and nothing starts."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from slipway.bot.config.checks import cross_check
from slipway.bot.config.policies import with_defaults
from slipway.bot.config.schema import Schema, plain, understand
from slipway.bot.config.secret_values import fill_in
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.config.spec import ConfigSpec
from slipway.bot.core.errors import ConfigError
from slipway.bot.core.problems import Problem, in_order
from slipway.bot.core.settings import Settings
from slipway.bot.core.settings_table import TableShape

_LARGEST = 1024 * 1024  # bytes; a configuration for thousands of people is far below


def load(path: Path, environ: Mapping[str, str], *, spec: ConfigSpec) -> SlipwaySettings:
    """Read and check the configuration.

    Args:
        path: slipway.toml; relative paths in it start at its folder.
        environ: the environment, which secrets may come from.
        spec: what slipway.toml may speak of.

    Raises:
        ConfigError: with every mistake that was found, one line each; no line holds a secret.
    """
    return settings_from(_read(path), path.absolute().parent, environ, spec=spec)


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


def _read(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise _unreadable(path, "it is larger than 1 MiB, which no configuration is")
        return tomllib.loads(content.decode("utf-8-sig"))
    except FileNotFoundError:
        raise _unreadable(
            path, "there is no such file; copy slipway.example.toml there and change it"
        ) from None
    except OSError as error:
        raise _unreadable(path, f"it cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _unreadable(path, f"line {line} is not text in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(path, f"this is not TOML: {_lower(str(error))}") from None
    except RecursionError:
        raise _unreadable(path, "its lists or tables are nested too deeply") from None
    except ValueError:  # from Python's own limit, without the place
        raise _unreadable(path, "a number in it has too many digits") from None


def _unreadable(path: Path, said: str) -> ConfigError:
    return ConfigError((str(Problem(str(path), said)),))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _paths(
    settings: SlipwaySettings,
    spec: ConfigSpec,
    folder: Path,
    environ: Mapping[str, str],
    problems: list[Problem],
) -> dict[str, object]:
    """The settings that name places on the disk, with absolute paths: also in whatever table is declared."""
    found: dict[str, object] = {
        "state_dir": _place("state_dir", settings.state_dir, folder, environ, problems)
    }
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
    key: str, table: Settings, folder: Path, environ: Mapping[str, str], problems: list[Problem]
) -> Settings:
    fields = {name: getattr(table, name) for name in type(table).model_fields}
    update = {
        name: _place(f"{key}.{name}", path, folder, environ, problems)
        for name, path in fields.items()
        if isinstance(path, Path)
    }
    return table.model_copy(update=update) if update else table


def _place(key: str, path: Path, folder: Path, environ: Mapping[str, str], problems: list[Problem]) -> Path:
    """The absolute path of a setting; ``~/`` is the home of whom the bot runs as."""
    if "\0" in str(path):
        problems.append(Problem(key, "there is a zero byte in it; write a path"))
    elif path.parts[:1] == ("~",):
        home = environ.get("HOME", "")
        if home:
            return Path(home, *path.parts[1:])
        problems.append(Problem(key, "begins with ~, and HOME is not set; write the path from the root"))
    return folder / path
