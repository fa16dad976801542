"""What programs name to launch what is latest of a family, and what of it is published."""

from __future__ import annotations

from typing import Any

from slipway.bot.clouds.capabilities import Adapter, Clouds
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.publishing.document import document
from slipway.bot.subjects.images.publishing.reading import Reading
from tests.support.ami_families import AWAY, FAMILY, HOME, ami, aws_images, everywhere, number, simulated_amis
from tests.support.clock import NOW

LATEST = everywhere("20261108.0", public=True)
NEWER = ami("20261115.0", HOME, public=True)
SEED = (*everywhere("20261101.0", public=True), *LATEST, NEWER, *everywhere("20261118.0"))


async def test_each_region_has_the_ami_of_what_is_latest_there() -> None:
    async with simulated_amis(SEED) as aws, aws_images(aws.url) as images:
        ids = await images.image_ids(await images.version(FAMILY, number("20261108.0")))
        assert {region: each.id for region, each in ids.items()} == {each.region: each.id for each in LATEST}
        clouds = Clouds([Adapter("aws", {IMAGE_VERSIONS: images})])
        reading = Reading(clouds, Catalogue(clouds))
        definitions = await reading.definitions()
        found = await reading.streams(definitions, definitions)
    made: Any = document([stream for stream, _ in found.values()], NOW)
    (old,) = [each.id for each in LATEST if each.region == AWAY]
    assert made["streams"][FAMILY]["architectures"] == {
        "x86_64": {
            "artifacts": {},
            "images": {
                "aws": {
                    "regions": {
                        AWAY: {"release": "43.20261108.0", "image": old},
                        HOME: {"release": "43.20261115.0", "image": NEWER.id},
                    }
                }
            },
        }
    }
