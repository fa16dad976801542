"""What Slipway is installed with, for programs: `deploy/sbom.cdx.json`, CycloneDX 1.6, made of the pins alone."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from slipway import __version__

ROOT = Path(__file__).parents[1]

_PIN = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(\[[^]]*])?==(?P<version>[^\s;]+)\s*(;\s*(?P<marker>[^\\]*?))?\s*\\?$"
)
_NAME = re.compile(r"^[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Pin:
    """One pinned library. ``marker``: where it is installed; empty for everywhere."""

    name: str
    version: str
    marker: str

    @property
    def url(self) -> str:
        """Its package URL, as the purl specification has it for PyPI."""
        return f"pkg:pypi/{canonical(self.name)}@{self.version}"


def canonical(name: str) -> str:
    """A library's name as PEP 503 writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(requirements: str) -> Iterator[Pin]:
    """Every pin of a file of requirements."""
    for line in requirements.splitlines():
        found = _PIN.match(line)
        if found:
            yield Pin(found["name"], found["version"], (found["marker"] or "").strip())


def bill_of_materials(root: Path = ROOT) -> str:
    """The document, as `requirements.txt` and `pyproject.toml` have it now; hashes of files stand in the former."""
    held = sorted(pins((root / "requirements.txt").read_text("utf-8")), key=lambda pin: pin.url)
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    named = {canonical(_NAME.findall(each)[0]) for each in project["dependencies"]}
    own = f"pkg:pypi/slipway@{__version__}"
    content = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "slipway",
                "version": __version__,
                "description": project["description"],
                "licenses": [{"license": {"id": project["license"]}}],
                "purl": own,
            }
        },
        "components": [_component(pin) for pin in held],
        "dependencies": [
            {"ref": own, "dependsOn": [pin.url for pin in held if canonical(pin.name) in named]},
        ],
        # Which library needs which other does not stand in the pins.
        "compositions": [{"aggregate": "incomplete", "dependencies": [own]}],
    }
    serial = uuid5(NAMESPACE_URL, json.dumps(content, sort_keys=True))
    return json.dumps({"serialNumber": f"urn:uuid:{serial}", **content}, indent=1) + "\n"


def _component(pin: Pin) -> dict[str, object]:
    where = [{"name": "slipway:marker", "value": pin.marker}] if pin.marker else []
    return {
        "type": "library",
        "bom-ref": pin.url,
        "name": canonical(pin.name),
        "version": pin.version,
        "purl": pin.url,
        **({"properties": where} if where else {}),
    }
