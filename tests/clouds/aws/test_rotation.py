"""Access keys made, tried, made inactive and deleted, in an IAM that checks who asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.errors import Ec2Request
from slipway.bot.clouds.aws.key_rotation import AwsKeyRotation
from slipway.bot.clouds.ports.credential_rotation import FreshKey
from slipway.bot.clouds.simulated.aws.seed import SeedMachines
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind
from tests.support.aws import aws_settings, boto3_client, simulated_aws
from tests.support.clock import NOW
from tests.support.clouds import cloud_context

POLICY = Path(__file__).parents[3] / "deploy" / "aws-rotation-policy.json"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Iam:
    """An IAM that refuses whoever lacks the right, and the adapter with no more than what is shipped."""

    aws: SimulatedAws
    port: AwsKeyRotation
    account: AwsAccount

    def accepts(self, fresh: FreshKey) -> Any:
        """Whether the user can log in."""
        return self.port.accepts("uploader", fresh)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def iam() -> AsyncIterator[Iam]:
    async with simulated_aws(SeedMachines(now=NOW)) as aws:
        plain = boto3_client(aws.url, "iam")

        def prepare() -> dict[str, str]:
            for user in ("uploader", "slipway"):
                plain.create_user(UserName=user)
            # moto asks for rights on everything, whomever a request is about.
            document = POLICY.read_text("utf-8").replace("arn:aws:iam::123456789012:user/uploader", "*")
            plain.put_user_policy(UserName="slipway", PolicyName="rotation", PolicyDocument=document)
            made: dict[str, str] = plain.create_access_key(UserName="slipway")["AccessKey"]
            # From here on it looks at who asks, and what they may.
            connection = HTTPConnection(aws.url.removeprefix("http://"))
            connection.request("POST", "/moto-api/reset-auth", b"0")
            assert connection.getresponse().status == 200
            connection.close()
            return made

        made = await asyncio.to_thread(prepare)
        settings = aws_settings(
            aws.url,
            access_key_id=SecretStr(made["AccessKeyId"]),
            secret_access_key=SecretStr(made["SecretAccessKey"]),
        )
        account = AwsAccount(settings, cloud_context("aws"))
        port = AwsKeyRotation(account)
        try:
            yield Iam(aws, port, account)
        finally:
            await port.close()


async def test_a_key_goes_its_way_with_the_rights_that_are_shipped_and_no_others(iam: Iam) -> None:
    before = len(iam.aws.requests)
    fresh = await iam.port.create("uploader", "unused", None)
    fault = Fault(kind=FaultKind.REFUSE, match="GetCallerIdentity", code="InvalidClientTokenId", times=1)
    iam.aws.faults.add(fault)
    assert [await iam.accepts(fresh) for _ in range(2)] == [False, True]
    assert not await iam.accepts(FreshKey(fresh.id, fresh.login, SecretStr("wrong"), None))
    second = await iam.port.create("uploader", "unused", None)
    with pytest.raises(CloudError, match="the user has two access keys already") as full:
        await iam.port.create("uploader", "unused", None)
    assert full.value.kind is CloudErrorKind.QUOTA
    await iam.port.deactivate("uploader", fresh.id)
    assert [(each.id, each.active) for each in await iam.port.keys("uploader")] == [
        (fresh.id, False),
        (second.id, True),
    ]
    for _ in range(2):
        await iam.port.remove("uploader", fresh.id)
    assert not await iam.accepts(fresh)
    assert [each.id for each in await iam.port.keys("uploader")] == [second.id]
    with pytest.raises(CloudError, match="it is of another user"):
        await iam.port.accepts("somebody", second)
    with pytest.raises(CloudError) as gone:
        await iam.port.remove("nobody", fresh.id)
    assert gone.value.kind is CloudErrorKind.NOT_FOUND
    asked = {f"iam:{each.label}" for each in iam.aws.requests[before:] if each.label != "GetCallerIdentity"}
    keys, log = json.loads(POLICY.read_text("utf-8"))["Statement"]
    assert set(keys["Action"]) == asked
    assert log["Action"] == "cloudtrail:LookupEvents"


async def test_the_trail_tells_which_keys_slipway_made_and_for_what(iam: Iam) -> None:
    for each in await iam.port.keys("uploader"):
        await iam.port.remove("uploader", each.id)
    ours = await iam.port.create("uploader", "do:42:stage", None)
    plain = iam.account.calls("us-east-1", "iam")
    theirs = await plain.call(
        Ec2Request("make a key"),
        "create_access_key",
        lambda made: str(made["AccessKey"]["AccessKeyId"]),
        UserName="uploader",
    )
    made = await iam.port.makers("uploader", datetime.now(UTC) - timedelta(minutes=1))
    assert made[ours.id] == "do:42:stage"
    assert made[theirs] == ""
    assert await iam.port.makers("somebody", datetime.now(UTC) - timedelta(minutes=1)) == {}
    iam.aws.trail.refuses = True
    assert await iam.port.makers("uploader", datetime.now(UTC) - timedelta(minutes=1)) == {}
    iam.aws.trail.refuses = False


async def test_an_answer_that_cannot_be_read_is_told_nowhere_for_it_may_hold_the_secret(iam: Iam) -> None:
    body = "<CreateAccessKeyResponse><SecretAccessKey>ToldHalf"
    iam.aws.faults.add(Fault(kind=FaultKind.GARBAGE, match="CreateAccessKey", body=body, times=1))
    with pytest.raises(CloudError) as odd:
        await iam.port.create("uploader", "unused", None)
    assert odd.value.kind is CloudErrorKind.UNEXPECTED_ANSWER
    assert odd.value.doubtful
    seen: BaseException | None = odd.value
    while seen is not None:
        assert "ToldHalf" not in repr(seen)
        seen = seen.__cause__ or seen.__context__


async def test_keys_that_are_replaced_in_their_file_are_taken_up_without_a_restart(
    iam: Iam, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    for each in await iam.port.keys("uploader"):
        await iam.port.remove("uploader", each.id)
    keys = [await iam.port.create("uploader", "unused", None)]
    settings = aws_settings(iam.aws.url, access_key_id=None, secret_access_key=None)
    account = AwsAccount(settings, cloud_context("aws"))
    calls = account.calls("us-east-1", "sts")

    async def who() -> str:
        written = f"[default]\naws_access_key_id = {keys[-1].login}\n"
        file.write_text(f"{written}aws_secret_access_key = {keys[-1].secret.get_secret_value()}\n")
        return await calls.call(
            Ec2Request("say who one is"), "get_caller_identity", lambda found: str(found["Arn"])
        )

    try:
        assert (await who()).endswith("user/uploader")
        keys.append(await iam.port.create("uploader", "unused", None))
        await iam.port.remove("uploader", keys[0].id)
        assert (await who()).endswith("user/uploader")
    finally:
        account.close()
