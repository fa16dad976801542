"""Fetching the manifest of a version, within bounds of size and time, and only the one that its tag names."""

from __future__ import annotations

import asyncio
import hashlib
import re
from urllib.parse import quote

import aiohttp

from slipway import __version__
from slipway.bot.clouds.model import ImageVersion
from slipway.bot.subjects.images.contents.packages import ManifestError, Packages, read_manifest
from slipway.bot.subjects.images.contents.settings import ContentsSettings

MOST_KEPT = 32
"""Manifests that are kept, by their digests: a plan is made several times."""

_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})", re.ASCII)


class UnknownContentsError(Exception):
    """It is not known what a version holds; the words are a sentence without its full stop."""


class Manifests:
    """Fetches manifests, and keeps the last ones.

    Args:
        settings: where they are.
    """

    def __init__(self, settings: ContentsSettings) -> None:
        self._settings = settings
        self._kept: dict[str, Packages] = {}

    @property
    def configured(self) -> bool:
        """Whether there are any."""
        return bool(self._settings.manifests)

    async def packages(self, definition: str, version: ImageVersion) -> Packages:
        """The packages that a version holds.

        Raises:
            UnknownContentsError: nobody knows, and why.
        """
        named = f"{version.number}"
        if not self.configured:
            raise UnknownContentsError("no manifests are configured, in [contents]")
        digest = self._digest(version)
        if digest is None:
            raise UnknownContentsError(f"{named} has no tag {self._settings.digest_tag} with a SHA-256")
        if digest not in self._kept:
            data = await self._fetch(definition, named)
            if hashlib.sha256(data).hexdigest() != digest:
                raise UnknownContentsError(f"the manifest of {named} is another than its tag says")
            try:
                # A large one takes a moment to be read.
                self._kept[digest] = await asyncio.to_thread(read_manifest, data)
            except ManifestError as error:
                raise UnknownContentsError(f"the manifest of {named} {error}") from error
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return self._kept[digest]

    def _digest(self, version: ImageVersion) -> str | None:
        tags = {name.casefold(): value for name, value in version.tags.items()}
        found = _SHA256.fullmatch(tags.get(self._settings.digest_tag.casefold(), "").strip().lower())
        return found[1] if found else None

    async def _fetch(self, definition: str, number: str) -> bytes:
        address = self._settings.manifests.replace("{definition}", quote(definition, safe="")).replace(
            "{version}", quote(number, safe="")
        )
        timeout = aiohttp.ClientTimeout(total=self._settings.timeout.total_seconds())
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
                session.get(address, headers={"User-Agent": f"Slipway/{__version__}"}) as response,
            ):
                if response.status != 200:
                    raise UnknownContentsError(
                        f"the manifest of {number} is not there (HTTP {response.status})"
                    )
                data = bytearray()
                async for part in response.content.iter_any():
                    data += part
                    if len(data) > self._settings.most_bytes:
                        raise UnknownContentsError(f"the manifest of {number} is too long")
                return bytes(data)
        except TimeoutError as error:
            raise UnknownContentsError(f"the manifest of {number} did not come in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise UnknownContentsError(f"the manifest of {number} cannot be reached") from error
