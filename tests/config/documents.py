"""Configurations for tests: a good one, and a way to look at what is said about a bad one."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.config.load import settings_from
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import ConfigError

COMMANDS = frozenset(
    {
        *("images", "promote", "rollback", "cleanup", "launch", "instances", "terminate"),
        *("pending", "approve", "reject", "cancel", "op", "history", "help", "whoami", "status"),
    }
)

SECRETS = {"SLIPWAY_MATRIX_PASSWORD": "correct horse"}

_GOOD: dict[str, Any] = {
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


def good() -> dict[str, Any]:
    """A small configuration without a mistake, to be spoilt at will."""
    return copy.deepcopy(_GOOD)


def settings_of(document: Mapping[str, object], environ: Mapping[str, str] = SECRETS) -> SlipwaySettings:
    return settings_from(document, Path("/etc/slipway"), environ, known_rights=COMMANDS)


def problems_of(document: Mapping[str, object], environ: Mapping[str, str] = SECRETS) -> tuple[str, ...]:
    """What is said about a configuration that must have a mistake."""
    with pytest.raises(ConfigError) as caught:
        settings_of(document, environ)
    return caught.value.problems


def put(document: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    """Set ``person.1.zone`` and the like, and give the document back."""
    *above, last = key.split(".")
    here: Any = document
    for part in above:
        here = here[int(part)] if isinstance(here, list) else here.setdefault(part, {})
    here[int(last) if isinstance(here, list) else last] = value
    return document
