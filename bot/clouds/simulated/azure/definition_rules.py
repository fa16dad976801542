"""What a write makes of a definition's document, or why it is refused. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from slipway.bot.clouds.simulated.azure.errors import ArmError, invalid, unchangeable
from slipway.bot.clouds.simulated.azure.regions import short_name

Document = dict[str, Any]

_FIXED = ("osType", "osState", "hyperVGeneration", "architecture", "identifier")


def written(body: Document, before: Document | None, others: Iterable[Document]) -> Document:
    """The definition that a PUT makes; ``others`` are those beside it.

    Raises:
        ArmError: the service would refuse it.
    """
    properties = body.get("properties")
    if not isinstance(properties, dict) or not isinstance(body.get("location"), str):
        raise invalid("Required parameter 'properties' is missing (null).")
    missing = next((key for key in ("osType", "osState", "identifier") if key not in properties), None)
    if missing is not None:
        raise invalid(f"Required parameter '{missing}' is missing (null).")
    shown = {
        "hyperVGeneration": "V1",
        "architecture": "x64",
        **{key: value for key, value in properties.items() if value not in ({}, [])},
        "provisioningState": "Succeeded",
    }
    if before is not None:
        for key in _FIXED:
            if before["properties"].get(key, shown.get(key)) != shown.get(key):
                raise unchangeable(f"galleryImage.properties.{key}")
    taken = next((each for each in others if _identity(each["properties"]) == _identity(shown)), None)
    if taken is not None:
        publisher, offer, sku = _identity(shown)
        raise ArmError(
            409,
            "Conflict",
            f"Gallery image: {taken['name']} identified by (publisher:{publisher}, offer:{offer}, sku:{sku}) "
            "already exists. Choose a different publisher, offer, sku combination.",
        )
    return {
        "location": short_name(body["location"]),
        **({"tags": body["tags"]} if "tags" in body else {}),
        "properties": shown,
    }


def merged(body: Document, before: Document, others: Iterable[Document]) -> Document:
    """The definition that a PATCH makes."""
    properties = body.get("properties", {})
    if not isinstance(properties, dict):
        raise invalid("The value of parameter properties is invalid.")
    whole = {**before, "properties": {**before["properties"], **properties}}
    return written({**whole, "tags": body["tags"]} if "tags" in body else whole, before, others)


def _identity(properties: Document) -> tuple[object, ...]:
    identifier = properties.get("identifier", {})
    return tuple(identifier.get(key) for key in ("publisher", "offer", "sku"))
