"""The bot's identity: three cross-signing keys, with which it signs its own device.

Since Matrix 1.18 (MSC4153) clients send keys only to devices that their owner has cross-signed, and ignore the
others. nio knows nothing of cross-signing, so it is done here, at every start, and nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog

from slipway.bot.chat.matrix.account.account_store import AccountStore
from slipway.bot.chat.matrix.encryption.seeds import CrossSigningSeeds
from slipway.bot.chat.matrix.encryption.signing import SigningKey, is_public_key, is_signed
from slipway.bot.chat.matrix.transport.api import SendRequest, request_json
from slipway.bot.chat.matrix.transport.errors import error_from_response
from slipway.bot.chat.shared.payloads import JsonObject
from slipway.bot.core.errors import ChatError

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class PublicIdentity:
    """Somebody's cross-signing keys as a homeserver serves them, checked as far as they can be."""

    user_id: str
    master: str
    self_signing: str

    @classmethod
    def read(cls, answer: Mapping[str, Any], user_id: str) -> PublicIdentity | None:
        """From an answer to ``/keys/query``; None without two keys of which the one signed the other."""
        master = _public(answer, "master_keys", user_id, "master")
        self_signing = _public(answer, "self_signing_keys", user_id, "self_signing")
        if master is None or self_signing is None:
            return None
        signed = answer["self_signing_keys"][user_id]
        if not is_signed(signed, user_id, f"ed25519:{master}", master):
            return None
        return cls(user_id, master, self_signing)

    def has_signed(self, device: object) -> bool:
        """Whether a device's keys carry the signature of their owner."""
        return is_signed(device, self.user_id, f"ed25519:{self.self_signing}", self.self_signing)


class CrossSigningIdentity:
    """The bot's own keys, made from their seeds."""

    def __init__(self, seeds: CrossSigningSeeds, user_id: str) -> None:
        self.user_id = user_id
        self.master = SigningKey(seeds.master)
        self.self_signing = SigningKey(seeds.self_signing)
        self.user_signing = SigningKey(seeds.user_signing)

    def upload_body(self) -> JsonObject:
        """The body that publishes the three keys, the last two signed by the first."""
        return {
            "master_key": self._key(self.master, "master"),
            "self_signing_key": self.master.sign(self._key(self.self_signing, "self_signing"), self.user_id),
            "user_signing_key": self.master.sign(self._key(self.user_signing, "user_signing"), self.user_id),
        }

    def _key(self, key: SigningKey, usage: str) -> JsonObject:
        return {"user_id": self.user_id, "usage": [usage], "keys": {key.id: key.public}}


@dataclass(frozen=True)
class OwnDevice:
    """This device, with the public keys that its store holds."""

    user_id: str
    device_id: str
    ed25519: str
    curve25519: str

    def matches(self, published: object) -> bool:
        """Whether a homeserver's device object shows these very keys."""
        keys = published.get("keys") if isinstance(published, Mapping) else None
        expected = {
            f"ed25519:{self.device_id}": self.ed25519,
            f"curve25519:{self.device_id}": self.curve25519,
        }
        return isinstance(keys, Mapping) and all(keys.get(name) == key for name, key in expected.items())


class CrossSigning:
    """Brings the bot's identity and device in order at a homeserver.

    Args:
        call: makes calls as the bot.
        store: where seeds are kept.
        configured_seeds: seeds that the configuration gives; they are not kept.
        password: the account's, where the homeserver asks for it before it takes new keys.
    """

    def __init__(
        self,
        call: SendRequest,
        store: AccountStore,
        configured_seeds: CrossSigningSeeds | None,
        password: str | None = None,
    ) -> None:
        self._call = call
        self._store = store
        self._configured_seeds = configured_seeds
        self._password = password

    async def ensure(self, device: OwnDevice, *, replace: bool = False) -> CrossSigningIdentity:
        """Publish the identity if there is none, sign the device if it is not signed, and look that it is.

        Args:
            device: this device; its keys are published already.
            replace: put a new identity in place of one that is not the bot's.

        Raises:
            ChatError: somebody else's identity stands there, or the homeserver does not take the keys.
        """
        user = device.user_id
        published = await query_keys(self._call, user)
        identity = self._identity(published, user, replace=replace)
        if _public(published, "master_keys", user, "master") != identity.master.public or (
            _public(published, "self_signing_keys", user, "self_signing") != identity.self_signing.public
        ):
            await self._publish(identity)
            log.info("published the bot's cross-signing keys", user=user, master=identity.master.public)
        await self._sign(device, identity, published)
        await self._verify(device, identity)
        return identity

    def _identity(self, published: JsonObject, user: str, *, replace: bool) -> CrossSigningIdentity:
        """The bot's identity: the one there is, or a new one whose seeds are kept before anybody sees it."""
        seeds = self._configured_seeds or self._store.load_seeds()
        theirs = published.get("master_keys", {}).get(user)
        known = _public(published, "master_keys", user, "master")
        if seeds is not None:
            identity = CrossSigningIdentity(seeds, user)
            if theirs is None or known == identity.master.public or replace:
                return identity
        elif theirs is None or replace:
            seeds = CrossSigningSeeds.new()
            self._store.save_seeds(seeds)
            log.warning(
                "made a new identity for the bot; back its seeds up", path=str(self._store.seeds_path)
            )
            return CrossSigningIdentity(seeds, user)
        raise ChatError(
            _foreign_identity_message(user, known or "of an unknown form", has_seeds=seeds is not None),
            passing=False,
        )

    async def _publish(self, identity: CrossSigningIdentity) -> None:
        what, path = "publish the bot's cross-signing keys", "/_matrix/client/v3/keys/device_signing/upload"
        body = identity.upload_body()
        status, answer = await self._call("POST", path, body)
        if status == HTTPStatus.UNAUTHORIZED and "flows" in answer:
            status, answer = await self._call("POST", path, {**body, "auth": self._auth(identity, answer)})
            if status == HTTPStatus.UNAUTHORIZED and "flows" in answer:
                raise ChatError(f"Could not {what}: the homeserver did not take the password.", passing=False)
        if status != HTTPStatus.OK:
            raise error_from_response(what, status, answer)

    def _auth(self, identity: CrossSigningIdentity, asked: JsonObject) -> JsonObject:
        """The answer to user-interactive authentication by password."""
        flows = [flow.get("stages") for flow in asked["flows"] if isinstance(flow, dict)]
        if self._password is None or ["m.login.password"] not in flows:
            raise ChatError(
                "The homeserver wants the account's password before it takes the bot's cross-signing keys. "
                "Type `slipway matrix login`, which asks for it and keeps none.",
                passing=False,
            )
        return {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": identity.user_id},
            "password": self._password,
            "session": asked.get("session"),
        }

    async def _sign(self, device: OwnDevice, identity: CrossSigningIdentity, published: JsonObject) -> None:
        mine = published.get("device_keys", {}).get(device.user_id, {}).get(device.device_id)
        key = identity.self_signing
        if is_signed(mine, device.user_id, key.id, key.public):
            return
        if mine is None or not device.matches(mine):
            raise ChatError(
                "The homeserver does not show the bot's device as it was published.", passing=True
            )
        signed = key.sign(mine, device.user_id)
        answer = await request_json(
            self._call,
            "sign the bot's device",
            "POST",
            "/_matrix/client/v3/keys/signatures/upload",
            {device.user_id: {device.device_id: signed}},
        )
        if answer.get("failures"):  # a signature that is refused is answered with 200 all the same
            raise ChatError("The homeserver refused the signature under the bot's device.", passing=True)
        log.info("signed the bot's device", device=device.device_id)

    async def _verify(self, device: OwnDevice, identity: CrossSigningIdentity) -> None:
        """See the keys as others will.

        Raises:
            ChatError: they are not what was published.
        """
        seen = await query_keys(self._call, device.user_id)
        found = PublicIdentity.read(seen, device.user_id)
        mine = seen.get("device_keys", {}).get(device.user_id, {}).get(device.device_id)
        if (
            found is None
            or found.master != identity.master.public
            or not device.matches(mine)
            or not found.has_signed(mine)
        ):
            raise ChatError("The homeserver does not show the bot's device as signed.", passing=True)


async def query_keys(call: SendRequest, user_id: str) -> JsonObject:
    """What the homeserver serves of the bot's own keys.

    Args:
        call: makes calls as the bot.
        user_id: the bot's account.

    Raises:
        ChatError: it does not say.
    """
    body: JsonObject = {"device_keys": {user_id: []}}
    return await request_json(call, "look up the bot's keys", "POST", "/_matrix/client/v3/keys/query", body)


def _public(answer: Mapping[str, Any], table: str, user_id: str, usage: str) -> str | None:
    """The public key in a cross-signing key object, where that is well-formed."""
    keys = answer.get(table)
    found = keys.get(user_id) if isinstance(keys, Mapping) else None
    if not isinstance(found, Mapping) or found.get("user_id") != user_id:
        return None
    usages, named = found.get("usage"), found.get("keys")
    if not isinstance(usages, list) or usage not in usages or not isinstance(named, Mapping):
        return None
    for name, key in named.items():
        if name == f"ed25519:{key}" and is_public_key(key):
            return str(key)
    return None


def _foreign_identity_message(user: str, key: str, *, has_seeds: bool) -> str:
    mine = "are of another one" if has_seeds else "are not here"
    return (
        f"{user} already has a cross-signing identity (master key {key}), and the seeds of it {mine}. Slipway "
        "does not replace it by itself. If the bot made it, put its seeds back from a backup (state_dir/matrix/"
        "cross-signing-seeds.json, or matrix.cross_signing_seeds_file). If nobody needs it any more, type "
        "`slipway matrix login --new-identity`. To work without encryption, set encryption = false under [matrix]."
    )
