"""Every error code of EC2 as people are told it: ``ec2_codes.md``, agreed as a golden file.

``SLIPWAY_UPDATE_GOLDEN=1 pytest tests/clouds/aws/test_codes.py`` writes it anew. The codes and their causes are those
of the Amazon EC2 API Reference, "Error codes for the Amazon EC2 API", as far as launching, ending and looking can
bring them.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from slipway.bot.clouds.aws.error_codes import MEANINGS
from slipway.bot.clouds.aws.errors import Ec2Request, translate_client_error
from slipway.bot.clouds.simulated.aws.messages import MESSAGES, STATUS, UNSAID
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.operations.model import Failure

GOLDEN = Path(__file__).with_name("ec2_codes.md")

BY_FORM = (
    "AddressLimitExceeded",
    "HostLimitExceeded",
    "InstanceLimitExceeded",
    "InsufficientCapacity",
    "InsufficientHostCapacity",
    "InsufficientInstanceCapacity",
    "InsufficientReservedInstanceCapacity",
    "InsufficientReservedInstancesCapacity",
    "InsufficientVolumeCapacity",
    "InvalidCapacityReservationId.NotFound",
    "InvalidGroup.NotFound",
    "InvalidGroupId.Malformed",
    "InvalidHostID.NotFound",
    "InvalidIamInstanceProfile.NotFound",
    "InvalidIamInstanceProfileArn.Malformed",
    "InvalidKernelId.Malformed",
    "InvalidKeyPair.NotFound",
    "InvalidNetworkInterfaceID.NotFound",
    "InvalidPlacementGroup.Unknown",
    "InvalidSecurityGroupID.NotFound",
    "InvalidSecurityGroupId.Malformed",
    "InvalidSnapshot.NotFound",
    "InvalidSubnetID.Malformed",
    "InvalidSubnetID.NotFound",
    "InvalidSubnetId.NotFound",
    "InvalidVpcID.NotFound",
    "InvalidZone.NotFound",
    "MaxIOPSLimitExceeded",
    "NetworkInterfaceLimitExceeded",
    "PendingSnapshotLimitExceeded",
    "ResourceLimitExceeded",
    "SnapshotLimitExceeded",
    "VcpuLimitExceeded",
    "VolumeLimitExceeded",
)
"""Codes that are told by how they are formed."""

OF_ITEM_8 = (
    "InsufficientCapacityOnHost",
    "InsufficientFreeAddressesInSubnet",
    "InvalidBlockDeviceMapping",
    "InvalidIamInstanceProfileArn.Malformed",
    "InvalidParameterValue",
    "InvalidTagKey.Malformed",
    "MaxSpotInstanceCountExceeded",
    "ResourceCountExceeded",
    "Unsupported",
)
"""Those that once read as something else; the simulated EC2 says of each what the real one does."""

CODES = sorted({*MEANINGS, *BY_FORM})

_ASKED = {
    "IncorrectInstanceState": ("terminate i-1", "terminate i-1"),
    "InvalidInstanceID.Malformed": ("terminate i-1", "terminate i-1"),
    "InvalidInstanceID.NotFound": ("terminate i-1", "terminate i-1"),
    "InvalidInstanceState": ("terminate i-1", "terminate i-1"),
    "OperationNotPermitted": ("terminate i-1", "terminate i-1"),
    "InvalidUserID.Malformed": ("list images", "launch IMAGE"),
}
"""What was asked, and typed, where it was not a launch."""


def _error(code: str) -> CloudError:
    action, _ = _ASKED.get(code, ("launch 1 machine from ami-1", ""))
    status = STATUS.get(code, 400)
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return translate_client_error(SimpleNamespace(response=response), Ec2Request(action, changes=True))


def _row(code: str) -> str:
    error = _error(code)
    failure = Failure.of(error, _ASKED.get(code, ("", "launch IMAGE"))[1])
    when = f", {failure.when}" if failure.when else ""
    cells = (
        f"`{code}`",
        error.kind.value,
        failure.sentence,
        failure.responsible.value,
        f"Next{when}: `!{failure.hint}`",
    )
    return f"| {' | '.join(cells)} |"


def _messages() -> list[str]:
    return [f"| `{code}` | {MESSAGES[code].partition(' Encoded')[0]} |" for code in sorted(MESSAGES)]


def table() -> str:
    """The golden file."""
    lines = [
        "# EC2's error codes, as people are told them",
        "",
        "Written by `SLIPWAY_UPDATE_GOLDEN=1 pytest tests/clouds/aws/test_codes.py`. EC2's own message stands beside",
        "each sentence, cleaned and cut to a line. What became of a launch after one that is not known is looked up",
        "before anything is said.",
        "",
        "| Code | Cause | What is said | Whose move | Next command |",
        "| --- | --- | --- | --- | --- |",
        *(_row(code) for code in CODES),
        "",
        "## What the simulated EC2 says beside a code",
        "",
        "Sources: `bot/clouds/simulated/aws/messages.py`.",
        "",
        "| Code | Message |",
        "| --- | --- |",
        *_messages(),
    ]
    return "\n".join(lines) + "\n"


def test_what_is_said_of_every_code_is_what_was_agreed() -> None:
    if os.environ.get("SLIPWAY_UPDATE_GOLDEN"):
        GOLDEN.write_text(table(), "utf-8")
    assert GOLDEN.read_text("utf-8") == table()


@pytest.mark.parametrize("code", CODES)
def test_no_known_code_is_told_as_an_invalid_request_of_the_requesters(code: str) -> None:
    error = _error(code)
    assert error.kind is not CloudErrorKind.INVALID or error.remedy.when
    assert "does not take the request as it is" not in error.sentence
    assert len(error.sentence) < 250


@pytest.mark.parametrize("code", OF_ITEM_8)
def test_the_simulated_ec2_has_the_real_words_for_it(code: str) -> None:
    assert MESSAGES[code] != UNSAID
    assert code in CODES


def test_the_simulated_ec2_says_nothing_that_nobody_has_agreed_how_to_tell() -> None:
    assert MESSAGES.keys() <= set(CODES)
    assert STATUS.keys() <= set(CODES)
