"""The rules that need no cloud: what an error code means, and what an answer must hold."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.aws.calls import longest_call
from slipway.bot.clouds.aws.errors import Ec2Request, UnexpectedResponseError, translate_client_error
from slipway.bot.clouds.aws.instance_types import read_instance_type
from slipway.bot.clouds.aws.responses import (
    Origin,
    read_image,
    read_instance,
    read_name,
)
from slipway.bot.clouds.aws.templates import read_template
from slipway.bot.clouds.simulated.aws.seed import fedora_machines
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.reasons import clean_reason
from tests.support.aws import aws_settings
from tests.support.clock import NOW

ORIGIN = Origin("aws", "us-east-1")
REQUEST = Ec2Request("launch 1 machine from ami-1", changes=True)

MEANINGS = {
    "InsufficientInstanceCapacity": CloudErrorKind.CAPACITY,
    "InstanceLimitExceeded": CloudErrorKind.QUOTA,
    "VcpuLimitExceeded": CloudErrorKind.QUOTA,
    "InsufficientFreeAddressesInSubnet": CloudErrorKind.CONFIGURATION,
    "RequestLimitExceeded": CloudErrorKind.THROTTLED,
    "Throttling": CloudErrorKind.THROTTLED,
    "UnauthorizedOperation": CloudErrorKind.REFUSED,
    "AuthFailure": CloudErrorKind.REFUSED,
    "ExpiredToken": CloudErrorKind.REFUSED,
    "RequestExpired": CloudErrorKind.REFUSED,
    "OptInRequired": CloudErrorKind.REFUSED,
    "InvalidAMIID.NotFound": CloudErrorKind.NOT_FOUND,
    "InvalidAMIID.Malformed": CloudErrorKind.NOT_FOUND,
    "InvalidAMIID.Unavailable": CloudErrorKind.CONFLICT,
    "InvalidLaunchTemplateName.NotFoundException": CloudErrorKind.NOT_FOUND,
    "InvalidLaunchTemplateId.VersionNotFound": CloudErrorKind.NOT_FOUND,
    "InvalidKeyPair.NotFound": CloudErrorKind.CONFIGURATION,
    "InvalidGroup.NotFound": CloudErrorKind.CONFIGURATION,
    "InvalidParameterValue": CloudErrorKind.CONFIGURATION,
    "OperationNotPermitted": CloudErrorKind.CONFLICT,
    "IdempotentParameterMismatch": CloudErrorKind.CONFLICT,
    "IncorrectInstanceState": CloudErrorKind.CONFLICT,
    "SomethingNew": CloudErrorKind.INVALID,
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)

WHOLE: dict[str, Any] = {
    "ImageId": "ami-1",
    "Name": "an image",
    "Architecture": "arm64",
    "State": "available",
    "OwnerId": "125523088429",
    "CreationDate": "2026-11-10T00:00:00.000Z",
    "DeprecationTime": "2028-11-10T00:00:00.000Z",
    "InstanceId": "i-1",
    "InstanceType": "t3.small",
    "LaunchTime": datetime(2026, 11, 20, tzinfo=UTC),
    "PublicIpAddress": "192.0.2.1",
    "Tags": [{"Key": "slipway", "Value": "demo"}],
    "LaunchTemplateId": "lt-1",
    "LaunchTemplateName": "slipway-small",
    "VersionNumber": 2,
    "LaunchTemplateData": {"InstanceType": "t3.small"},
    "ProcessorInfo": {"SupportedArchitectures": ["arm64"]},
}


def _client_error(code: str, message: str = "", status: int = 400) -> Any:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return SimpleNamespace(response=response)


@pytest.mark.parametrize(("code", "kind"), MEANINGS.items())
def test_an_error_code_has_its_meaning(code: str, kind: CloudErrorKind) -> None:
    error = translate_client_error(_client_error(code), REQUEST)
    assert (error.kind, error.code) == (kind, code)
    assert f"({code})" in error.sentence


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_unknown_error_of_the_cloud_itself_is_its_own(status: int) -> None:
    error = translate_client_error(_client_error("SomethingNew", status=status), REQUEST)
    assert error.kind is CloudErrorKind.BROKEN


@given(code=st.text(max_size=200), message=st.text(max_size=2000), status=st.integers(400, 599))
def test_whatever_the_cloud_says_is_one_short_sentence_and_its_own_line_beside_it(
    code: str, message: str, status: int
) -> None:
    error = translate_client_error(_client_error(code, message, status), REQUEST)
    assert isinstance(error, CloudError)
    did = "It is not known whether AWS did" if error.doubtful else "AWS did not"
    assert error.sentence.startswith(f"{did} launch 1 machine from ami-1: ")
    assert error.sentence.isprintable()
    assert len(error.sentence) < 300
    assert error.reason == clean_reason(message)


@pytest.mark.parametrize(
    ("code", "status", "doubtful"),
    [
        ("InternalError", 500, True),
        ("Unavailable", 503, True),
        ("SomethingNew", 500, True),
        ("SomethingNew", 400, False),
        ("InsufficientInstanceCapacity", 500, False),
        ("RequestLimitExceeded", 503, False),
        ("UnauthorizedOperation", 403, False),
    ],
)
def test_an_error_of_the_cloud_itself_leaves_open_whether_a_change_was_made(
    code: str, status: int, doubtful: bool
) -> None:
    answer = _client_error(code, status=status)
    assert translate_client_error(answer, REQUEST).doubtful is doubtful
    assert not translate_client_error(answer, Ec2Request("list images")).doubtful


def test_a_clear_refusal_after_an_unclear_answer_is_not_clear() -> None:
    answer = _client_error("RequestLimitExceeded", status=503)
    error = translate_client_error(answer, REQUEST, doubtful=True)
    assert error.sentence.startswith("It is not known whether AWS did launch 1 machine from ami-1: too many")


def test_the_encoded_part_of_a_refusal_is_cut_off_before_anything_else() -> None:
    words = "You are not authorized to perform this operation."
    answer = _client_error(
        "UnauthorizedOperation", f"{words} Encoded authorization failure message: a b c", 403
    )
    assert translate_client_error(answer, REQUEST).reason == words


@pytest.mark.parametrize(
    ("state_reason", "kind", "code"),
    [
        (
            {"Code": "Server.InternalError", "Message": "Client.InternalError: Client error on launch"},
            CloudErrorKind.CONFIGURATION,
            "Client.InternalError",
        ),
        (
            {"Code": "Server.InternalError", "Message": "Client.VolumeLimitExceeded: Volume limit exceeded"},
            CloudErrorKind.QUOTA,
            "Client.VolumeLimitExceeded",
        ),
        (
            {"Code": "Server.InsufficientInstanceCapacity", "Message": "Server.InsufficientInstanceCapacity"},
            CloudErrorKind.CAPACITY,
            "Server.InsufficientInstanceCapacity",
        ),
        (
            {"Code": "Client.InvalidSnapshot.NotFound"},
            CloudErrorKind.CONFIGURATION,
            "Client.InvalidSnapshot.NotFound",
        ),
        ({"Code": "Server.InternalError"}, CloudErrorKind.BROKEN, "Server.InternalError"),
        (
            {
                "Code": "Client.UserInitiatedShutdown",
                "Message": "Client.UserInitiatedShutdown: User initiated shutdown",
            },
            CloudErrorKind.UNVERIFIED,
            "Client.UserInitiatedShutdown",
        ),
        ({"Message": "gone"}, CloudErrorKind.UNVERIFIED, ""),
    ],
)
def test_a_machine_that_is_gone_tells_why(
    state_reason: dict[str, str], kind: CloudErrorKind, code: str
) -> None:
    end = read_instance({**WHOLE, "State": {"Name": "terminated"}, "StateReason": state_reason}, ORIGIN).end
    assert end is not None
    assert (end.kind, end.code) == (kind, code)
    assert end.reason == (state_reason.get("Message") or state_reason["Code"])


@pytest.mark.parametrize("state_reason", [None, {}, {"Code": "", "Message": ""}])
def test_a_machine_that_is_gone_without_a_word_tells_nothing(state_reason: object) -> None:
    answer = {**WHOLE, "State": {"Name": "terminated"}, "StateReason": state_reason}
    assert read_instance(answer, ORIGIN).end is None


def test_a_start_after_a_stop_makes_a_machine_no_younger() -> None:
    launched, started = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)
    primary = {"Attachment": {"DeviceIndex": 0, "AttachTime": launched}}
    added = {"Attachment": {"DeviceIndex": 1, "AttachTime": launched - timedelta(days=9)}}
    answer = {**WHOLE, "State": {"Name": "running"}, "LaunchTime": started}
    assert read_instance(answer, ORIGIN).launched_at == started
    interfaces = [added, {"NetworkInterfaceId": "eni-1"}, primary]
    assert read_instance({**answer, "NetworkInterfaces": interfaces}, ORIGIN).launched_at == launched


@pytest.mark.parametrize("name", [*WHOLE, "State", "StateReason", "NetworkInterfaces"])
@given(value=json_values)
def test_a_broken_part_of_an_answer_is_reported_and_nothing_else_breaks(name: str, value: object) -> None:
    """A reader gives something, or says that the answer is unexpected; it raises nothing else."""
    answer = {**WHOLE, "State": {"Name": "terminated"}, name: value}
    readers: list[Callable[[], object]] = [
        lambda: read_image(answer, ORIGIN),
        lambda: read_instance(answer, ORIGIN),
        lambda: read_template(answer),
        lambda: read_instance_type(answer),
        lambda: read_name(answer),
    ]
    for reader in readers:
        with suppress(UnexpectedResponseError):
            reader()


@pytest.mark.parametrize("missing", ["ImageId", "Architecture", "State", "OwnerId"])
def test_an_image_without_what_every_image_has_is_unexpected(missing: str) -> None:
    with pytest.raises(UnexpectedResponseError, match=missing):
        read_image({name: value for name, value in WHOLE.items() if name != missing}, ORIGIN)


def test_a_machine_in_a_state_that_ec2_does_not_have_is_unexpected() -> None:
    with pytest.raises(UnexpectedResponseError, match="State"):
        read_instance({**WHOLE, "State": {"Name": "dreaming"}}, ORIGIN)


def test_a_call_has_time_for_all_its_attempts_and_the_waits_between_them() -> None:
    allowed = longest_call(aws_settings("http://127.0.0.1", timeout=timedelta(seconds=10), max_attempts=3))
    assert allowed == timedelta(seconds=3 * (10 + 5) + 1 + 2)


@given(days=st.integers(0, 30_000))
def test_the_seed_is_believable_at_any_time(days: int) -> None:
    now = NOW + timedelta(days=days)
    seed = fedora_machines(now)
    assert len({image.id for image in seed.images}) == len({image.name for image in seed.images})
    assert len({image.id for image in seed.images}) == len(seed.images)
    assert all(image.created_at < now for image in seed.images)
    assert {image.architecture for image in seed.images} == {"x86_64", "arm64"}
    ended = [image for image in seed.images if image.deprecated_at and image.deprecated_at < now]
    assert ended
    assert all("-41-" in image.name for image in ended)
