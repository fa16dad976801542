"""Secrets in AWS Secrets Manager: staged beside what readers get, shown by a label, put back by it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.secret_store import AwsSecretStore
from slipway.bot.clouds.ports.secret_stores import SecretValue
from slipway.bot.clouds.simulated.aws.seed import SeedMachines
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.subjects.credentials.delivery.addresses import Form
from slipway.bot.subjects.credentials.delivery.deliver import commit_all, prepare_all
from slipway.bot.subjects.credentials.delivery.files import FileSink
from slipway.bot.subjects.credentials.delivery.model import Delivery, NotDeliveredError, Sink
from slipway.bot.subjects.credentials.delivery.programs import CommandSink
from slipway.bot.subjects.credentials.delivery.stores import StoreSink
from tests.support.aws import aws_settings, boto3_client, call_in_thread, simulated_aws
from tests.support.clock import NOW
from tests.support.clouds import cloud_context

POLICY = Path(__file__).parents[3] / "deploy" / "aws-secrets-policy.json"

VALUE = SecretValue(SecretStr('{"id": "AKIA1", "secret": "new"}'), "AKIA1", None)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Manager:
    """A Secrets Manager, its own client, and the adapter."""

    aws: SimulatedAws
    plain: Any
    store: AwsSecretStore

    async def made(self, name: str, **given: Any) -> str:
        """Somebody makes a secret: its ARN."""
        return str((await call_in_thread(self.plain, "create_secret", Name=name, **given))["ARN"])

    async def read(self, name: str, label: str = "AWSCURRENT") -> str:
        """What a reader gets."""
        found = await call_in_thread(self.plain, "get_secret_value", SecretId=name, VersionStage=label)
        return str(found["SecretString"])

    async def labels(self, name: str) -> list[str]:
        """Those of all versions."""
        found = await call_in_thread(self.plain, "describe_secret", SecretId=name)
        held = found.get("VersionIdsToStages", {})
        return sorted(label for labels in held.values() for label in labels)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def manager() -> AsyncIterator[Manager]:
    async with simulated_aws(SeedMachines(now=NOW)) as aws:
        store = AwsSecretStore(AwsAccount(aws_settings(aws.url), cloud_context("aws")))
        yield Manager(aws, await asyncio.to_thread(boto3_client, aws.url, "secretsmanager"), store)
        await store.close()


async def test_a_version_shows_at_once_and_is_put_back_by_its_label_with_the_rights_that_are_shipped(
    manager: Manager,
) -> None:
    arn = await manager.made("uploader", SecretString="before")
    before = len(manager.aws.requests)
    await manager.store.look("uploader")
    staged = await manager.store.stage(arn, VALUE)
    assert await manager.read("uploader") == "before", "nothing shows before the commit"
    again = await manager.store.stage("uploader", VALUE)
    await again.discard()
    await staged.commit()
    assert await manager.read("uploader") == VALUE.text.get_secret_value()
    assert await manager.read("uploader", "AWSPREVIOUS") == "before"
    assert await staged.undo()
    assert await manager.read("uploader") == "before"
    assert await manager.labels("uploader") == ["AWSCURRENT"]
    ours = {"CreateSecret", "GetSecretValue"}
    asked = {
        f"secretsmanager:{each.label}" for each in manager.aws.requests[before:] if each.label not in ours
    }
    (statement,) = json.loads(POLICY.read_text("utf-8"))["Statement"]
    assert set(statement["Action"]) == asked
    assert "new" not in repr(staged)


async def test_the_first_version_of_a_secret_waits_for_the_commit_and_cannot_be_taken_back(
    manager: Manager,
) -> None:
    await manager.made("empty")
    staged = await manager.store.stage("empty", VALUE)
    assert await manager.labels("empty") == []
    await staged.commit()
    assert await manager.read("empty") == VALUE.text.get_secret_value()
    assert not await staged.undo()


async def test_an_answer_that_is_lost_is_doubted_and_put_back(manager: Manager) -> None:
    await manager.made("lost", SecretString="before")
    staged = await manager.store.stage("lost", VALUE)
    manager.aws.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="UpdateSecretVersionStage"))
    with pytest.raises(CloudError) as lost:
        await staged.commit()
    assert lost.value.doubtful
    assert await manager.read("lost") == VALUE.text.get_secret_value()
    assert await staged.undo()
    assert await manager.read("lost") == "before"


async def test_what_is_missing_is_said_before_anything_is_put_there(manager: Manager) -> None:
    with pytest.raises(CloudError, match="there is no such secret; somebody makes it once") as missing:
        await manager.store.stage("nowhere", VALUE)
    assert missing.value.kind is CloudErrorKind.CONFIGURATION
    await manager.made("going", SecretString="x")
    await call_in_thread(manager.plain, "delete_secret", SecretId="going")
    with pytest.raises(CloudError, match="it is to be deleted"):
        await manager.store.look("going")
    denied = Fault(kind=FaultKind.REFUSE, match="DescribeSecret", code="AccessDeniedException")
    manager.aws.faults.add(denied)
    with pytest.raises(CloudError, match="lacks the permission") as refused:
        await manager.store.look("uploader")
    assert refused.value.kind is CloudErrorKind.REFUSED


async def test_of_several_places_all_have_it_or_none(manager: Manager, tmp_path: Path) -> None:
    await manager.made("several", SecretString="before")
    file = tmp_path / "keys"
    delivery = Delivery("AKIA1", SecretStr("new"), "AKIA1", None)

    def places(status: int, timeout: float = 20) -> list[Sink]:
        words = (sys.executable, "-c", f"raise SystemExit({status})")
        return [
            CommandSink("the command push", words, Form.JSON, 20),
            StoreSink("the secret several", manager.store, "several", Form.JSON, timeout),
            FileSink("the file keys", file, Form.AWS, 20),
        ]

    with pytest.raises(NotDeliveredError, match="command push: it ended with status 3") as failed:
        await commit_all(await prepare_all(places(3), delivery))
    assert failed.value.kept == ()
    assert (await manager.read("several"), file.exists()) == ("before", False)
    held = manager.aws.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="UpdateSecretVersionStage"))
    with pytest.raises(NotDeliveredError, match="may or may not have been put into the secret") as slow:
        await commit_all(await prepare_all(places(0, 0.5), delivery))
    assert slow.value.kept == ("the secret several",), "it may be moved yet"
    assert (await manager.read("several"), file.exists()) == ("before", False)
    held.release()
    await commit_all(await prepare_all(places(0), replace(delivery, key="AKIA2")))
    assert json.loads(await manager.read("several"))["key_id"] == "AKIA2"
    assert "aws_secret_access_key = new" in file.read_text()
