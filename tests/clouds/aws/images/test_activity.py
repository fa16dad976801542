"""Who changed an AMI, by CloudTrail: the simulated one refuses as the real one does, and boto3 is unmodified."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from slipway.bot.clouds.aws.images.activity import _event, _fitting
from slipway.bot.clouds.ports.image_activity import Author, VersionEvent
from slipway.bot.clouds.simulated.aws.trail import A_SECOND
from slipway.bot.core.errors import CloudError, CloudErrorKind
from tests.support.ami_families import AWAY, FAMILY, HOME, client, everywhere, number, shared_stages
from tests.support.clock import NOW

DURING = (NOW - timedelta(hours=1), NOW)
DAN = "arn:aws:iam::123456789012:user/dan"


async def test_who_changed_an_image_is_found_once_the_history_has_it_and_refusals_are_the_services_own() -> (
    None
):
    async with shared_stages() as stages:
        here = await stages.make(everywhere("20261101.0", public=True))
        trail, version = here.aws.trail, await here.images.version(FAMILY, number("20261101.0"))
        trail.clock, trail.arns["test"] = lambda: NOW - timedelta(minutes=5), DAN
        assert {each.partition("/")[0] for each in version.logged_as} == {HOME, AWAY}

        async def authors(event: VersionEvent) -> tuple[Author, ...]:
            return await here.images.authors(FAMILY, version.number, event, version.logged_as, DURING)

        ec2, image = client(here.aws.url), await here.id("20261101.0")
        group = [{"Group": "all"}]
        await asyncio.to_thread(ec2.modify_image_attribute, ImageId=image, LaunchPermission={"Add": group})
        await asyncio.to_thread(ec2.disable_image, ImageId=image)
        trail.clock, trail.late = lambda: NOW, timedelta(minutes=10)
        assert await authors(VersionEvent.PROMOTED) == ()
        trail.late = timedelta()
        (promoted,) = await authors(VersionEvent.PROMOTED)
        assert (promoted.name, promoted.at) == (DAN, NOW - timedelta(minutes=5))
        assert promoted.through.startswith("Boto3/")
        assert await authors(VersionEvent.HIDDEN) == ()
        (disabled,) = await authors(VersionEvent.DISABLED)  # which is not filed under the image
        assert disabled.name == DAN

        trail.refuses = True
        with pytest.raises(CloudError) as refused:
            await here.images.try_log()
        assert (refused.value.kind, refused.value.code) == (CloudErrorKind.REFUSED, "AccessDeniedException")
        trail.refuses = False
        history = client(here.aws.url, HOME, "cloudtrail")

        def code(**asked: Any) -> str:
            with pytest.raises(ClientError) as error:
                history.lookup_events(**asked)
            return str(error.value.response["Error"]["Code"])

        two = [{"AttributeKey": "EventName", "AttributeValue": each} for each in ("a", "b")]
        assert await asyncio.to_thread(code, LookupAttributes=two) == "InvalidLookupAttributesException"
        assert await asyncio.to_thread(code, MaxResults=50, NextToken="x") == "InvalidNextTokenException"
        late = {"StartTime": NOW, "EndTime": NOW - timedelta(hours=1)}
        assert await asyncio.to_thread(code, **late) == "InvalidTimeRangeException"
        page = await asyncio.to_thread(history.lookup_events, MaxResults=1)
        assert page["NextToken"]
        assert json.loads(page["Events"][0]["CloudTrailEvent"])["eventName"] == "DisableImage"
        trail.throttles = True
        for _ in range(A_SECOND):
            await asyncio.to_thread(history.lookup_events)
        assert await asyncio.to_thread(code) == "ThrottlingException"


def event(name: str, **record: Any) -> Any:
    return _event({"EventName": name, "EventTime": NOW, "CloudTrailEvent": json.dumps(record)})


@pytest.mark.parametrize(
    ("kind", "logged", "fits"),
    [
        (VersionEvent.DELETED, event("DeregisterImage", requestParameters={"imageId": "ami-1"}), True),
        (VersionEvent.DELETED, event("DeregisterImage", requestParameters={"imageId": "ami-2"}), False),
        (
            VersionEvent.DELETED,
            event("DeregisterImage", errorCode="Client.X", requestParameters={"imageId": "ami-1"}),
            False,
        ),
        (
            VersionEvent.END_OF_LIFE,
            event(
                "EnableImageDeprecation",
                requestParameters={"EnableImageDeprecationRequest": {"ImageId": "ami-1"}},
            ),
            True,
        ),
        (VersionEvent.REGIONS, event("CopyImage", responseElements={"imageId": "ami-1"}), True),
        (VersionEvent.REGIONS, event("CopyImage", requestParameters=None), False),
    ],
)
def test_an_event_counts_if_it_did_that_to_the_image(kind: VersionEvent, logged: Any, fits: bool) -> None:
    assert bool([*_fitting([logged], kind, "ami-1")]) is fits
