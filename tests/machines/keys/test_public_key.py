"""Which public keys are taken, and what becomes of them, whatever somebody pastes or an account lists."""

from __future__ import annotations

import base64
from itertools import count

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_ssh_public_key
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.subjects.machines.keys.public_key import KeyRefusedError, KeyType, read_key
from tests.support.ssh_keys import ecdsa, ed25519, field, rsa_key, security_key

ED25519 = ed25519(1)
BODY = ED25519.split()[1]
BLOB = base64.b64decode(BODY)

TAKEN = {
    KeyType.RSA: rsa_key(2048),
    KeyType.ED25519: ED25519,
    KeyType.ECDSA_256: ecdsa(ec.SECP256R1()),
    KeyType.ECDSA_384: ecdsa(ec.SECP384R1()),
    KeyType.ECDSA_521: ecdsa(ec.SECP521R1()),
    KeyType.SK_ED25519: security_key("ed25519"),
    KeyType.SK_ECDSA: security_key("ecdsa"),
}
"""One of each kind."""

DSA = "ssh-dss " + base64.b64encode(field(b"ssh-dss") + field(b"\x01") * 4).decode()
CERTIFICATE = (
    "ssh-ed25519-cert-v01@openssh.com "
    + base64.b64encode(field(b"ssh-ed25519-cert-v01@openssh.com") + field(b"\x01") * 9).decode()
)


@pytest.mark.parametrize("kind", KeyType)
def test_each_kind_that_openssh_takes_is_taken_without_its_comment(kind: KeyType) -> None:
    key = read_key(f"  {TAKEN[kind]} alice@laptop and more\n")
    assert key.type is kind
    assert key.line == TAKEN[kind]


def test_the_fingerprint_is_the_one_that_ssh_keygen_shows() -> None:
    # ssh-keygen -lf of this key, which GitHub publishes as its own host key.
    github = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    assert read_key(github).fingerprint == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"


def test_the_length_of_an_rsa_key_is_told() -> None:
    assert read_key(rsa_key(3072)).words == "RSA 3072"
    assert read_key(ED25519).words == "Ed25519"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (rsa_key(1024), "is an RSA key of 1024 bits; 2048 are the least"),
        (DSA, "is a DSA key"),
        (CERTIFICATE, "is a certificate"),
        (f'command="rm -rf /" {ED25519}', "begins with options"),
        (f"no-pty,from=10.0.0.0/8 {ED25519}", "begins with options"),
        (f"{ED25519}\n{ED25519}", "is more than one line"),
        (f"{ED25519}\r{ED25519}", "is more than one line"),
        (f"ssh-ed25519 {BODY}\x00", "holds control characters"),
        (f"ssh-rsa {BODY}", "says that it is ssh-rsa, and holds another kind of key"),
        (f"ecdsa-sha2-nistp384 {TAKEN[KeyType.ECDSA_256].split()[1]}", "holds another kind of key"),
        ("ssh-ed25519", "lacks what stands behind its type"),
        (f"ssh-ed25519 {BODY[:-1]}", "is not base64"),
        (f"ssh-ed25519 {BODY[:-4]}", "is not whole"),
        (f"ssh-ed25519 {BODY[:20]}…{BODY[20:]}", "is not base64"),
        ("ssh-ed25519 " + base64.b64encode(BLOB + b"\x00").decode(), "holds more than a key"),
        ("ssh-ed25519 " + "A" * 100_000, "is longer than any key"),
        ("---- BEGIN SSH2 PUBLIC KEY ----", "ssh-keygen -i"),
        ("-----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNzaC1rZXktdjEA", "is a private key"),
        ("ssh-xmss@openssh.com AAAA", "is none of the kinds that are taken"),
        ("", "is none of the kinds that are taken"),
        ("KEY", "is none of the kinds that are taken"),
    ],
    ids=count(1),  # keys are made anew in each process, and cases must be called the same
)
def test_everything_else_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(KeyRefusedError, match=r"^(is|lacks|says|begins|holds) ") as refused:
        read_key(text)
    assert why in str(refused.value)


def test_a_point_on_another_curve_is_refused() -> None:
    blob = field(b"ecdsa-sha2-nistp256") + field(b"nistp384") + field(b"\x04" + b"\x01" * 64)
    with pytest.raises(KeyRefusedError, match="on another curve"):
        read_key("ecdsa-sha2-nistp256 " + base64.b64encode(blob).decode())


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        key = read_key(text)
    except KeyRefusedError:
        return
    assert read_key(key.line) == key


@given(st.sampled_from(list(KeyType)), st.binary(max_size=120))
def test_any_bytes_under_any_name_are_read_or_refused(kind: KeyType, content: bytes) -> None:
    text = f"{kind.value} {base64.b64encode(field(kind.value.encode()) + content).decode()}"
    try:
        key = read_key(text)
    except KeyRefusedError:
        return
    assert key.line == text


@given(st.sampled_from(list(KeyType)), st.data())
def test_no_key_that_was_cut_or_changed_in_length_is_taken(kind: KeyType, data: st.DataObject) -> None:
    blob = base64.b64decode(TAKEN[kind].split()[1])
    cut = data.draw(st.integers(0, len(blob) - 1))
    with pytest.raises(KeyRefusedError):
        read_key(f"{kind.value} {base64.b64encode(blob[:cut]).decode()}")


@given(st.integers(1, 2**200), st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=40))
def test_a_comment_never_reaches_the_line(number: int, comment: str) -> None:
    line = ed25519(number)
    key = read_key(f"{line} {comment}")
    assert key.line == line
    assert load_ssh_public_key(key.line.encode()) == load_ssh_public_key(line.encode())
