"""`deploy/sbom.cdx.json`, by CycloneDX's own schema."""

from __future__ import annotations

import json

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.bill_of_materials import canonical, pins
from tests.support.processes.program import ROOT

FILE = ROOT / "deploy/sbom.cdx.json"


def test_it_is_valid_and_names_every_pin() -> None:
    text = FILE.read_text("utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    named = {(each["name"], each["version"]) for each in json.loads(text)["components"]}
    requirements = (ROOT / "requirements.txt").read_text("utf-8")
    assert named == {(canonical(pin.name), pin.version) for pin in pins(requirements)}
    assert len(named) == sum("==" in line for line in requirements.splitlines() if line[0].isalnum())
