"""Configurations for tests: the demo's on simulated clouds, a small valid one, and what is said about a bad one."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.chat.declaration import ChatDeclaration
from slipway.bot.clouds.declaration import CloudDeclaration
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.config.load import settings_from
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import ConfigError
from slipway.bot.declared import Declarations, declared
from slipway.bot.operations.declarations import Subject

ROLE = "releng"
"""The role that may change images, in the demo's configuration too."""

RELENG = ("alice", "bob")
"""The people who hold it."""

READER = "carol"
PEOPLE = (*RELENG, READER)

STRANGER = "mallory"
"""In the room, and in no configuration."""

DECLARED = declared()
"""What Slipway consists of."""


def declared_with(
    *,
    subjects: Iterable[Subject[Any]] = (),
    chats: Iterable[ChatDeclaration[Any]] = (),
    clouds: Iterable[CloudDeclaration[Any]] = (),
) -> Declarations:
    """What Slipway consists of, and more."""
    return Declarations.of(
        (*DECLARED.registry.subjects, *subjects), (*DECLARED.chats, *chats), (*DECLARED.clouds, *clouds)
    )


TWO_APPROVALS: dict[str, Any] = {"policy": {"promote": {"approvals": 2}}}
"""A change to the configuration: two people agree to a promotion."""

SECRETS = {"SLIPWAY_MATRIX_PASSWORD": "correct horse"}

_VALID: dict[str, Any] = {
    "database": {"url": "postgresql://slipway@db.example.org/slipway"},
    "matrix": {
        "homeserver": "https://matrix.example.org",
        "user_id": "@slipway:example.org",
        "rooms": ["!releng:example.org"],
    },
    "aws": {"region": "eu-west-1"},
    "azure": {"subscription_id": "0000", "resource_group": "fedora-cloud", "gallery": "Fedora"},
    "person": [
        {"id": "alice", "identities": ["matrix:@alice:example.org"], "roles": ["releng"]},
        {"id": "bob", "identities": ["matrix:@bob:example.org"], "roles": ["releng"]},
    ],
    "roles": {"releng": {"may": ["read", "promote", "cleanup"]}, "admin": {"may": ["*"]}},
    "profiles": {"small": {"template": "slipway-small"}},
    "schedule": [
        {
            "name": "weekly-cleanup",
            "cron": "0 9 * * mon",
            "command": "cleanup",
            "room": "matrix:!releng:example.org",
            "roles": ["releng"],
        }
    ],
}


def valid_document() -> dict[str, Any]:
    """A small configuration without a mistake, for tests to change."""
    return copy.deepcopy(_VALID)


def settings_of(
    document: Mapping[str, object],
    environ: Mapping[str, str] = SECRETS,
    declarations: Declarations = DECLARED,
) -> SlipwaySettings:
    return settings_from(document, Path("/etc/slipway"), environ, spec=declarations.spec)


def problems_of(
    document: Mapping[str, object],
    environ: Mapping[str, str] = SECRETS,
    declarations: Declarations = DECLARED,
) -> tuple[str, ...]:
    """What is said about a configuration that must have a mistake."""
    with pytest.raises(ConfigError) as caught:
        settings_of(document, environ, declarations)
    return caught.value.problems


def put(document: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    """Set ``person.1.zone`` and the like, and give the document back."""
    *above, last = key.split(".")
    here: Any = document
    for part in above:
        here = here[int(part)] if isinstance(here, list) else here.setdefault(part, {})
    here[int(last) if isinstance(here, list) else last] = value
    return document


@cache
def _demo() -> dict[str, Any]:
    return tomllib.loads(files("slipway.bot.cli").joinpath("demo.toml").read_text("utf-8"))


def simulated_settings(
    state_dir: Path,
    azure: SimulatedAzure | None,
    aws: SimulatedAws | None = None,
    changes: Mapping[str, Any] | None = None,
    declarations: Declarations = DECLARED,
    secrets: Mapping[str, str] | None = None,
) -> SlipwaySettings:
    """The demo's configuration on these simulators, without its schedules; ``changes`` are merged in. ``secrets`` are
    the environment's, in place of keys that the simulated AWS does not look at."""
    document = copy.deepcopy(_demo())
    document["state_dir"] = str(state_dir)
    document["schedule"] = []
    if azure is None:
        del document["azure"]
    else:
        document["azure"] |= {"endpoint": azure.url, "max_attempts": 2, "timeout": "5s"}
    if aws is None:
        del document["aws"], document["profiles"]
    else:
        document["aws"] |= {"endpoint": aws.url, "max_attempts": 2, "timeout": "5s"}
    _merge(document, changes or {})
    # The first pattern that fits counts, so that the demo's, which fits all, has to come last.
    document["promotion"] = dict(sorted(document["promotion"].items(), key=lambda table: table[0] == "*"))
    if secrets is None:
        secrets = (
            {"SLIPWAY_AWS_ACCESS_KEY_ID": "test", "SLIPWAY_AWS_SECRET_ACCESS_KEY": "test"} if aws else {}
        )
    return settings_from(document, state_dir, secrets, spec=declarations.spec)


def _merge(into: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
