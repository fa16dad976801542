"""Who changed an AMI, as CloudTrail tells: the last 90 days of management events, up to 15 minutes late.

Sources: CloudTrail API Reference, LookupEvents (one attribute a request, two requests a second for an account and
region); CloudTrail User Guide, “CloudTrail record contents” and “userIdentity element”.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.errors import UnexpectedResponseError
from slipway.bot.clouds.aws.responses import Response, read_list, read_text
from slipway.bot.clouds.ports.image_activity import Author, VersionEvent
from slipway.bot.core.text import fit_for_a_line

LATE = timedelta(minutes=15)
"""How late an event may be in the history (CloudTrail User Guide, “Viewing recent management events”)."""

MOST_PAGES = 4
"""So many pages of 50 events are read for one question: more events of a name within half an hour are no person's."""

_PAGE = 50  # the most that LookupEvents gives

_NAMES: Mapping[VersionEvent, tuple[str, ...]] = {
    VersionEvent.PROMOTED: ("ModifyImageAttribute",),
    VersionEvent.HIDDEN: ("ModifyImageAttribute", "ResetImageAttribute"),
    VersionEvent.DELETED: ("DeregisterImage",),
    VersionEvent.REGIONS: ("CopyImage", "DeregisterImage"),
    VersionEvent.END_OF_LIFE: ("EnableImageDeprecation", "DisableImageDeprecation"),
    VersionEvent.DISABLED: ("DisableImage",),
    VersionEvent.ENABLED: ("EnableImage",),
}
"""The actions of EC2 by which it is done."""

_CONSOLES = ("console.amazonaws.com", "console.ec2.amazonaws.com", "AWS Internal")
"""What calls of the console were made by, before events said ``sessionCredentialFromConsole``."""


@dataclass(frozen=True)
class _Event:
    name: str
    at: datetime
    record: Mapping[str, Any]


class TrailReader:
    """Looks up who changed AMIs.

    Args:
        account: the account.
    """

    def __init__(self, account: AwsAccount) -> None:
        self._account = account

    async def authors(
        self, event: VersionEvent, ids: Sequence[str], during: tuple[datetime, datetime]
    ) -> tuple[Author, ...]:
        """Who did that to one of these images, the newest first, each once.

        Asked one after the other, for CloudTrail serves two requests a second: by the image's id, and where that
        finds nothing, since not every action is filed under it, by the action's name.

        Args:
            event: what was done.
            ids: ``REGION/ID`` of the images.
            during: from when to when.
        """
        found: list[_Event] = []
        for each in ids:
            region, _, image = each.partition("/")
            here = await self._look_up(region, "ResourceName", image, during)
            seen = [*_fitting(here, event, image)]
            for name in () if seen else _NAMES[event]:
                by_name = await self._look_up(region, "EventName", name, during)
                seen += _fitting(by_name, event, image)
            found += seen
        return _authors(found)

    async def try_log(self, region: str) -> None:
        """Look one event up."""
        await self._ask(region, {"MaxResults": 1})

    async def _look_up(
        self, region: str, key: str, value: str, during: tuple[datetime, datetime]
    ) -> list[_Event]:
        since, until = during
        asked: dict[str, Any] = {
            "LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}],
            "StartTime": since,
            "EndTime": until,
            "MaxResults": _PAGE,
        }
        found: list[_Event] = []
        token: str | None = None
        for _ in range(MOST_PAGES):
            events, token = await self._ask(region, asked | ({"NextToken": token} if token else {}))
            found += events
            if token is None:
                break
        return found

    async def _ask(self, region: str, parameters: Mapping[str, Any]) -> tuple[list[_Event], str | None]:
        def read(answer: Response) -> tuple[list[_Event], str | None]:
            token = answer.get("NextToken")
            return [_event(each) for each in read_list(answer, "Events")], str(token) if token else None

        request = self._account.request(f"look up in CloudTrail who changed images in {region}")
        calls = self._account.calls(region, "cloudtrail")
        return await calls.call(request, "lookup_events", read, **parameters)


def _event(response: Response) -> _Event:
    """An event of the answer; its record is JSON in a text."""
    at = response.get("EventTime")
    if not isinstance(at, datetime):
        raise UnexpectedResponseError("EventTime")
    try:
        record = json.loads(read_text(response, "CloudTrailEvent"))
    except (ValueError, RecursionError):
        raise UnexpectedResponseError("CloudTrailEvent") from None
    if not isinstance(record, dict):
        raise UnexpectedResponseError("CloudTrailEvent")
    return _Event(read_text(response, "EventName"), at, record)


def _fitting(events: Iterable[_Event], event: VersionEvent, image: str) -> Iterator[_Event]:
    """Those that did this, and did not fail."""
    for each in events:
        if each.name in _NAMES[event] and not each.record.get("errorCode") and _names(each.record, image):
            asked = each.record.get("requestParameters")
            permission = asked.get("launchPermission") if isinstance(asked, dict) else None
            opposite = {VersionEvent.PROMOTED: "remove", VersionEvent.HIDDEN: "add"}.get(event)
            if not (isinstance(permission, dict) and permission.keys() == {opposite}):
                yield each


def _names(record: Mapping[str, Any], image: str) -> bool:
    """Whether what was asked, or what came of it, is about an image. Newer actions hold their parameters in a part of
    its own, so it is looked for at any depth."""
    waiting: list[object] = [record.get("requestParameters"), record.get("responseElements")]
    while waiting:
        each = waiting.pop()
        if each == image:
            return True
        if isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return False


def _authors(events: Iterable[_Event]) -> tuple[Author, ...]:
    found: dict[tuple[str, str], Author] = {}
    for each in sorted(events, key=lambda event: event.at, reverse=True):
        name, through = _name(each.record), _through(each.record)
        if name:
            found.setdefault((name, through), Author(name, through, each.at))
    return tuple(found.values())


def _name(record: Mapping[str, Any]) -> str:
    """The ARN of whoever it was; a service of AWS's own has none."""
    identity = record.get("userIdentity")
    if not isinstance(identity, dict):
        return ""
    given = (identity.get(key) for key in ("arn", "invokedBy", "userName", "principalId", "accountId"))
    return next((fit_for_a_line(each) for each in given if isinstance(each, str) and each), "")


def _through(record: Mapping[str, Any]) -> str:
    agent = record.get("userAgent")
    if record.get("sessionCredentialFromConsole") == "true" or agent in _CONSOLES:
        return "the console"
    return fit_for_a_line(agent.split(" ")[0], 40) if isinstance(agent, str) else ""
