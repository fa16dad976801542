"""What AMIs of one name in several regions come to as a version."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.aws.images.reading import Ami, AmiState, Family, family_of
from slipway.bot.clouds.image_naming import NamePattern
from slipway.bot.clouds.model import ImageVersion, VersionNumber, VersionState
from slipway.bot.subjects.images.versions import (
    is_excluded_everywhere,
    is_promoted_everywhere,
    latest,
    newest_first,
    protection,
)
from tests.support.ami_families import AWAY, FAMILY, HOME, NAME, VERSION
from tests.support.clock import DAY, NOW

PATTERN = NamePattern(NAME, VERSION)


def ami(
    number: str,
    region: str = HOME,
    *,
    public: bool = False,
    state: AmiState | str = AmiState.AVAILABLE,
    created: datetime = NOW,
    deprecated: datetime | None = None,
    tags: dict[str, str] | None = None,
    key: str = "",
) -> Ami:
    name = NAME.replace("{date}.{respin}", number)
    return Ami(
        f"ami-{number}{region}{key}",
        name,
        region,
        state,
        public,
        created,
        deprecated,
        "",
        (),
        "",
        tags or {},
    )


def read(*amis: Ami) -> Family:
    return family_of(FAMILY, PATTERN, amis, "aws")


def only(*amis: Ami) -> ImageVersion:
    (version,) = read(*amis).versions.values()
    return version.version


def test_one_that_is_public_nowhere_is_a_candidate_and_one_that_is_public_everywhere_is_promoted() -> None:
    candidate = only(ami("20261101.0"), ami("20261101.0", AWAY))
    promoted = only(ami("20261101.0", public=True), ami("20261101.0", AWAY, public=True))
    assert is_excluded_everywhere(candidate)
    assert is_promoted_everywhere(promoted)
    assert promoted.launch_regions == {HOME, AWAY}


def test_one_that_is_public_in_some_regions_is_neither_and_latest_in_those() -> None:
    half = only(ami("20261101.0", public=True), ami("20261101.0", AWAY))
    assert not is_excluded_everywhere(half)
    assert not is_promoted_everywhere(half)
    assert half.launch_regions == {HOME}


def test_a_region_where_it_is_missing_is_a_region_without_it() -> None:
    version = only(ami("20261101.0", public=True))
    assert [region.name for region in version.regions] == [HOME]
    assert is_promoted_everywhere(version)


def test_latest_goes_by_the_version_whenever_an_image_was_created() -> None:
    """Old AMIs that were published again became “most recent” elsewhere."""
    again = ami("20260101.0", public=True, created=NOW)
    newest = ami("20261101.0", public=True, created=NOW - 300 * DAY)
    versions = [each.version for each in read(again, newest).versions.values()]
    found = latest(versions, HOME)
    assert found is not None
    assert str(found.number) == "43.20261101.0"


@given(
    st.lists(st.tuples(st.integers(1, 99999999), st.integers(0, 30)), min_size=1, max_size=12, unique=True),
    st.randoms(use_true_random=False),
)
def test_the_order_is_that_of_the_versions_whatever_the_dates_and_the_order_of_the_listing(
    numbers: list[tuple[int, int]], chance: object
) -> None:
    shuffle, pick = chance.shuffle, chance.randint  # type: ignore[attr-defined]
    amis = [ami(f"{date}.{respin}", created=NOW - timedelta(days=pick(0, 999))) for date, respin in numbers]
    shuffle(amis)
    ordered = newest_first(each.version for each in read(*amis).versions.values())
    assert [each.number.parts[1:] for each in ordered] == sorted(numbers, reverse=True)


def test_two_images_of_one_name_in_a_region_are_told_and_held_back() -> None:
    family = read(ami("20261101.0"), ami("20261101.0", key="b"), ami("20261102.0"))
    assert [str(number) for number in family.versions] == ["43.20261102.0"]
    (odd,) = family.listing.unreadable
    assert odd.name == "43.20261101.0"
    assert f"is the name of 2 images in {HOME}" in odd.problem


def test_what_is_called_otherwise_or_is_deregistered_is_no_version() -> None:
    family = read(ami("20261101.n.0"), ami("20261101.0", state=AmiState.DEREGISTERED))
    assert not family.versions
    assert not family.unreadable


def test_the_weightiest_state_of_its_images_is_a_versions() -> None:
    for state, expected in (
        (AmiState.PENDING, VersionState.CREATING),
        (AmiState.FAILED, VersionState.FAILED),
        ("odd", VersionState.UNKNOWN),
        (AmiState.DISABLED, VersionState.SUCCEEDED),
    ):
        version = only(ami("20261101.0"), ami("20261101.0", AWAY, state=state))
        assert version.state is expected
    assert only(ami("20261101.0", state="odd")).state_title == "odd"
    assert only(ami("20261101.0", state=AmiState.DISABLED)).state is VersionState.DISABLED


def test_it_is_at_its_end_of_life_when_it_is_deprecated_in_the_last_region() -> None:
    soon, later = NOW + DAY, NOW + 2 * DAY
    assert only(ami("1.0", deprecated=soon), ami("1.0", AWAY, deprecated=later)).end_of_life == later
    assert only(ami("1.0", deprecated=soon), ami("1.0", AWAY)).end_of_life is None


def test_a_tag_that_protects_it_in_one_region_protects_it() -> None:
    never = only(ami("1.0", tags={"delete": "ok"}), ami("1.0", AWAY, tags={"delete": "Never"}))
    others = only(ami("1.0", tags={"owner": "fedora-cloud"}), ami("1.0", AWAY, tags={"owner": "coreos"}))
    plain = only(ami("1.0", tags={"owner": "fedora-cloud"}), ami("1.0", AWAY))
    assert protection(never, "fedora-cloud")
    assert protection(others, "fedora-cloud")
    assert protection(plain, "fedora-cloud") is None


def test_each_of_several_tags_protects_whose_names_differ_in_capitals_alone() -> None:
    for tags in (
        {"delete": "never", "Delete": "yes"},
        {"Delete": "yes", "DELETE": " Never "},
        {"owner": "coreos", "Owner": "fedora-cloud"},
        {"Owner": "", "owner": "coreos"},
    ):
        for mixed in (tags, dict(reversed(tags.items()))):
            assert protection(only(ami("1.0", tags=mixed)), "fedora-cloud")
    assert protection(only(ami("1.0", tags={"owner": "Fedora-Cloud", "Owner": ""})), "fedora-cloud") is None


def test_since_when_it_is_disabled_is_known_where_all_its_images_say_so() -> None:
    noted = ami("1.0", state=AmiState.DISABLED, tags={"slipway:disabled": "2026-11-01T00:00:00Z"})
    there = replace(noted, region=AWAY, tags={"slipway:disabled": "2026-11-02T00:00:00Z deprecated"})
    since = only(noted, there).disabled_since
    assert since is not None
    assert f"{since:%Y-%m-%d}" == "2026-11-02"
    assert "slipway:disabled" not in only(noted, there).tags
    assert only(noted, replace(there, tags={})).disabled_since is None
    assert only(noted, replace(there, tags={"slipway:disabled": "yesterday"})).disabled_since is None


def test_numbers_are_read_from_names() -> None:
    assert VersionNumber(43, 20261101, 3) in read(ami("20261101.3")).versions
