"""From the name of an image to its version and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.image_naming import NamePattern
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.naming_overlap import common_name
from tests.support.ami_families import NAME, VERSION

PATTERN = NamePattern(NAME, VERSION)
WHOLE = NamePattern("debian-13-{version}-amd64")


def _name(rest: str) -> str:
    return f"Fedora-Cloud-Base-AmazonEC2.x86_64-43-{rest}"


@pytest.mark.parametrize(
    ("name", "version"),
    [
        (_name("20261101.0"), "43.20261101.0"),
        (_name("20261101.12"), "43.20261101.12"),
        (_name("20261101.n.0"), None),
        (_name("20261101.0-arm"), None),
        (_name("020261101.0"), None),
        (_name("20261101.00"), None),
        (_name("².0"), None),
        (_name("20261101.0\n"), None),
        ("fedora-cloud-base-amazonec2.x86_64-43-20261101.0", None),
        ("", None),
    ],
)
def test_a_name_tells_a_version_or_is_none_of_the_family(name: str, version: str | None) -> None:
    found = PATTERN.number(name)
    assert (str(found) if found else None) == version


def test_a_whole_version_stands_in_a_name_as_it_is() -> None:
    assert str(WHOLE.number("debian-13-2.20261101.7.1-amd64")) == "2.20261101.7.1"
    assert WHOLE.number("debian-13-2.1-amd64") is None
    assert WHOLE.name_of(VersionNumber(2, 1, 0)) == "debian-13-2.1.0-amd64"


def test_the_order_of_the_parts_in_the_version_is_the_versions_own() -> None:
    pattern = NamePattern("image-{respin}-of-{date}", "1.{date}.{respin}")
    assert pattern.number("image-7-of-20261101") == VersionNumber(1, 20261101, 7)
    assert pattern.name_of(VersionNumber(1, 20261101, 7)) == "image-7-of-20261101"


@pytest.mark.parametrize("version", ["44.20261101.0", "43.20261101.0.1", "43.20261101.0.1.2"])
def test_a_version_that_no_name_can_tell_has_none(version: str) -> None:
    assert PATTERN.name_of(VersionNumber.parse(version)) is None


@given(st.integers(0, 10**18 - 1), st.integers(0, 10**18 - 1))
def test_every_version_of_a_family_has_one_name_and_is_read_from_it(date: int, respin: int) -> None:
    version = VersionNumber(43, date, respin)
    name = PATTERN.name_of(version)
    assert name is not None
    assert PATTERN.number(name) == version


@pytest.mark.parametrize(
    ("name", "version", "key", "said"),
    [
        ("Fedora", "", "name", "no number left open"),
        ("Fedora-{date}", "", "version", "makes 1 numbers"),
        ("Fedora-{a}.{b}.{c}.{d}.{e}.{f}", "", "version", "makes 6 numbers"),
        ("Fedora-{date}.{date}.0", "", "name", "{date} twice"),
        ("Fedora-{Date}.{respin}.{x}", "", "name", "holds a-z and _"),
        ("Fedora-{}.{a}.{b}", "", "name", "holds a-z and _"),
        ("Fedora-{version}-{date}", "", "name", "stands for the whole version"),
        ("Fedora-{version}", "43.{version}", "version", "leave it out"),
        ("Fedora*-{a}.{b}.{c}", "", "name", "no image's name has"),
        ("Fedora-{a}.{b}", "43.{a}", "version", "each part of the name once"),
        ("Fedora-{a}.{b}", "43.{a}.{b}.{b}", "version", "each part of the name once"),
        ("Fedora-{a}.{b}", "43.{a}.{c}", "version", "each part of the name once"),
        ("Fedora-{a}.{b}", "043.{a}.{b}", "version", "numbers and parts between dots"),
        ("Fedora-{a}.{b}", "43..{a}.{b}", "version", "numbers and parts between dots"),
        ("Fedora-{a}.{b}", "43.v{a}.{b}", "version", "numbers and parts between dots"),
    ],
)
def test_what_cannot_be_a_pattern_is_told_by_its_key(name: str, version: str, key: str, said: str) -> None:
    problem = NamePattern(name, version).problem()
    assert problem is not None
    assert problem[0] == key
    assert said in problem[1]


@pytest.mark.parametrize("pattern", [PATTERN, WHOLE, NamePattern("a-{x}.{y}.{z}")])
def test_what_can_be_a_pattern_has_no_problem(pattern: NamePattern) -> None:
    assert pattern.problem() is None


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        ("a-{date}.{respin}", "b-{date}.{respin}", None),
        ("a-{date}.{respin}", "a-{date}.{respin}.{more}", None),
        ("a-43-{date}", "a-{release}-{date}", "a-43-0"),
        ("a-0{date}", "a-{date}", None),
        ("a-{one}{two}-x", "a-{number}-{other}", None),
        ("a-{one}{two}", "a-{number}", "a-10"),
        ("a-{date}.{respin}.{more}-x", "a-{version}-x", "a-0.0.0-x"),
        ("a-{date}.{respin}-x", "a-{version}-x", None),
        ("a-{date}", f"a-1{'0' * 17}", "a-1" + "0" * 17),
        ("a-{date}", f"a-1{'0' * 18}", None),
    ],
)
def test_two_patterns_overlap_where_one_name_fits_both(first: str, second: str, name: str | None) -> None:
    for one, other in ((first, second), (second, first)):
        assert common_name(NamePattern(one), NamePattern(other)) == name
