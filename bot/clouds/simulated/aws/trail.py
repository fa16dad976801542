"""The event history of a simulated CloudTrail, of which moto has nothing: who changed images, and made access keys.

Sources: CloudTrail API Reference, LookupEvents and its errors; CloudTrail User Guide, “CloudTrail record contents”.
Whether an action is filed under the image's id is documented for none of them: those whose parameters lie in a part
of their own are not, here, so that both ways to look are needed.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import uuid4

from aiohttp import web

KEPT = timedelta(days=90)
MOST = 50
"""Events in one answer."""

MOST_KEPT = 10_000
"""So many events are remembered."""

A_SECOND = 2
"""So many requests are served in each region."""

_JSON = "application/x-amz-json-1.1"
_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d+/(?P<region>[^/]+)/")
_ATTRIBUTES = frozenset(
    {
        *("EventId", "EventName", "ReadOnly", "Username", "ResourceType", "ResourceName", "EventSource"),
        "AccessKeyId",
    }
)
_PLAIN = ("ModifyImageAttribute", "ResetImageAttribute", "DeregisterImage")
_WRAPPED = (
    *("DisableImage", "EnableImage", "EnableImageDeprecation", "DisableImageDeprecation"),
    *("EnableImageDeregistrationProtection", "DisableImageDeregistrationProtection"),
)
LOGGED = frozenset((*_PLAIN, *_WRAPPED))
"""The actions of EC2 that are logged."""

_HOME_OF_IAM = "us-east-1"
_OF_KEY = ("UserName", "AccessKeyId", "Status")  # never the secret


@dataclass(frozen=True)
class _Logged:
    at: datetime
    region: str
    record: Mapping[str, Any]
    images: tuple[str, ...]


@dataclass
class SimulatedTrail:
    """What is logged, and whom it shows that to.

    Attributes:
        clock: the present.
        late: how long after a call its event can be looked up.
        refuses: whether callers lack the right to look.
        throttles: whether more than :data:`A_SECOND` requests a second are refused, as they are by CloudTrail.
        arns: who callers are, by their access keys; of others, a user of that name.
    """

    account: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    late: timedelta = timedelta()
    refuses: bool = False
    throttles: bool = False
    arns: dict[str, str] = field(default_factory=dict)
    _events: deque[_Logged] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    _asked: dict[str, deque[float]] = field(default_factory=dict)

    def served(
        self, action: str | None, form: Mapping[str, str], answer: bytes, headers: Mapping[str, str]
    ) -> None:
        """Log a call that was served, if it is of those that are logged."""
        if action in LOGGED:
            self._note_image(form, headers)
        elif action == "CreateAccessKey":
            self._note_key(answer, headers)

    def _note_image(self, form: Mapping[str, str], headers: Mapping[str, str]) -> None:
        _, region = _caller(headers)
        action, image = form["Action"], form.get("ImageId", "")
        asked = _parameters(form) if action in _PLAIN else {f"{action}Request": {"ImageId": image}}
        filed = (image,) if action in _PLAIN else ()
        self._note("ec2", action, region, headers, asked, {"_return": True}, filed)

    def _note_key(self, answer: bytes, headers: Mapping[str, str]) -> None:
        """By IAM's answer; its events are all in one region."""
        told = {name: found[1].decode() for name in _OF_KEY if (found := _element(name, answer))}
        made = {f"{name[0].lower()}{name[1:]}": value for name, value in told.items()}
        asked = {"userName": made.get("userName", "")}
        self._note("iam", "CreateAccessKey", _HOME_OF_IAM, headers, asked, {"accessKey": made})

    def _note(
        self,
        service: str,
        action: str,
        region: str,
        headers: Mapping[str, str],
        asked: Mapping[str, Any],
        answered: Mapping[str, Any],
        filed: tuple[str, ...] = (),
    ) -> None:
        key, _ = _caller(headers)
        record = {
            "eventVersion": "1.10",
            "userIdentity": {
                "type": "IAMUser",
                "arn": self._arn(key),
                "accountId": self.account,
                "accessKeyId": key,
            },
            "eventTime": f"{self.clock():%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": f"{service}.amazonaws.com",
            "eventName": action,
            "awsRegion": region,
            "userAgent": headers.get("User-Agent", ""),
            "requestParameters": asked,
            "responseElements": answered,
            "eventID": str(uuid4()),
            "readOnly": False,
        }
        self._events.append(_Logged(self.clock(), region, record, filed))

    def answer(self, body: bytes, headers: Mapping[str, str]) -> web.Response:
        """The answer to LookupEvents."""
        key, region = _caller(headers)
        if self.refuses:
            words = f"User: {self._arn(key)} is not authorized to perform: cloudtrail:LookupEvents"
            return _error("AccessDeniedException", words)
        if self.throttles and not self._may_ask(region):
            return _error("ThrottlingException", "Rate exceeded")
        asked = json.loads(body or b"{}")
        if problem := _problem(asked):
            return _error(*problem)
        since, until = (_moment(asked.get(name)) for name in ("StartTime", "EndTime"))
        now = self.clock()
        found = [
            each
            for each in reversed(self._events)
            if each.region == region
            and max(since or now - KEPT, now - KEPT) <= each.at <= min(until or now, now - self.late)
            and all(_fits(each, *pair) for pair in _pairs(asked))
        ]
        start, size = int(asked.get("NextToken", "0")), asked.get("MaxResults", MOST)
        page = {"Events": [_shown(each) for each in found[start : start + size]]}
        more = {"NextToken": str(start + size)} if len(found) > start + size else {}
        return web.Response(body=json.dumps(page | more), content_type=_JSON)

    def _arn(self, key: str) -> str:
        return self.arns.get(key, f"arn:aws:iam::{self.account}:user/{key}")

    def _may_ask(self, region: str) -> bool:
        asked = self._asked.setdefault(region, deque(maxlen=A_SECOND))
        now = monotonic()
        if len(asked) == A_SECOND and now - asked[0] < 1:
            return False
        asked.append(now)
        return True


def _caller(headers: Mapping[str, str]) -> tuple[str, str]:
    """The access key and the region that a request is signed with."""
    found = _CREDENTIAL.search(headers.get("Authorization", ""))
    return (found["key"], found["region"]) if found else ("", "")


def _element(name: str, answer: bytes) -> re.Match[bytes] | None:
    return re.search(rf"<{name}>([^<]+)</{name}>".encode(), answer)


def _parameters(form: Mapping[str, str]) -> dict[str, Any]:
    """What was asked, as records of EC2's older actions have it."""
    asked: dict[str, Any] = {"imageId": form.get("ImageId", "")}
    for side in ("Add", "Remove"):
        groups = [
            value
            for name, value in form.items()
            if re.fullmatch(rf"LaunchPermission\.{side}\.\d+\.Group", name)
        ]
        if groups:
            permission = {side.lower(): {"items": [{"group": each} for each in groups]}}
            asked |= {"launchPermission": permission, "attributeType": "launchPermission"}
    return asked


def _problem(asked: Mapping[str, Any]) -> tuple[str, str] | None:
    """Why a request is refused, as code and words."""
    attributes = asked.get("LookupAttributes", [])
    if len(attributes) > 1 or any(each.get("AttributeKey") not in _ATTRIBUTES for each in attributes):
        return "InvalidLookupAttributesException", "One lookup attribute is supported, of a known key."
    if not 1 <= asked.get("MaxResults", MOST) <= MOST:
        return "InvalidMaxResultsException", "MaxResults is from 1 to 50."
    since, until = _moment(asked.get("StartTime")), _moment(asked.get("EndTime"))
    if since is not None and until is not None and since > until:
        return "InvalidTimeRangeException", "The start time is later than the end time."
    if not str(asked.get("NextToken", "0")).isdigit():
        return "InvalidNextTokenException", "The token is not valid."
    return None


def _moment(given: float | None) -> datetime | None:
    return None if given is None else datetime.fromtimestamp(given, UTC)


def _pairs(asked: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    return [(each["AttributeKey"], each["AttributeValue"]) for each in asked.get("LookupAttributes", [])]


def _fits(event: _Logged, key: str, value: str) -> bool:
    match key:
        case "ResourceName":
            return value in event.images
        case "EventName":
            return bool(event.record["eventName"] == value)
        case "EventId":
            return bool(event.record["eventID"] == value)
        case "EventSource":
            return bool(event.record["eventSource"] == value)
        case "AccessKeyId":
            return bool(event.record["userIdentity"]["accessKeyId"] == value)
        case "Username":
            return bool(event.record["userIdentity"]["arn"].rpartition("/")[2] == value)
        case "ReadOnly":
            return value == "false"
        case _:  # ResourceType
            return bool(event.images) and value == "AWS::EC2::Ami"


def _shown(event: _Logged) -> dict[str, Any]:
    record = event.record
    return {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": "false",
        "AccessKeyId": record["userIdentity"]["accessKeyId"],
        "EventTime": event.at.timestamp(),
        "EventSource": record["eventSource"],
        "Username": record["userIdentity"]["arn"].rpartition("/")[2],
        "Resources": [{"ResourceType": "AWS::EC2::Ami", "ResourceName": each} for each in event.images],
        "CloudTrailEvent": json.dumps(record),
    }


def _error(code: str, words: str) -> web.Response:
    body = json.dumps({"__type": code, "Message": words})
    return web.Response(body=body, status=400, content_type=_JSON)
