"""What Slack tells the app of a person's press or submission, and what it does with the answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import uuid4

from tests.slack.simulator.block_kit.blocks import Surface, check_view
from tests.slack.simulator.core import Core, View
from tests.slack.simulator.methods.views import MOST_MODALS, create_view, remove_view, replace_view
from tests.slack.simulator.people.forms import option_of
from tests.slack.simulator.transport.delivery import Delivery
from tests.slack.simulator.world import AppInstall, Button, Json, SimulatorError, User, interactive_elements

ORGANISATION_NAME = "Organisation"
"""Of Enterprise Grid, where the app is part of one."""


class Outcome(StrEnum):
    """What became of a modal that a person submitted."""

    CLOSED = "closed"
    CLEARED = "cleared"
    UPDATED = "updated"
    PUSHED = "pushed"
    ERRORS = "errors"
    NO_ANSWER = "no_answer"  # "We had some trouble connecting"; the modal stays


@dataclass(frozen=True)
class Submission:
    """The answer to a modal: what became of it, and what the app says of single fields, by block id."""

    outcome: Outcome
    errors: dict[str, str]
    delivery: Delivery
    view: View | None  # the one that is before the person now


def interaction_payload(core: Core, user: User, kind: str) -> Json:
    """What every interaction begins with. Unlike events, interactions carry neither id nor authorizations.

    ``team`` is the workspace in which the person is, which in a shared channel is not the app's; it is null where
    the app is installed for an organisation.
    """
    team, organisation = core.world.teams[user.team], core.app.organisation
    grid = organisation_of(core.app)
    who = {"id": user.id, "username": user.name, "name": user.name, "team_id": user.session or user.team}
    if kind == "message_action":
        who = {"id": user.id, "name": user.name}
    elif core.omits_team and kind != "shortcut":
        del who["team_id"]
    return {
        "type": kind,
        "user": who,
        "api_app_id": core.app.id,
        "token": core.app.verification_token,
        "team": None if core.app.organisation_wide else {"id": team.id, "domain": team.domain, **grid},
        "enterprise": {"id": organisation, "name": ORGANISATION_NAME} if organisation else None,
        "is_enterprise_install": core.app.organisation_wide,
    }


def organisation_of(app: AppInstall) -> Json:
    """How the organisation is named beside a workspace, where there is one."""
    named = {"enterprise_id": app.organisation, "enterprise_name": ORGANISATION_NAME}
    return named if app.organisation else {}


def action_of(core: Core, block: Json, element: Json, value: str | None, option: str | None) -> Json:
    """One action on an element; ``value`` forges another value than the element's, ``option`` is one chosen."""
    action: Json = {
        "type": element["type"],
        "block_id": block.get("block_id", ""),
        "action_id": element["action_id"],
        "action_ts": core.ids.ts(),
    }
    if option is not None:
        action["selected_option"] = option_of(element, option)
    told = {**element, **({} if value is None else {"value": value})}
    return action | {name: told[name] for name in ("text", "value", "style") if name in told}


def find_element(blocks: list[Json], button: str | Button) -> tuple[Json, Json]:
    """An element and its block, by its label, action id or value.

    Raises:
        SimulatorError: there is none.
    """
    for block, element in interactive_elements(blocks):
        names = (element.get("action_id"), element.get("value"), (element.get("text") or {}).get("text"))
        if (button.raw == element) if isinstance(button, Button) else (button in names):
            return block, element
    there = [(e.get("text") or {}).get("text") or e.get("action_id") for _, e in interactive_elements(blocks)]
    raise SimulatorError(f"there is no button {button!r}; there are {there}")


def take_answer(core: Core, view: View, answer: Json) -> Outcome:
    """Do with a submitted modal what the app answered.

    Raises:
        SimulatorError: the answer is one that Slack's client would show as a failure.
    """
    action = answer.get("response_action")
    if action is None:
        remove_view(core, view)
        return Outcome.CLOSED
    if action == "clear":
        remove_view(core, view, whole_stack=True)
        return Outcome.CLEARED
    if action == "errors":
        return _show_errors(core, view, answer.get("errors") or {})
    complaints = check_view(answer.get("view"), Surface.MODAL)
    if complaints or action not in ("update", "push"):
        raise SimulatorError(f"the answer to the modal was not valid: {complaints or action}")
    if action == "update":
        replace_view(core, view, answer["view"])
        return Outcome.UPDATED
    if len(core.modals.get(view.user, [])) >= MOST_MODALS:
        raise SimulatorError("no more than three modals can stand upon each other")
    create_view(core, view.user, answer["view"], view)
    return Outcome.PUSHED


def _show_errors(core: Core, view: View, errors: dict[str, str]) -> Outcome:
    known = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not errors or set(errors) - known:
        raise SimulatorError(
            f"errors name blocks that are no inputs of the modal: {sorted(set(errors) - known)}"
        )
    view.errors = errors
    core.changes.notify()
    return Outcome.ERRORS


def rich_text(text: str) -> Json:
    """The block that Slack's client adds to what a person writes."""
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "block_id": uuid4().hex[:5], "elements": [section]}
