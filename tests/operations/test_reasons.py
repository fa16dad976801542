"""A cloud's own words beside ours: what is kept of them, where they stand, and that older ends are still read."""

from __future__ import annotations

import base64
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy, ResponsibleParty
from slipway.bot.core.probes import Finding
from slipway.bot.core.reasons import LONGEST_REASON, clean_reason
from slipway.bot.operations.model import Failure, Outcome
from slipway.bot.operations.persistence.stored import read_outcome

KEPT = [
    "Volume of size 5GB is smaller than snapshot 'snap-09e0f802c68b958b7', expect size >= 10GB",
    (
        "User: arn:aws:sts::111122223333:assumed-role/slipway/i-0abcdef1234567890 is not authorized to perform: "
        "ec2:RunInstances on resource: arn:aws:ec2:eu-west-1:111122223333:launch-template/lt-0a1b2c3d4e5f60718"
    ),
    (
        "The resource '/subscriptions/0d2bd3f4-2f1c-4b57-8b3a-7d2c9a1e6f50/resourceGroups/fedora-images/providers/"
        "Microsoft.Compute/galleries/Fedora/images/Fedora-Cloud-43-x64/versions/43.20261101.0' was not found."
    ),
    "Operation could not be completed as it results in exceeding approved standardEBDSv5Family Cores quota.",
    "Fedora-Cloud-Base-UEFI-UKI-x86_64-43-20261110 is deprecated",
    "Please visit https://aws.amazon.com/marketplace/pp?sku=ebhljmclkudu651zy27rih2x2 and accept",
    "Basic SKU addresses need Bearer authentication, not more",
    "The security token included in the request is invalid.",
    "It lacks authorization: the secret 'fedora/uploads' is not to be read, and no client secret is set.",
    "Enough InsufficientFreeAddressesInSubnet, InvalidBlockDeviceMapping and PrivateLinkServiceNetworkPolicies",
]

SECRETS = [
    ("key AKIAIOSFODNN7EXAMPLE is disabled", "AKIAIOSFODNN7EXAMPLE"),
    ("got wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY here", "K7MDENG"),
    ("see https://x.blob.core.windows.net/vhd?sv=2024-05-04&sig=abc%2Bdef for it", "sig=abc"),
    ("https://b.s3.amazonaws.com/k?X-Amz-Date=1&X-Amz-Signature=0abc&x=1 is gone", "0abc"),
    ("SharedAccessSignature sig=7nO%2F and on", "7nO"),
    ('{"password": "correct-horse", "a": 1}', "correct-horse"),
    ("header Bearer eyJhbGciOi.eyJzdWIi.c2ln was refused", "eyJzdWIi"),
    ("AccountKey=Zm9vYmFy;EndpointSuffix=core.windows.net", "Zm9vYmFy"),
    ("proxy http://bob:hunter2@proxy:3128 does not answer", "hunter2"),
    ("client_secret=a.b~c expired", "a.b~c"),
    ("Invalid client secret provided: aB18Q~d.ef_ghi~jklmnop-qrstuvwxyz01234", "ghi~jkl"),
    ("the client_secret 'a.b~c' expired", "a.b~c"),
    (
        "key -----BEGIN RSA PRIVATE KEY-----\nMIIEpAIB\nAAKCAQEA\n-----END RSA PRIVATE KEY----- is none",
        "MIIEpAIB",
    ),
    ("key -----BEGIN PRIVATE KEY-----\nMIIEpAIB\nAAKCAQEA", "AAKCAQEA"),
    ("api_key=abc and apikey: abc, pwd='abc'", "abc"),
    ("passphrase: correct, private_key=correct", "correct"),
    ("sent Authorization: Basic dXNlcjpwYXNz to it", "dXNlcjpwYXNz"),
]


@pytest.mark.parametrize("text", KEPT)
def test_what_a_reader_needs_stays_as_the_cloud_wrote_it(text: str) -> None:
    assert clean_reason(text) == text


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_what_gives_access_does_not_stay(text: str, secret: str) -> None:
    cleaned = clean_reason(text)
    assert secret not in cleaned
    assert "[…]" in cleaned


@given(seed=st.integers(0, 2**32), size=st.integers(60, 600), url_safe=st.booleans())
def test_an_encoded_blob_is_masked_wherever_it_stands(seed: int, size: int, url_safe: bool) -> None:
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    blob = encode(Random(seed).randbytes(size)).decode()
    cleaned = clean_reason(f"Not allowed. Encoded message: {blob} and the end")
    assert blob[:24] not in cleaned
    assert cleaned.startswith("Not allowed. Encoded message: ")
    assert cleaned.endswith(("and the end", "…"))


@given(st.text(max_size=2000))
def test_whatever_comes_is_one_short_printable_line(text: str) -> None:
    cleaned = clean_reason(text)
    assert len(cleaned) <= LONGEST_REASON
    assert cleaned.isprintable()
    assert "`" not in cleaned
    assert clean_reason(cleaned) == cleaned


def test_a_cut_is_marked_and_between_words() -> None:
    cleaned = clean_reason("word " * 100)
    assert cleaned.endswith("word…")


def _error() -> CloudError:
    return CloudError(
        CloudErrorKind.CONFIGURATION,
        cloud="aws",
        sentence="AWS did not launch it: its disk does not fit.",
        code="InvalidBlockDeviceMapping",
        reason="Volume of size 5GB\nis smaller",
        remedy=Remedy("help launch", "once the template is changed"),
    )


def test_a_failure_keeps_the_reason_the_remedy_and_whose_move_it_is() -> None:
    failure = Failure.of(_error(), "launch x")
    assert failure.reason == "Volume of size 5GB is smaller"
    assert failure.words.endswith("does not fit. The cloud says: “Volume of size 5GB is smaller”")
    assert (failure.hint, failure.when) == ("help launch", "once the template is changed")
    assert failure.responsible is ResponsibleParty.ADMIN


def test_what_is_typed_again_where_an_error_knows_nothing_better_is_the_same() -> None:
    error = CloudError(CloudErrorKind.BROKEN, cloud="aws", sentence="It broke.")
    failure = Failure.of(error, "launch x")
    assert (failure.hint, failure.when, failure.reason) == ("launch x", "", "")
    assert failure.words == "It broke."


def test_a_probe_says_the_reason_too() -> None:
    (problem,) = Finding.of_error("aws", _error()).problems
    assert "smaller" in problem


def test_a_failure_that_was_stored_before_there_were_reasons_is_read() -> None:
    stored = (
        '{"differences":[],"failure":{"code":"X","hint":"launch x","responsible":"you","sentence":"It broke."},'
        '"summary":"1 of 1 steps failed, 0 done."}'
    )
    outcome = read_outcome(stored)
    assert outcome.failure == Failure(
        sentence="It broke.", responsible=ResponsibleParty.REQUESTER, code="X", hint="launch x"
    )


def test_a_failure_with_a_reason_is_read_as_it_was_stored() -> None:
    outcome = Outcome(summary="1 of 1 steps failed, 0 done.", failure=Failure.of(_error(), "launch x"))
    assert read_outcome(outcome.model_dump_json()) == outcome
