"""What `slipway doctor` says of families."""

from __future__ import annotations

from typing import Any

from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.subjects.images.families import FAMILY_PROBE
from tests.support.ami_families import NAME, VERSION, everywhere, simulated_amis
from tests.support.configuration import DECLARED, settings_of, valid_document

SECRETS = {"SLIPWAY_AWS_ACCESS_KEY_ID": "test", "SLIPWAY_AWS_SECRET_ACCESS_KEY": "test"}


async def test_doctor_counts_versions_and_names_a_family_that_no_image_fits() -> None:
    async with simulated_amis([*everywhere("20261101.0"), *everywhere("20261108.0")]) as aws:
        document: dict[str, Any] = valid_document()
        document["aws"] = {"region": "eu-west-1", "endpoint": aws.url, "max_attempts": 1}
        document["family"] = {"right": {"name": NAME, "version": VERSION}}
        del document["azure"]
        settings = settings_of(document, SECRETS | {"SLIPWAY_MATRIX_PASSWORD": "x"})
        assert FAMILY_PROBE.wanted(settings)
        clouds = DECLARED.open_clouds(settings, {})
        try:
            found = await FAMILY_PROBE.look(settings, clouds)
            assert found.well
            assert found.detail == "1 family with 2 versions"
            aws.faults.add(Fault(kind=FaultKind.REFUSE, match="DescribeImages"))
            refused = await FAMILY_PROBE.look(settings, clouds)
            assert "lacks the permission" in refused.problems[0]
            aws.faults.add(Fault(kind=FaultKind.REFUSE, match="ListImagesInRecycleBin", times=2))
            closed = await FAMILY_PROBE.look(settings, clouds)
            assert closed.well
            assert "What was deregistered cannot be restored" in closed.warnings[0]
        finally:
            await clouds.close()
        document["family"]["wrong"] = {"name": "Fedora-{date}.{respin}", "version": VERSION}
        settings = settings_of(document, SECRETS | {"SLIPWAY_MATRIX_PASSWORD": "x"})
        clouds = DECLARED.open_clouds(settings, {})
        try:
            found = await FAMILY_PROBE.look(settings, clouds)
        finally:
            await clouds.close()
        assert found.problems == (
            "No image fits [family.wrong]: none of self is called like Fedora-{date}.{respin}.",
        )
        assert found.next
