"""Whether what comes in has the form of anything that Slack sends: Bolt takes that for granted."""

from __future__ import annotations

from collections.abc import Mapping

_OBJECTS = ("team", "enterprise", "user", "channel", "container", "message", "view")
"""What is an object wherever it stands in an interaction; some of it may be null."""

_NEEDED = {"event_callback": ("event",), "view_submission": ("user", "view"), "view_closed": ("user", "view")}
"""What has to be there, by the type of what comes in."""

MALFORMED = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
"""What Bolt raises where it reads something that is formed otherwise, all the same."""


def is_sound(body: object) -> bool:
    """Whether a body can be handed to Bolt: objects are objects, lists are lists of objects."""
    if not isinstance(body, Mapping) or not isinstance(body.get("type", ""), str):
        return False
    if not all(isinstance(body.get(name), Mapping) for name in _NEEDED.get(body.get("type", ""), ())):
        return False
    event = body.get("event")
    if isinstance(event, Mapping) and not all(
        _is_named(event.get(name)) for name in ("user", "channel", "item")
    ):
        return False
    if not all(_is_object_or_null(body.get(name)) for name in _OBJECTS):
        return False
    if not all(_is_list_of_objects(body.get(name)) for name in ("authorizations", "actions")):
        return False
    if body.get("type") == "block_actions" and not body.get("actions"):
        return False
    return all(_is_told(body.get(name)) for name in ("view", "container"))


def _is_object_or_null(value: object) -> bool:
    return value is None or isinstance(value, Mapping)


def _is_named(value: object) -> bool:
    """Whether this is what an event names somebody or something by: an id, or an object."""
    return value is None or isinstance(value, str | Mapping)


def _is_list_of_objects(value: object) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(each, Mapping) for each in value))


def _is_told(value: object) -> bool:
    """Whether an object that is told apart by its type has one."""
    return value is None or (isinstance(value, Mapping) and isinstance(value.get("type"), str))
