"""ARM's JSON: what is understood, and that anything else is nonsense rather than a crash or a guess."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.documents import read_definition, read_page
from slipway.bot.clouds.azure.images.version_documents import read_version, read_version_page
from slipway.bot.clouds.model import ImageVersion, VersionListing
from slipway.bot.clouds.simulated.azure import Seed, SeedDefinition, SeedRegion, SeedVersion, SimulatedAzure
from slipway.bot.clouds.simulated.azure.seed import version_document
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.subjects.images.cleaning_up.retention import Rule, retention
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from tests.support.azure import X64, one_version_seed
from tests.support.clock import NOW

ACCOUNT = AzureAccount()

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FLAGS = st.sampled_from([True, False, None])
REGIONS = ("eastus", "westeurope", "southeastasia")


def document(**more: Any) -> dict[str, Any]:
    """A version as ARM shows it, through JSON as it would come."""
    seed = one_version_seed(**more)
    definition = seed.definitions[0]
    shown: dict[str, Any] = json.loads(json.dumps(version_document(seed, definition, definition.versions[0])))
    return shown


def listing_of(entries: list[Any]) -> VersionListing:
    """One page of a listing as it would come."""
    return read_version_page(json.dumps({"value": entries}).encode(), X64, ACCOUNT).entries


def error_of(read: Callable[[], object]) -> CloudError | None:
    """What reading ends in; anything but a CloudError goes through and fails the test."""
    try:
        read()
    except CloudError as error:
        return error
    return None


@given(JSON)
def test_any_json_is_read_or_called_nonsense(junk: object) -> None:
    for read in (
        lambda: read_version(junk, X64, ACCOUNT),
        lambda: read_definition(junk, ACCOUNT),
        lambda: read_page(json.dumps(junk).encode(), "the versions", ACCOUNT),
        lambda: read_version_page(json.dumps(junk).encode(), X64, ACCOUNT),
    ):
        error = error_of(read)
        if error is not None:
            assert error.kind is CloudErrorKind.UNEXPECTED_ANSWER
            assert len(error.sentence) < 250


def paths(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a document."""
    found = [at]
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        found += paths(inner, (*at, key))
    return found


@given(st.sampled_from(paths(document())), JSON)
def test_a_version_with_any_one_part_spoiled_is_read_alone_as_in_a_listing_or_called_nonsense(
    path: tuple[str | int, ...], junk: object
) -> None:
    spoiled: Any = {"root": document()}
    at: Any = spoiled
    for step in ("root", *path)[:-1]:
        at = at[step]
    at[("root", *path)[-1]] = junk
    alone: list[ImageVersion] = []
    error = error_of(lambda: alone.append(read_version(spoiled["root"], X64, ACCOUNT)))
    assert error is None or error.kind is CloudErrorKind.UNEXPECTED_ANSWER
    other = {**document(), "name": "1.0.0"}
    listed = listing_of([spoiled["root"], other])
    assert [*listed] == [*alone, *listing_of([other])]
    assert bool(listed.unreadable) is (error is not None), "whole pages are read by the same shapes"


@pytest.mark.parametrize(
    "odd",
    [
        {"name": "1.0.0", "tags": {"a": "\ud800"}},  # half a character, which is JSON and no text
        {"name": "\udfff"},
        {"name": "2.0.0", "location": None},
        {"name": "43.20260131.00"},
        {
            "name": "3.0.0",
            "properties": {**document()["properties"], "publishingProfile": {"endOfLifeDate": "?"}},
        },
        None,
    ],
)
def test_an_entry_that_spoils_the_reading_of_its_page_at_once_spoils_no_other(odd: Any) -> None:
    entry = odd if odd is None else {**document(), **odd}
    listing = listing_of([entry, {**document(), "name": "4.0.0"}, {**document(), "name": "4.0.0"}])
    assert "4.0.0" in [str(each.number) for each in listing]
    assert len(listing) + len(listing.unreadable) == 2
    assert all(str(each).isprintable() for each in listing.unreadable)


def test_a_page_may_begin_with_a_byte_order_mark_and_must_have_its_entries() -> None:
    page = json.dumps({"value": [document()], "nextLink": "there"}).encode("utf-8-sig")
    found = read_version_page(page, X64, ACCOUNT)
    assert (len(found.entries), found.next_link) == (1, "there")
    for body in (b"{}", b"[]", b'{"value": null}', b'{"value": {}}', b'{"value": [], "nextLink": 1}'):
        error = error_of(lambda: read_version_page(body, X64, ACCOUNT))  # noqa: B023  # called at once
        assert error is not None
        assert error.kind is CloudErrorKind.UNEXPECTED_ANSWER


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-10T03:22:11.1234567+00:00", datetime(2026, 11, 10, 3, 22, 11, 123456, UTC)),
        ("2026-11-10T03:22:11Z", datetime(2026, 11, 10, 3, 22, 11, tzinfo=UTC)),
        ("2026-11-10T05:22:11+02:00", datetime(2026, 11, 10, 3, 22, 11, tzinfo=UTC)),
        ("2026-11-10T03:22:11", datetime(2026, 11, 10, 3, 22, 11, tzinfo=UTC)),
        ("9999-12-31T23:59:59-01:00", datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC)),
        ("9999-12-31T23:59:59.9999999Z", datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", datetime(1, 1, 2, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_utc(text: str, moment: datetime) -> None:
    shown = document()
    shown["properties"]["publishingProfile"]["endOfLifeDate"] = text
    found = read_version(shown, X64, ACCOUNT).end_of_life
    assert found == moment
    assert found is not None
    assert found.tzinfo is UTC


@pytest.mark.parametrize("text", ["soon", "", 1764000000, "9999-13-31T23:59:59Z"])
def test_an_end_of_life_that_is_no_time_is_never_taken_for_none(text: object) -> None:
    shown = document()
    shown["properties"]["publishingProfile"]["endOfLifeDate"] = text
    with pytest.raises(CloudError, match="endOfLifeDate"):
        read_version(shown, X64, ACCOUNT)


def test_a_flag_that_is_no_flag_is_never_taken_for_one() -> None:
    shown = document()
    shown["properties"]["publishingProfile"]["excludeFromLatest"] = "false"
    with pytest.raises(CloudError, match="excludeFromLatest"):
        read_version(shown, X64, ACCOUNT)


def test_without_target_regions_a_version_is_where_it_was_made() -> None:
    shown = document()
    del shown["properties"]["publishingProfile"]["targetRegions"]
    assert [region.name for region in read_version(shown, X64, ACCOUNT).regions] == ["eastus"]


def test_a_foreign_name_cannot_disturb_a_sentence() -> None:
    shown = {**document(), "name": "1.\u202e\n" + "x" * 500}
    with pytest.raises(CloudError) as caught:
        read_version(shown, X64, ACCOUNT)
    assert caught.value.sentence.isprintable()
    assert len(caught.value.sentence) < 200


@given(
    st.dictionaries(
        st.tuples(st.integers(1, 3), st.sampled_from([2, 9, 10, 100])),
        st.tuples(FLAGS, st.dictionaries(st.sampled_from(REGIONS), FLAGS, min_size=1)),
        min_size=1,
    ),
    st.sampled_from(REGIONS),
)
def test_latest_is_the_highest_number_that_may_launch_in_the_region(
    versions: dict[tuple[int, int], tuple[bool | None, dict[str, bool | None]]], region: str
) -> None:
    """Azure's resolution (the simulator's) and the model's ``launch_regions`` say the same."""
    seeded = tuple(
        SeedVersion(f"{major}.{minor}.0", NOW, flag, tuple(SeedRegion(*pair) for pair in regions.items()))
        for (major, minor), (flag, regions) in versions.items()
    )
    definition = SeedDefinition(X64, "x64", seeded)
    seed = Seed((definition,))
    numbers = [
        found.number
        for found in (
            read_version(version_document(seed, definition, version), X64, ACCOUNT) for version in seeded
        )
        if region in found.launch_regions
    ]
    expected = str(max(numbers)) if numbers else None
    assert SimulatedAzure(seed).latest(X64, region) == expected


GALLERY = [
    {**document(published_at=NOW - timedelta(days=day)), "name": f"43.{100 - day}.0"} for day in range(1, 13)
]
"""A definition of twelve candidates, of which five are too many."""


@given(
    st.integers(0, 11),
    st.sampled_from(paths(document())[1:]),
    st.one_of(st.just("absent"), st.none(), JSON),
    st.integers(0, 3),
)
def test_one_odd_version_is_never_deleted_and_nothing_is_deleted_in_doubt(
    place: int, path: tuple[str | int, ...], junk: object, ended: int
) -> None:
    entries: list[Any] = json.loads(json.dumps(GALLERY))
    for entry in entries[:ended]:
        entry["properties"]["publishingProfile"]["endOfLifeDate"] = "2026-01-01T00:00:00Z"
    usual = decided(listing_of(entries))
    at: Any = entries[place]
    for step in path[:-1]:
        at = at[step]
    if junk == "absent":
        del at[path[-1]]
    else:
        at[path[-1]] = junk
    listing = listing_of(entries)
    assert len(listing) + len(listing.unreadable) == 12
    if listing.unreadable:
        (odd,) = listing.unreadable
        assert odd.name
        assert str(odd).isprintable()
        assert decided(listing) <= {(number, rule) for number, rule in usual if rule is Rule.END_OF_LIFE}, (
            "the other rules count, and what counts is not known"
        )


def decided(listing: VersionListing) -> set[tuple[str, Rule]]:
    """What a clean-up would delete, and by which rule."""
    result = retention(listing.versions, NOW, RetentionSettings(), in_doubt=bool(listing.unreadable))
    return {(str(each.version.number), each.rule) for each in result.deletions}
