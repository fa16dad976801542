"""Which images are offered to somebody who named none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.subjects.machines.launching.alike import alike_images
from tests.support.clock import NOW


def image(number: int, name: str, image_id: str) -> MachineImage:
    return MachineImage(
        id=image_id,
        name=name,
        architecture="x86_64",
        state="available",
        owner="1",
        region="us-east-1",
        created_at=NOW - timedelta(days=number),
        cloud="aws",
        launchable=True,
    )


NEWEST = [image(number, f"CentOS-Stream-{number}.aarch64", f"ami-0{number:016x}") for number in range(1, 8)]
HELD = [
    *NEWEST,
    image(20, "Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261117.0", "ami-0f1e2d3c4b5a69788"),
    image(30, "Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261101.0", "ami-0a9b8c7d6e5f40312"),
    image(25, "Fedora-Cloud-Base-AmazonEC2.aarch64-43-20261117.0", "ami-0123456789abcdef0"),
    image(26, "Fedora-Cloud-Base-AmazonEC2.x86_64-42-20261117.0", "ami-0bbbbccccddddeeee"),
]


def test_the_name_of_a_definition_is_like_the_images_of_that_release_and_architecture() -> None:
    found = alike_images(HELD, "Fedora-Cloud-43-x64")
    assert found[:2] == (HELD[7].name, HELD[8].name)
    assert not any(name.startswith("CentOS") for name in found)


@pytest.mark.parametrize("typed", ["ami-0f1e2d3c4b5a69787", "ami-0f1e2d3c4b5a6978", "AMI-0F1E2D3C4B5A97688"])
def test_a_mistyped_id_is_like_the_one_it_was_meant_to_be_and_no_other(typed: str) -> None:
    assert alike_images(HELD, typed) == (HELD[7].id,)


@pytest.mark.parametrize("typed", ["ami-0eeeeeeeeeeeeeeee", "windows", "", "**", "ubuntu-22.04", "-"])
def test_nothing_is_offered_where_nothing_is_like_it(typed: str) -> None:
    assert alike_images(HELD, typed) == ()
