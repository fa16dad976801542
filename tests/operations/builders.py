"""Builders of people, plans and operations for rules that need neither clouds nor chats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import Choice, Room
from slipway.bot.config.settings import (
    PersonSettings,
    RoleSettings,
    ScheduleSettings,
    SlipwaySettings,
)
from slipway.bot.operations.model import Operation, OperationState, Plan, Policy, Vote
from slipway.bot.people import People
from slipway.bot.subjects.images.requests import Promote
from slipway.bot.subjects.images.steps import FlagReason, SetExcluded
from tests.support.clock import NOW
from tests.support.configuration import ROLE


def people(roles: Mapping[str, Sequence[str]], schedules: Sequence[str] = ()) -> People:
    """Persons with these roles, and schedules that hold ROLE; ROLE may promote."""
    return People(
        SlipwaySettings(
            person=tuple(
                PersonSettings(id=name, identities=(f"console:{name}",), roles=tuple(held))
                for name, held in roles.items()
            ),
            roles={ROLE: RoleSettings(may=("promote",)), "reader": RoleSettings(may=("read",))},
            schedule=tuple(
                ScheduleSettings(
                    name=name, cron="0 9 * * mon", command="promote *", room="console:console", roles=(ROLE,)
                )
                for name in schedules
            ),
        )
    )


def step(version: str = "43.20261118.0", **more: Any) -> SetExcluded:
    """One step that promotes a version."""
    usual: dict[str, Any] = {"definition": "X", "excluded": False, "why": FlagReason.NAMED}
    return SetExcluded(version=version, **(usual | more))


def plan(**more: Any) -> Plan:
    """A plan with one step, which asks for one approval of ROLE."""
    usual: dict[str, Any] = {
        "kind": "promote",
        "request": Promote(definition="X"),
        "requester": "alice",
        "policy": Policy(approvals=1, role=ROLE, requester_may_approve=False),
        "expires_at": NOW + timedelta(hours=24),
        "summary": "X promoted.",
        "steps": (step(),),
        "observed": {"latest of X": "43.20261111.0"},
    }
    return Plan(**(usual | more))


def operation(votes: Sequence[Vote] = (), **more: Any) -> Operation:
    """A proposed operation with that plan, or one with parts of it otherwise."""
    proposed = plan(**more)
    return Operation(
        id="op-7k3f",
        kind=proposed.kind,
        state=OperationState.PROPOSED,
        plan=proposed,
        digest=proposed.digest,
        requester=proposed.requester,
        room=Room(platform=CONSOLE, id="console"),
        thread=None,
        created_at=NOW,
        expires_at=proposed.expires_at,
        votes=tuple(votes),
    )


def vote(person: str, choice: Choice = Choice.APPROVE) -> Vote:
    """What somebody said."""
    return Vote(person=person, choice=choice, at=NOW)


Document = dict[str, Any]
Spoil = Callable[[Document], Any]
"""Makes of a plan's document what another version would have stored, in place or anew."""


def put(*place: str | int, value: Any) -> Spoil:
    """Set what stands at a place."""

    def spoil(document: Document) -> None:
        here: Any = document
        for key in place[:-1]:
            here = here[key]
        here[place[-1]] = value

    return spoil


SPOILT: dict[str, tuple[Spoil, str]] = {
    "a kind of operation": (
        put("request", value={"format": 1, "kind": "repaint", "definition": "X"}),
        "does not know operations of the kind repaint",
    ),
    "a kind of step": (
        put(
            "steps", 0, value={"format": 1, "kind": "hold-version", "title": "hold X", "reason": "asked for"}
        ),
        "does not know steps of the kind hold-version",
    ),
    "a newer request": (put("request", "format", value=9), "does not know format 9 of promote"),
    "a newer step": (put("steps", 0, "format", value=9), "does not know format 9 of set-excluded"),
    "a newer plan": (put("format", value=5), "does not know plans of format 5"),
    "a request with a field more": (put("request", "speed", value=3), "cannot read this promote"),
    "a step with a field more": (put("steps", 0, "speed", value=3), "cannot read this set-excluded"),
    "a plan with a field more": (put("speed", value=3), "cannot read its plan"),
    "a request without a format that counts": (
        put("request", "format", value="two"),
        "does not know format two of promote",
    ),
    "no request": (lambda document: document.pop("request"), "cannot read its plan"),
    "a step that is none": (put("steps", 0, value="promote"), "cannot read its plan"),
    "steps that are none": (put("steps", value=3), "cannot read its plan"),
    "a format that is none": (put("format", value="two"), "cannot read its plan"),
}
