"""The Web API's ``views.*`` methods, and the stack of modals before a person.

Source: docs.slack.dev/surfaces/modals, /reference/methods/views.*.
"""

from __future__ import annotations

import copy
from secrets import token_hex

from tests.slack.simulator.block_kit.blocks import Surface, check_view, view_too_large
from tests.slack.simulator.calls import ApiError, Args, invalid
from tests.slack.simulator.core import Core, View, with_defaults
from tests.slack.simulator.people.forms import still_there
from tests.slack.simulator.world import Json

MOST_MODALS = 3
"""A modal and two pushed upon it."""


def view_body(core: Core, view: View, values: Json | None = None) -> Json:
    """A view as the API and interactions show it."""
    return {
        "id": view.id,
        "team_id": core.world.users[view.user].team if core.app.organisation_wide else core.home,
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "title": None,
        "submit": None,
        "close": None,
        "clear_on_close": False,
        "notify_on_close": False,
        **copy.deepcopy(view.body),
        "state": {"values": values or {}},
        "hash": view.hash,
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
        "app_id": core.app.id,
        "app_installed_team_id": core.app.organisation if core.app.organisation_wide else core.home,
        "bot_id": core.app.bot_id,
    }


def _checked(args: Args, surface: Surface) -> Json:
    body = args.json("view")
    if complaints := check_view(body, surface):
        raise invalid("invalid_arguments", complaints)
    if view_too_large(body):
        raise ApiError("view_too_large")
    found: Json = dict(body)
    return found


def _new_hash(core: Core) -> str:
    return f"{int(core.ids.now())}.{token_hex(4)}"


def _claim_name(core: Core, body: Json, own: View | None = None) -> None:
    name = body.get("external_id")
    if name and any(
        view.body.get("external_id") == name and view is not own for view in core.views.values() if view.open
    ):
        raise ApiError("duplicate_external_id")


def _dressed(body: Json) -> Json:
    """A view as Slack stores it, with the defaults of its blocks and of its titles."""
    texts = {name: {"emoji": True, **body[name]} for name in ("title", "submit", "close") if body.get(name)}
    return body | texts | {"blocks": with_defaults(body["blocks"])}


def create_view(core: Core, user: str, body: Json, below: View | None = None) -> View:
    """Put a new modal before a person, upon another or alone."""
    view_id = core.ids.id("V")
    stored = _dressed(body)
    view = View(
        view_id,
        user,
        stored,
        _new_hash(core),
        below.root_id if below else view_id,
        below.id if below else None,
    )
    core.views[view_id] = view
    if below is None:
        for old in core.modals.get(user, []):
            old.open = False
        core.modals[user] = []
    core.modals[user].append(view)
    core.changes.notify()
    return view


def replace_view(core: Core, view: View, body: Json) -> View:
    """Replace what a view shows."""
    view.body = _dressed(body)
    view.hash = _new_hash(core)
    view.errors = {}
    view.entered = still_there(view.blocks, view.entered)
    view.updates += 1
    core.changes.notify()
    return view


def remove_view(core: Core, view: View, *, whole_stack: bool = False) -> None:
    """Close a modal, or all of its stack."""
    stack = core.modals.get(view.user, [])
    for closed in list(stack) if whole_stack else [view]:
        closed.open = False
        core.views.pop(closed.id, None)
        if closed in stack:
            stack.remove(closed)
    core.changes.notify()


def _use_trigger(core: Core, args: Args) -> str:
    trigger = core.triggers.get(args.need("trigger_id"))
    if trigger is None:
        raise ApiError("invalid_trigger_id")
    if trigger.exchanged:
        raise ApiError("exchanged_trigger_id")
    if core.ids.now() > trigger.expires:
        raise ApiError("expired_trigger_id")
    trigger.exchanged = True
    return trigger.user


async def open_view(core: Core, args: Args) -> Json:
    """``views.open``"""
    body = _checked(args, Surface.MODAL)
    _claim_name(core, body)
    user = _use_trigger(core, args)
    return {"ok": True, "view": view_body(core, create_view(core, user, body))}


async def push_view(core: Core, args: Args) -> Json:
    """``views.push``"""
    body = _checked(args, Surface.MODAL)
    _claim_name(core, body)
    user = _use_trigger(core, args)
    stack = core.modals.get(user, [])
    if not stack:
        raise ApiError("not_found")
    if len(stack) >= MOST_MODALS:
        raise ApiError("push_limit_reached")
    return {"ok": True, "view": view_body(core, create_view(core, user, body, stack[-1]))}


async def update_view(core: Core, args: Args) -> Json:
    """``views.update``"""
    name, external = args.text("view_id"), args.text("external_id")
    known = [*core.views.values(), *core.homes.values()]
    view = next(
        (v for v in known if v.id == name or (external and v.body.get("external_id") == external)), None
    )
    if view is None or not view.open:
        raise ApiError("not_found")
    surface = Surface.HOME if view.body["type"] == "home" else Surface.MODAL
    body = _checked(args, surface)
    _claim_name(core, body, view)
    _match_hash(args, view)
    return {"ok": True, "view": view_body(core, replace_view(core, view, body))}


def _match_hash(args: Args, view: View) -> None:
    if args.text("hash") and args.text("hash") != view.hash:
        raise ApiError("hash_conflict")


async def publish_view(core: Core, args: Args) -> Json:
    """``views.publish``: a person's Home tab"""
    user = args.need("user_id")
    if user not in core.visible_users():
        raise ApiError("user_not_found")
    if not core.app.home_tab:
        raise ApiError("not_enabled")
    body = _checked(args, Surface.HOME)
    view = core.homes.get(user)
    if view is None:
        view_id = core.ids.id("V")
        view = core.homes[user] = View(view_id, user, body, _new_hash(core), view_id)
    else:
        _match_hash(args, view)
    return {"ok": True, "view": view_body(core, replace_view(core, view, body))}
