"""The configuration of an episode's bot."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.reliability.azure_machines import ACCOUNT, PROFILES
from tests.reliability.clouds import EpisodeClouds
from tests.reliability.messages import TICKING
from tests.reliability.options import RELENG, Options
from tests.reliability.rooms.room import Room

_UNAPPROVED = (
    "test",
    "extend",
    "stop",
    "start",
    "handover",
    "instance-adopt",
    "expire",
    "remove-leftovers",
    "sshkey-remove",
    "good",
    "bad",
    "hold",
    "unhold",
    "adopt",
)
"""The kinds of operation beside those of the demo's policy to which nobody has to agree."""


def document(
    options: Options,
    rooms: Mapping[str, Room],
    clouds: EpisodeClouds,
    deployment: str,
    state: Path,
    replica: int = 1,
    database: str = "",
) -> dict[str, Any]:
    """The configuration, as TOML has it.

    Args:
        options: of the episode.
        rooms: its chats.
        clouds: its clouds.
        deployment: what it is called there.
        state: the state folder.
        replica: the number of the replica whose it is; they differ in their folders and where they listen.
        database: the URL of a PostgreSQL; empty for files.
    """
    found = tomllib.loads(files("slipway.bot.cli").joinpath("demo.toml").read_text("utf-8"))
    found |= {"name": deployment, "state_dir": str(state), "log_format": "json"}
    if database:
        found["database"] = {"url": database}
    # What was said may seem as old as the clock is moved: by up to 50 minutes, or by four days.
    found |= {"commands": {"max_age": "7d" if options.days else "2h"}}
    for room in rooms.values():
        found |= room.configuration(replica)
    found["schedule"] = [_ticking(options.ticking, found[options.ticking])]
    found["azure"] |= {"endpoint": clouds.azure.url, "timeout": "5s", **ACCOUNT}
    found["profiles"] |= {name: dict(profile) for name, profile in PROFILES.items()}
    found["aws"] |= {"endpoint": clouds.aws.url, "timeout": "5s"}
    for profile in found["profiles"].values():
        profile |= {"default_for": "30m", "max_for": "2h", "cap": "3h"}
    found["roles"]["releng"]["may"].append("instance.adopt")
    _set_policies(found["policy"], options)
    found["person"] = [each for each in found["person"] if each["id"] in (*RELENG, "carol")]
    for person in found["person"]:
        person["identities"] = [room.account(person["id"]) for room in rooms.values()]
    return found


def _ticking(platform: str, chat: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": TICKING,
        "cron": "* * * * *",
        "command": "whoami",
        "room": f"{platform}:{(chat.get('channels') or chat['rooms'])[0]}",
        "roles": ["reader"],
        "missed": "skip",
    }


def _set_policies(policies: dict[str, Any], options: Options) -> None:
    policies["promote"] |= {"approvals": options.approvals, "requester_may_approve": options.own_vote}
    policies["launch"]["approvals"] = options.launch_approvals
    for kind in _UNAPPROVED:
        policies.setdefault(kind, {"approvals": 0, "role": "releng"})
    policies["sshkey-add"] = {"approvals": 1, "role": "releng", "requester_may_approve": True}
    for policy in policies.values():
        policy["encrypted_reactions"] = options.signs_count
