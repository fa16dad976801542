"""Access keys of IAM users: whole listings, and when each was used last."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from slipway.bot.clouds.aws.access_keys import AwsAccessKeys
from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.simulated.aws.seed import SeedMachines
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind
from tests.support.aws import aws_settings, simulated_aws
from tests.support.clock import NOW
from tests.support.clouds import cloud_context

POLICY = Path(__file__).parents[3] / "deploy" / "aws-credentials-policy.json"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Iam:
    """A simulated IAM, plain boto3, and the adapter."""

    plain: Any
    keys: AwsAccessKeys
    aws: SimulatedAws

    async def call(self, operation: str, **parameters: object) -> Any:
        """One call of boto3's own."""
        return await asyncio.to_thread(getattr(self.plain, operation), **parameters)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam() -> AsyncIterator[Iam]:
    from boto3.session import Session

    async with simulated_aws(SeedMachines(now=NOW)) as aws:
        session = Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        adapter = AwsAccessKeys(AwsAccount(aws_settings(aws.url), cloud_context("aws")))
        try:
            yield Iam(session.client("iam", endpoint_url=aws.url), adapter, aws)
        finally:
            await adapter.close()


async def test_keys_are_listed_with_their_age_and_use_and_the_inactive_ones_too(iam: Iam) -> None:
    for user in ("uploader", "other"):
        await iam.call("create_user", UserName=user)
    made = [(await iam.call("create_access_key", UserName="uploader"))["AccessKey"] for _ in range(2)]
    await iam.call(
        "update_access_key", UserName="uploader", AccessKeyId=made[1]["AccessKeyId"], Status="Inactive"
    )
    assert {"other", "uploader"} <= set(await iam.keys.users())
    found = {each.id: each for each in await iam.keys.keys("uploader")}
    assert list(found) == [each["AccessKeyId"] for each in made]
    first, second = found.values()
    assert (first.active, second.active) == (True, False)
    assert first.created_at == made[0]["CreateDate"]
    assert (first.used_at, first.used_for) == (None, "")
    assert all(each["SecretAccessKey"] not in repr(found) for each in made)
    assert list(await iam.keys.keys("other")) == []


async def test_a_key_that_was_used_says_when_and_for_what(iam: Iam) -> None:
    from boto3.session import Session

    await iam.call("create_user", UserName="used")
    made = (await iam.call("create_access_key", UserName="used"))["AccessKey"]
    session = Session(made["AccessKeyId"], made["SecretAccessKey"], region_name="us-east-1")
    sts = session.client("sts", endpoint_url=iam.plain.meta.endpoint_url)
    await asyncio.to_thread(sts.get_caller_identity)
    (found,) = await iam.keys.keys("used")
    assert found.used_at is not None
    assert found.used_for == "sts"


async def test_a_user_who_is_not_there_is_not_a_user_without_keys(iam: Iam) -> None:
    with pytest.raises(CloudError) as caught:
        await iam.keys.keys("nobody")
    assert caught.value.kind is CloudErrorKind.NOT_FOUND
    assert "there is no such user" in caught.value.sentence


async def test_a_refusal_names_what_was_not_listed(iam: Iam) -> None:
    iam.aws.faults.add(Fault(kind=FaultKind.REFUSE, match="ListUsers", code="AccessDenied"))
    with pytest.raises(CloudError) as caught:
        await iam.keys.users()
    assert "list the users" in caught.value.sentence


async def test_the_policy_that_is_shipped_allows_what_is_asked_for_and_nothing_else(iam: Iam) -> None:
    await iam.call("create_user", UserName="looked-at")
    await iam.call("create_access_key", UserName="looked-at")
    before = len(iam.aws.requests)
    await iam.keys.users()
    await iam.keys.keys("looked-at")
    asked = {f"iam:{each.label}" for each in iam.aws.requests[before:]}
    (statement,) = json.loads(POLICY.read_text("utf-8"))["Statement"]
    assert set(statement["Action"]) == asked
