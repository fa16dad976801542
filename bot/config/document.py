"""slipway.toml as a file, and the places on the disk that it names. Knows no table, so that what asks for nothing but
the state folder, such as `slipway health`, is quick."""

from __future__ import annotations

import shlex
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.bot.core.errors import ConfigError
from slipway.bot.core.problems import Problem, shown

STATE_DIR = Path("state")
"""Where the bot keeps its state, unless slipway.toml says otherwise."""

NO_TEXT = 'must be text in quotes, like "abc"'

_LARGEST = 1024 * 1024  # bytes; a configuration for thousands of people is far below


STANDARD_INPUT = Path("-")
"""In place of a file's path: what comes on standard input, whose relative paths start at the working folder."""


@dataclass(frozen=True)
class Document:
    """A configuration as it was written.

    Attributes:
        text: the whole of it.
        content: what it holds.
        folder: where relative paths in it begin.
    """

    text: str
    content: dict[str, object]
    folder: Path


def read_document(path: Path) -> Document:
    """Read a configuration file, or :data:`STANDARD_INPUT`.

    Raises:
        ConfigError: there is no such file, or it is no TOML.
    """
    content = b""
    try:
        if path == STANDARD_INPUT:
            content = sys.stdin.buffer.read(_LARGEST + 1)
        else:
            with path.open("rb") as file:
                content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise _unreadable(path, "it is larger than 1 MiB, which no configuration is")
        text = content.decode("utf-8-sig")
        return Document(text, tomllib.loads(text), path.absolute().parent)
    except FileNotFoundError:
        said = (
            "there is no such file; `slipway init` writes one, as does "
            f"`slipway example > {shlex.quote(str(path))}`, to be changed"
        )
        raise _unreadable(path, said) from None
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


def state_dir(path: Path, environ: Mapping[str, str]) -> Path:
    """The state folder of the bot that runs with this configuration; whether the rest of it is right, is not asked.

    Args:
        path: slipway.toml.
        environ: the environment.

    Raises:
        ConfigError: the file cannot be read, or ``state_dir`` in it is no path.
    """
    written = read_document(path).content.get("state_dir", str(STATE_DIR))
    if not isinstance(written, str):
        raise ConfigError((str(Problem("state_dir", f"it is {shown(written)}; {NO_TEXT}")),))
    problems: list[Problem] = []
    found = place("state_dir", Path(written), path.absolute().parent, environ, problems)
    if problems:
        raise ConfigError(tuple(map(str, problems)))
    return found


def place(key: str, path: Path, folder: Path, environ: Mapping[str, str], problems: list[Problem]) -> Path:
    """The absolute path of a setting; ``~/`` is the home of whom the bot runs as.

    Args:
        key: the setting, for problems.
        path: as it is written.
        folder: where relative paths begin: slipway.toml's.
        environ: the environment.
        problems: gets what is wrong with it.
    """
    if "\0" in str(path):
        problems.append(Problem(key, "there is a zero byte in it; write a path"))
    elif path.parts[:1] == ("~",):
        home = environ.get("HOME", "")
        if home:
            return Path(home, *path.parts[1:])
        problems.append(Problem(key, "begins with ~, and HOME is not set; write the path from the root"))
    return folder / path


def _unreadable(path: Path, said: str) -> ConfigError:
    name = "standard input" if path == STANDARD_INPUT else str(path)
    return ConfigError((str(Problem(name, said)),))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
