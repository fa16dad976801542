"""The seeds of the bot's cross-signing keys: who has them has its identity."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass

from slipway.bot.chat.matrix.encryption.signing import KEY_BYTES, decode, encode
from slipway.bot.core.errors import ChatError

SEED_NAMES = ("master", "self_signing", "user_signing")


@dataclass(frozen=True)
class CrossSigningSeeds:
    """What the three cross-signing keys are made of, 32 bytes each."""

    master: bytes
    self_signing: bytes
    user_signing: bytes

    def __repr__(self) -> str:
        return "Seeds(…)"

    @classmethod
    def new(cls) -> CrossSigningSeeds:
        """New random seeds."""
        return cls(*(secrets.token_bytes(KEY_BYTES) for _ in SEED_NAMES))

    @classmethod
    def read(cls, text: str) -> CrossSigningSeeds:
        """The seeds from the JSON that :attr:`text` gives.

        Raises:
            ValueError: they are not; the words do not hold what was read.
        """
        try:
            document = json.loads(text)
        except json.JSONDecodeError:
            document = None
        found = [decode(document.get(name)) if isinstance(document, dict) else None for name in SEED_NAMES]
        seeds = [seed for seed in found if seed is not None and len(seed) == KEY_BYTES]
        if len(seeds) != len(SEED_NAMES):
            raise ValueError(
                "these are not the seeds of cross-signing keys; they are a JSON object with "
                f"{', '.join(SEED_NAMES)}, each {KEY_BYTES} bytes in base64"
            )
        return cls(*seeds)

    @property
    def text(self) -> str:
        """As JSON, for a file or a secret."""
        seeds = (self.master, self.self_signing, self.user_signing)
        return json.dumps({name: encode(seed) for name, seed in zip(SEED_NAMES, seeds, strict=True)})


def configured_seeds(text: str) -> CrossSigningSeeds:
    """The seeds that the configuration gives.

    Raises:
        ChatError: they are not seeds.
    """
    try:
        return CrossSigningSeeds.read(text)
    except ValueError as error:
        raise ChatError(f"matrix.cross_signing_seeds cannot be used: {error}.", passing=False) from error
