"""Other people's devices, as their homeservers serve them: checked before nio sees them, and who signed them.

Everything here is written by strangers' servers. nio looks into it unchecked, and knows nothing of cross-signing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from slipway.bot.chat.matrix.encryption.cross_signing import PublicIdentity
from slipway.bot.chat.matrix.encryption.signing import is_public_key, is_signed
from slipway.bot.chat.matrix.settings import UnsignedDevices
from slipway.bot.chat.model import Assurance
from slipway.bot.chat.shared.payloads import JsonObject, mapping_at


@dataclass(frozen=True)
class KnownDevice:
    """A device that signed its own keys. ``signed`` says that its owner has cross-signed it."""

    device_id: str
    ed25519: str
    curve25519: str
    signed: bool


class DeviceList:
    """Everybody's devices as last seen, by the key that their messages carry."""

    def __init__(self) -> None:
        self._by_user: dict[str, dict[str, KnownDevice]] = {}

    def update(self, answer: JsonObject) -> JsonObject:
        """Take in an answer to ``/keys/query``, and give back which of its devices are valid, for nio."""
        valid: JsonObject = {}
        for user, devices in mapping_at(answer, "device_keys").items():
            identity = PublicIdentity.read(answer, user)
            kept = {
                each_id: each
                for each_id, each in mapping_at(devices).items()
                if _are_valid_device_keys(each, user, each_id)
            }
            self._by_user[user] = {known.curve25519: known for known in _known_devices(kept, identity)}
            valid[user] = kept
        return valid

    def find(self, user_id: str, curve25519: str) -> KnownDevice | None:
        """Somebody's device by its Curve25519 key."""
        return self._by_user.get(user_id, {}).get(curve25519)


@dataclass(frozen=True)
class SenderTrust:
    """How far a message can be believed to be its sender's; ``doubt`` is a sentence where not wholly."""

    assurance: Assurance = Assurance.FULL
    doubt: str = ""


def assess_sender(
    device: KnownDevice | None, sender: str, ed25519: str, unsigned_devices: UnsignedDevices
) -> SenderTrust:
    """How far to trust a decrypted message, by the device that its Megolm session came from.

    Args:
        device: the sender's device with the session's Curve25519 key; None if the sender has none such.
        sender: whom the homeserver names as the sender.
        ed25519: the signing key that was claimed with the session.
        unsigned_devices: what the configuration says of devices that their owner has not signed.
    """
    if device is None or device.ed25519 != ed25519:
        # A homeserver can put anybody's name on a message; only the keys tell.
        return SenderTrust(
            Assurance.REFUSED,
            f"This message was not encrypted by any device that {sender} has now, so nothing was done. "
            "Please say it again from a device that you are logged in on.",
        )
    if device.signed or unsigned_devices is UnsignedDevices.ACCEPT:
        return SenderTrust()
    whose = f"The message came from {sender}'s device {device.device_id}, which {sender} has not verified"
    if unsigned_devices is UnsignedDevices.WARN:
        return SenderTrust(Assurance.DOUBTED, f"{whose}: it may be somebody else's. Please verify it.")
    return SenderTrust(
        Assurance.REFUSED,
        f"{whose}, so nothing was done. Verify the device (in Element: Settings, Sessions), and say it again.",
    )


def valid_claimed_keys(answer: JsonObject, devices: Mapping[str, Mapping[str, str]]) -> JsonObject:
    """The one-time keys of an answer to ``/keys/claim`` that are well-formed and signed by their device.

    Args:
        answer: what came back.
        devices: the signing keys of the devices asked for, by user and device id.
    """
    valid: JsonObject = {}
    for user, by_device in mapping_at(answer, "one_time_keys").items():
        for device_id, keys in mapping_at(by_device).items():
            public = devices.get(user, {}).get(device_id)
            for name, key in mapping_at(keys).items():
                if (
                    public is not None
                    and name.startswith("signed_curve25519:")
                    and isinstance(key, Mapping)
                    and is_public_key(key.get("key"))
                    and is_signed(key, user, f"ed25519:{device_id}", public)
                ):
                    valid.setdefault(user, {})[device_id] = {name: dict(key)}
                    break
    return valid


def _are_valid_device_keys(device: object, user_id: str, device_id: str) -> bool:
    if not isinstance(device, Mapping):
        return False
    keys, algorithms = device.get("keys"), device.get("algorithms")
    ed25519 = mapping_at(keys).get(f"ed25519:{device_id}")
    return (
        device.get("user_id") == user_id
        and device.get("device_id") == device_id
        and is_public_key(ed25519)
        and is_public_key(mapping_at(keys).get(f"curve25519:{device_id}"))
        and all(isinstance(key, str) for key in mapping_at(keys).values())
        and isinstance(algorithms, list)
        and all(isinstance(each, str) for each in algorithms)
        and isinstance(device.get("unsigned", {}), Mapping)
        and isinstance(device.get("unsigned", {}).get("device_display_name", ""), str | None)
        and is_signed(device, user_id, f"ed25519:{device_id}", ed25519)
    )


def _known_devices(
    devices: Mapping[str, JsonObject], identity: PublicIdentity | None
) -> Iterator[KnownDevice]:
    for device_id, device in devices.items():
        yield KnownDevice(
            device_id=device_id,
            ed25519=device["keys"][f"ed25519:{device_id}"],
            curve25519=device["keys"][f"curve25519:{device_id}"],
            signed=identity is not None and identity.has_signed(device),
        )
