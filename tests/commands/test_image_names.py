"""An image in one word or two, and what is said where it is named twice or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.model import VersionNumber
from slipway.commands.dispatch.context import MisuseError
from slipway.commands.images.promote import promote
from slipway.commands.images.values import IMAGE, ImageName, image_and_reason, with_version
from tests.support.azure import X64

NUMBER = VersionNumber(43, 20261101, 0)

numbers = st.lists(st.integers(0, 2**31), min_size=3, max_size=5).map(lambda parts: VersionNumber(*parts))
names = st.from_regex(r"(azure(\.[a-z]+)?:)?[A-Za-z0-9][A-Za-z0-9_.*-]*[A-Za-z0-9*]", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "image"),
    [
        (X64, ImageName(X64)),
        (f"{X64}/43.20261101.0", ImageName(X64, NUMBER)),
        (f"azure.staging:{X64}/43.20261101.0.", ImageName(f"azure.staging:{X64}", NUMBER)),
        ("Fedora-*/43.20261101.0", ImageName("Fedora-*", NUMBER)),
    ],
)
def test_an_image_is_one_word(text: str, image: ImageName) -> None:
    assert IMAGE.read(text) == image


@given(names, numbers)
def test_an_image_reads_as_it_is_written(name: str, number: VersionNumber) -> None:
    assert IMAGE.read(str(ImageName(name, number))) == ImageName(name, number)
    assert IMAGE.read(name) == ImageName(name)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{X64}/latest", "“latest” is not a version; versions look like 40.20240501.0"),
        (f"{X64}/", "“” is not a version"),
        ("/43.20261101.0", "names no definition; write it like DEFINITION/VERSION"),
    ],
)
def test_what_is_no_image_is_refused_in_a_sentence(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        IMAGE.read(text)


def test_the_version_stands_behind_a_slash_or_a_blank_and_not_both() -> None:
    assert with_version(ImageName(X64), NUMBER, promote) == ImageName(X64, NUMBER)
    assert with_version(ImageName(X64, NUMBER), None, promote) == ImageName(X64, NUMBER)
    with pytest.raises(MisuseError, match="given twice") as caught:
        with_version(ImageName(X64, NUMBER), NUMBER, promote)
    assert caught.value.hint == "help promote"


@pytest.mark.parametrize(
    ("text", "words", "version", "reason"),
    [
        (X64, ["43.20261101.0", "does", "not", "boot"], NUMBER, "does not boot"),
        (
            f"{X64}/43.20261101.0",
            ["43.20261101.0", "does", "not", "boot"],
            NUMBER,
            "43.20261101.0 does not boot",
        ),
        (X64, ["does", "not", "boot"], None, "does not boot"),
        (X64, ["1.5", "GB", "too", "large"], None, "1.5 GB too large"),
        (X64, [], None, ""),
    ],
)
def test_a_version_before_a_reason_may_stand_behind_a_blank(
    text: str, words: list[str], version: VersionNumber | None, reason: str
) -> None:
    assert image_and_reason(IMAGE.read(text), words) == (ImageName(X64, version), reason)
