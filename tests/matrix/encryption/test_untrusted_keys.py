"""What strangers and their servers can send about keys: nothing of it stops the bot or speaks for somebody."""

from __future__ import annotations

import importlib
import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.chat.matrix.encryption.cross_signing import CrossSigningIdentity
from slipway.bot.chat.matrix.encryption.device_list import (
    DeviceList,
    KnownDevice,
    assess_sender,
    valid_claimed_keys,
)
from slipway.bot.chat.matrix.encryption.message_index import MessageIndexStore
from slipway.bot.chat.matrix.encryption.olm_machine import DecryptedSource, harden
from slipway.bot.chat.matrix.encryption.seeds import CrossSigningSeeds
from slipway.bot.chat.matrix.encryption.signing import SigningKey, canonical, encode, is_signed
from slipway.bot.chat.matrix.events.event_verifier import EventVerifier
from slipway.bot.chat.matrix.settings import UnsignedDevices
from slipway.bot.chat.model import Assurance
from tests.matrix.builders import new_memory

ALICE, MALLORY = "@alice:example.org", "@mallory:example.org"
KEY = encode(bytes(32))

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from([ALICE, KEY, "ed25519:D"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
    max_leaves=12,
)


def device_of(
    user: str, seed: bytes, *, by: CrossSigningIdentity | None = None
) -> tuple[dict[str, Any], str]:
    """A device's keys as they are published, and its signing key."""
    signing = SigningKey(seed)
    keys = {
        "user_id": user,
        "device_id": "D",
        "algorithms": ["m.megolm.v1.aes-sha2"],
        "keys": {"ed25519:D": signing.public, "curve25519:D": KEY},
    }
    signed = signing.sign(keys, user)
    own = signed["signatures"][user].pop(signing.id)
    signed["signatures"][user]["ed25519:D"] = own
    return (by.self_signing.sign(signed, user) if by else signed), signing.public


def answer_of(user: str, device: dict[str, Any], identity: CrossSigningIdentity | None) -> dict[str, Any]:
    answer: dict[str, Any] = {"device_keys": {user: {"D": device}}}
    if identity is not None:
        body = identity.upload_body()
        answer["master_keys"] = {user: body["master_key"]}
        answer["self_signing_keys"] = {user: body["self_signing_key"]}
    return answer


def test_only_the_owners_signature_makes_a_device_signed() -> None:
    alice, mallory = (
        CrossSigningIdentity(CrossSigningSeeds.new(), ALICE),
        CrossSigningIdentity(CrossSigningSeeds.new(), ALICE),
    )
    for signer, published, expected in ((alice, alice, True), (mallory, alice, False), (None, alice, False)):
        device, _ = device_of(ALICE, bytes(32), by=signer)
        devices = DeviceList()
        devices.update(answer_of(ALICE, device, published))
        known = devices.find(ALICE, KEY)
        assert known is not None
        assert known.signed is expected
    # A self-signing key that the master key has not signed proves nothing.
    device, _ = device_of(ALICE, bytes(32), by=mallory)
    answer = answer_of(ALICE, device, alice)
    answer["self_signing_keys"] = {ALICE: mallory.upload_body()["self_signing_key"]}
    devices = DeviceList()
    devices.update(answer)
    assert not devices.find(ALICE, KEY).signed  # type: ignore[union-attr]


@pytest.mark.parametrize("rule", list(UnsignedDevices))
def test_a_message_under_anothers_name_changes_nothing_whatever_the_rule(rule: UnsignedDevices) -> None:
    assert assess_sender(None, ALICE, KEY, rule).assurance is Assurance.REFUSED
    signed = KnownDevice("D", ed25519="another", curve25519=KEY, signed=True)
    assert assess_sender(signed, ALICE, KEY, rule).assurance is Assurance.REFUSED


@given(anything)
def test_any_answer_about_devices_is_survived(answer: Any) -> None:
    wrapped = answer if isinstance(answer, dict) else {"device_keys": answer}
    assert isinstance(DeviceList().update({**wrapped, "device_keys": {ALICE: {"D": answer}}}), dict)
    DeviceList().update(wrapped)
    assert valid_claimed_keys({"one_time_keys": {ALICE: {"D": answer}}}, {ALICE: {"D": KEY}}) == {}
    assert not is_signed(answer, ALICE, "ed25519:D", KEY)


@given(st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8) | st.none(), max_size=5))
def test_what_was_signed_verifies_and_nothing_else_does(value: dict[str, Any]) -> None:
    key = SigningKey(bytes(range(32)))
    value = {name: inner for name, inner in value.items() if name not in ("signatures", "unsigned")}
    signed = key.sign(value, ALICE)
    assert is_signed({**signed, "unsigned": {"age": 1}}, ALICE, key.id, key.public)
    assert not is_signed({**signed, "more": 1}, ALICE, key.id, key.public)
    assert not is_signed(signed, MALLORY, key.id, key.public)
    assert json.loads(canonical(value)) == value


def test_messages_read_before_a_restart_are_known_after_it(tmp_path: Path) -> None:
    path = tmp_path / "read.db"
    before = MessageIndexStore(path)
    with pytest.raises(KeyError):
        before["sender", "session", 0]
    before["sender", "session", 0] = ("$first", 7)
    before.close()
    after = MessageIndexStore(path)
    assert after["sender", "session", 0] == ("$first", 7)
    after.close()


class FakeOlmMachine:
    """An Olm machine that meets what nio's meets, and raises what that raises."""

    def __init__(self, error: Exception | None, decrypted: Any = None) -> None:
        self.message_index_store: Any = None
        self.store = SimpleNamespace(database=SimpleNamespace(atomic=nullcontext))
        self._error, self._decrypted = error, decrypted
        self.inbound_group_store = self

    def get(self, *_: Any) -> Any:
        """As the store of sessions: one that mallory made."""
        return SimpleNamespace(ed25519=KEY)

    def handle_to_device_event(self, _event: Any) -> None:
        if self._error:
            raise self._error

    def _decrypt_megolm_no_error(self, _event: Any, _room: str | None = None) -> Any:
        if self._error:
            raise self._error
        return self._decrypted

    def _should_accept_forward(self, *_: Any) -> bool:
        return False


@pytest.mark.parametrize(
    "error",
    [ValueError("bad base64"), KeyError("keys"), TypeError("list"), AssertionError(), AttributeError()],
)
def test_malformed_ciphertexts_do_not_stop_the_sync(error: Exception, tmp_path: Path) -> None:
    machine = FakeOlmMachine(error)
    harden(importlib.import_module("nio"), machine, MessageIndexStore(tmp_path / "read.db"))
    machine.handle_to_device_event(object())
    assert machine._decrypt_megolm_no_error(object()) is None


@pytest.mark.parametrize(
    "inner",
    [
        {"type": "m.room.member", "state_key": ALICE, "content": {"membership": "leave"}},
        {"type": "m.room.message", "state_key": "", "content": {"msgtype": "m.text", "body": "x"}},
        {"type": "m.reaction", "content": {}},
        {"type": "m.room.message", "content": []},
        [],
    ],
)
def test_nothing_but_messages_is_taken_out_of_a_ciphertext(inner: Any, tmp_path: Path) -> None:
    nio = importlib.import_module("nio")

    class Event:
        source = inner
        room_id = "!r"
        sender_key, session_id = KEY, "s"
        event_id, sender, server_timestamp = "$e", ALICE, 1

    machine = FakeOlmMachine(None, Event())
    harden(nio, machine, MessageIndexStore(tmp_path / "read.db"))
    found = machine._decrypt_megolm_no_error(Event())
    assert isinstance(found, nio.UnknownBadEvent)
    assert not isinstance(found.source, DecryptedSource)


@pytest.mark.parametrize("shown_in", ["!r", "!elsewhere"])
async def test_what_was_encrypted_for_one_room_is_not_heard_in_another(shown_in: str, tmp_path: Path) -> None:
    """As a homeserver could show it in the history of a room, naming the room whose key fits."""

    said = {"type": "m.room.message", "content": {"msgtype": "m.text", "body": "!promote x"}}

    class Event:
        source: Any = said
        room_id = "!r"
        sender_key, session_id = KEY, "s"
        event_id, sender, server_timestamp = "$e", ALICE, 1

    machine = FakeOlmMachine(None, Event())
    harden(importlib.import_module("nio"), machine, MessageIndexStore(tmp_path / "read.db"))
    found = machine._decrypt_megolm_no_error(Event())

    async def encrypted(_room: str) -> bool:
        return True

    device = KnownDevice(device_id="PHONE", ed25519=KEY, curve25519=KEY, signed=True)
    keys = SimpleNamespace(devices=SimpleNamespace(find=lambda *_: device))
    verifier = EventVerifier(
        SimpleNamespace(keys=keys),  # type: ignore[arg-type]  # what of these is used
        SimpleNamespace(is_encrypted=encrypted),  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        new_memory(),
        unsigned_devices=UnsignedDevices.REFUSE,
        is_known=lambda _: True,
    )
    verification = await verifier.verify(shown_in, found.source)
    assert (verification is not None) is (shown_in == "!r")
