"""Secrets: from the environment or from files of their own, never from slipway.toml itself.

For a field such as ``matrix.password``, or ``person.alice.totp_secret``, the first of these counts:

1. the environment variable ``SLIPWAY_MATRIX_PASSWORD``, or the file that ``…_PASSWORD_FILE`` names;
2. the file that the key ``password_file`` in the table names;
3. for a cloud's unnamed account, the environment variables that the cloud's own tools read.

An empty environment variable counts as not set, as container tools pass them so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from slipway.bot.config.schema import Schema, Secret
from slipway.bot.config.tables import Place, Plain
from slipway.bot.core.problems import Problem
from slipway.bot.core.secret_files import SecretFile, read_secret
from slipway.bot.core.secret_text import without_unseen_ends

_NOT_IN_VARIABLES = re.compile(r"[^A-Z0-9_]")


@dataclass
class Filled:
    """What filling in the secrets brought: where each came from (of those in files, the file), and what was wrong."""

    sources: dict[str, str] = field(default_factory=dict)
    files: dict[str, SecretFile] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def fill_in(schema: Schema, document: dict[str, Plain], folder: Path, environ: Mapping[str, str]) -> Filled:
    """Put the secrets, and what other tools' environment variables say, into the document's tables.

    Tables that the document does not have are left alone. Relative paths start at ``folder``.
    """
    filled = Filled()
    secrets = tuple(schema.secrets(document))
    for secret in secrets:
        table = _table(document, secret.table)
        if table is not None:
            _fill_one(table, secret, folder, environ, filled)
    for cloud, declared in schema.spec.clouds.items():
        table = _table(document, (cloud,))
        if table is not None and (not table or any(not isinstance(value, dict) for value in table.values())):
            own = {secret.name for secret in secrets if secret.table == (cloud,)}
            _fill_from_tools(table, cloud, declared.environment, own, environ, filled)
    return filled


def variable(secret: Secret) -> str:
    """The environment variable of a secret: ``SLIPWAY_MATRIX_PASSWORD``."""
    return _NOT_IN_VARIABLES.sub("_", f"slipway.{secret.key}".upper())


def _fill_one(
    table: dict[str, Plain], secret: Secret, folder: Path, environ: Mapping[str, str], filled: Filled
) -> None:
    named = variable(secret)
    file_key = f"{secret.name}_file"
    written = table.pop(file_key, None)
    if secret.name in table:
        del table[secret.name]
        filled.problems.append(
            Problem(
                secret.key,
                "a secret does not belong into this file; put it into a file of its own and name that "
                f"with {file_key}, or into the environment variable {named}",
            )
        )
        return
    said, said_file = environ.get(named), environ.get(f"{named}_FILE")
    if said and said_file:
        filled.problems.append(Problem(secret.key, f"{named} and {named}_FILE are both set; set one of them"))
    elif said:
        _keep(table, secret, said, f"the environment variable {named}", filled)
    elif said_file:
        _from_file(table, secret, folder / without_unseen_ends(said_file), filled)
    elif isinstance(written, str):
        _from_file(table, secret, folder / written, filled)
    elif written is not None:
        filled.problems.append(Problem(f"{secret.key}_file", "must be the path of a file, in quotes"))


def _from_file(table: dict[str, Plain], secret: Secret, path: Path, filled: Filled) -> None:
    try:
        value = read_secret(path)
    except ValueError as error:
        filled.problems.append(Problem(f"{secret.key}_file", str(error)))
        return
    filled.files[secret.key] = SecretFile(path.absolute())
    _keep(table, secret, value, f"the file {path}", filled)


def _keep(table: dict[str, Plain], secret: Secret, value: str, source: str, filled: Filled) -> None:
    if not value.isascii() and value != value.encode(errors="replace").decode():
        filled.problems.append(Problem(secret.key, f"{source} does not hold text in UTF-8"))
        return
    value = without_unseen_ends(value)
    if not value.strip():
        filled.problems.append(Problem(secret.key, f"{source} holds nothing that can be seen"))
        return
    table[secret.name] = value
    filled.sources[secret.key] = source


def _fill_from_tools(
    table: dict[str, Plain],
    cloud: str,
    names: Mapping[str, tuple[str, ...]],
    secrets: Collection[str],
    environ: Mapping[str, str],
    filled: Filled,
) -> None:
    refused = {problem.key.removesuffix("_file") for problem in filled.problems}
    for name, variables in names.items():
        found = next((known for known in variables if environ.get(known)), None)
        if found is None or name in table or f"{cloud}.{name}" in refused:
            continue
        if name in secrets:
            _keep(table, Secret((cloud,), name), environ[found], f"the environment variable {found}", filled)
        else:
            table[name] = without_unseen_ends(environ[found]).strip()


def _table(document: dict[str, Plain], path: Place) -> dict[str, Plain] | None:
    here: Plain = document
    for key in path:
        if isinstance(here, list) and isinstance(key, int):
            here = here[key]
        else:
            here = here.get(str(key)) if isinstance(here, dict) else None
    return here if isinstance(here, dict) else None
