"""Packages that a manifest names, and what differs between two: pure.

Read are SPDX JSON (https://spdx.github.io/spdx-spec/v2.3/), CycloneDX JSON (https://cyclonedx.org/specification/overview/),
and what ``rpm -qa`` prints, a package a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slipway.bot.subjects.images.formatting import join_names

Packages = Mapping[str, frozenset[str]]
"""The versions of each package by its name: some, such as kernels, are there several times."""

_RPM = re.compile(r"(?P<name>\S+)-(?P<version>[^\s-]+-[^\s-]+?)(?:\.(?P<arch>[a-z0-9_]+))?", re.ASCII)
"""Name, version and release, architecture, as ``rpm -qa`` prints them: the last two hyphens part them."""

_NAMED = 3


class ManifestError(ValueError):
    """A manifest that cannot be read; the words complete “the manifest …”."""


@dataclass(frozen=True)
class Changes:
    """What one version holds otherwise than another, names in order."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    updated: tuple[str, ...]

    @property
    def words(self) -> str:
        """In a line: ``12 updated (bash, curl, dnf and 9 more), 1 added (foo)``."""
        parts = [
            f"{len(names)} {what} ({join_names(names, _NAMED)})"
            for what, names in (("updated", self.updated), ("added", self.added), ("removed", self.removed))
            if names
        ]
        return ", ".join(parts) or "the same packages"


def changes(before: Packages, after: Packages) -> Changes:
    """What ``after`` holds otherwise than ``before``."""
    return Changes(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        updated=tuple(sorted(name for name in before.keys() & after.keys() if before[name] != after[name])),
    )


def read_manifest(data: bytes) -> Packages:
    """The packages that a manifest names, whichever of the known forms it has.

    Raises:
        ManifestError: it has none of them, or names no package.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ManifestError("is no text") from None
    pairs = _of_json(text) if text.lstrip().startswith("{") else _of_lines(text)
    found: dict[str, set[str]] = {}
    for name, version in pairs:
        found.setdefault(name, set()).add(version)
    if not found:
        raise ManifestError("names no package")
    return {name: frozenset(versions) for name, versions in found.items()}


def _of_json(text: str) -> Iterable[tuple[str, str]]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ManifestError("is no JSON") from None
    match document:
        case {"spdxVersion": str(), "packages": list() as packages}:
            return [*_entries(packages, "versionInfo")]
        case {"bomFormat": "CycloneDX", "components": list() as components}:
            return [*_entries(components, "version")]
    raise ManifestError("is neither SPDX nor CycloneDX")


def _entries(entries: list[Any], version: str) -> Iterator[tuple[str, str]]:
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
            raise ManifestError("has an entry without a name")
        found = entry.get(version, "")
        yield entry["name"], found if isinstance(found, str) else ""


def _of_lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if not line.strip():
            continue
        found = _RPM.fullmatch(line.strip())
        if found is None:
            raise ManifestError(f"has a line that is no package: “{line.strip()[:40]}”")
        name = found["name"] if found["arch"] is None else f"{found['name']}.{found['arch']}"
        yield name, found["version"]
