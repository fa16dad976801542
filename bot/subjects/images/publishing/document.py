"""The document: for each definition what Fedora CoreOS publishes for each of its streams, as far as that is about
clouds.

Source: https://docs.fedoraproject.org/en-US/fedora-coreos/stream-metadata/ and the Go types of stream-metadata-go.
What is ours is the frame, which holds many streams, and that every cloud's images are by region.
``docs/images.schema.json`` describes it for programs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from slipway import __version__
from slipway.bot.core.model import Json

FORMAT = 1
"""Goes up when a program that reads the document could misunderstand it."""

ARCHITECTURES: Mapping[str, str] = {
    "x64": "x86_64",
    "amd64": "x86_64",
    "x86_64": "x86_64",
    "arm64": "aarch64",
    "aarch64": "aarch64",
}
"""Names of clouds, in lower case, and those that Fedora, and so the stream metadata, has for the same."""

UNKNOWN = "unknown"


@dataclass(frozen=True)
class LatestImage:
    """What a launch in a region resolves to.

    Attributes:
        region: where.
        release: the version.
        image: what a program names to launch it; None where that is not known.
        public: what programs of other accounts name, where it is known by public names.
    """

    region: str
    release: str
    image: str | None = None
    public: tuple[str, ...] = ()

    @property
    def shown(self) -> dict[str, Json]:
        """As the document has it; what is not known is left out."""
        found: dict[str, Json] = {"release": self.release}
        if self.image:
            found["image"] = self.image
        if self.public:
            found["public"] = [*self.public]
        return found


@dataclass(frozen=True)
class Stream:
    """A definition in a cloud, with what is latest of it; nothing where nothing is."""

    definition: str
    cloud: str
    architecture: str
    latest: tuple[LatestImage, ...]


def document(
    streams: Iterable[Stream], now: datetime, before: Mapping[str, Json] | None = None
) -> dict[str, Json]:
    """The whole document. A definition that several clouds have is one stream.

    Args:
        streams: what there is.
        now: the present.
        before: the document of before: what did not change since keeps its time.
    """
    moment = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    grouped: dict[str, dict[str, dict[str, Json]]] = {}
    for each in sorted(streams, key=lambda stream: (stream.definition, stream.cloud)):
        architecture = ARCHITECTURES.get(each.architecture.casefold(), each.architecture or UNKNOWN)
        clouds = grouped.setdefault(each.definition, {}).setdefault(architecture, {})
        regions: dict[str, Json] = {
            found.region: found.shown for found in sorted(each.latest, key=lambda image: image.region)
        }
        if regions:
            clouds[each.cloud] = {"regions": regions}
    made: dict[str, Json] = {}
    old = before.get("streams") if before is not None else None
    for name, held in grouped.items():
        architectures: dict[str, Json] = {
            architecture: {"artifacts": {}, "images": dict(clouds)} for architecture, clouds in held.items()
        }
        known = old.get(name) if isinstance(old, dict) else None
        since = _unchanged_since(known, architectures) or moment
        made[name] = {"stream": name, "metadata": {"last-modified": since}, "architectures": architectures}
    metadata: dict[str, Json] = {"last-modified": moment, "generator": f"slipway {__version__}"}
    return {"format": FORMAT, "metadata": metadata, "streams": made}


def same(one: Mapping[str, Json] | None, other: Mapping[str, Json]) -> bool:
    """Whether two documents say the same of what is latest, whenever they were made, and by which Slipway."""
    return one is not None and all(one.get(key) == other.get(key) for key in ("format", "streams"))


def release_in(found: Mapping[str, Json] | None, definition: str, cloud: str) -> str | None:
    """A version that a document has for latest of a definition in any region of a cloud; None where it has none."""
    match found:
        case {"streams": {**streams}}:
            stream = streams.get(definition)
        case _:
            return None
    match stream:
        case {"architectures": {**architectures}}:
            for each in architectures.values():
                match each:
                    case {"images": {**clouds}}:
                        for release in _releases(clouds.get(cloud)):
                            return release
    return None


def _releases(images: object) -> Iterator[str]:
    match images:
        case {"regions": {**regions}}:
            for each in regions.values():
                match each:
                    case {"release": str(release)}:
                        yield release


def written(found: Mapping[str, Json]) -> bytes:
    """The document as it is handed over: readable, the same for the same."""
    return (json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _unchanged_since(known: Json, architectures: dict[str, Json]) -> str | None:
    match known:
        case {"architectures": held, "metadata": {"last-modified": str(since)}} if held == architectures:
            return since
    return None
