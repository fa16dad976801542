"""What a look changes in the list of problems."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.problems.model import WELL, Acknowledgement, Ending, EntryState, Look
from slipway.bot.problems.reconciling import LAPSED_LATELY, RETURNS_SOON, ChangeKind, retire
from tests.problems.builders import DAY, HOUR, PATIENCE, ListInMemory, acknowledged, entry, found, unseen
from tests.support.clock import NOW

KEYS = st.sampled_from(["a", "b", "c"])
SCOPES = {"a": "west", "b": "west/cellar", "c": "east"}

looks = st.builds(
    lambda keys, scopes: Look(
        tuple(found(key, SCOPES[key]) for key in sorted(keys)), tuple(map(unseen, sorted(scopes)))
    ),
    st.sets(KEYS),
    st.sets(st.sampled_from(["", "west", "west/cellar", "east"]), max_size=2),
)
histories = st.lists(
    st.tuples(looks, st.integers(0, 240).map(lambda each: timedelta(minutes=each))), max_size=8
)


class TestAnyHistory:
    @given(histories)
    def test_the_same_look_again_changes_nothing(self, history: list[tuple[Look, timedelta]]) -> None:
        listed, now = ListInMemory(), NOW
        for look, later in history:
            now += later
            listed.look(look, now)
            assert listed.look(look, now) == ()

    @given(histories)
    def test_what_is_seen_is_in_the_list_once(self, history: list[tuple[Look, timedelta]]) -> None:
        listed, now = ListInMemory(), NOW
        for look, later in history:
            now += later
            listed.look(look, now)
            keys = [each.found.key for each in listed.open]
            assert len(keys) == len(set(keys))
            assert {each.key for each in look.found} <= set(keys)

    @given(histories)
    def test_an_entry_is_closed_by_a_look_that_covers_it_alone(
        self, history: list[tuple[Look, timedelta]]
    ) -> None:
        listed, now = ListInMemory(), NOW
        for look, later in history:
            now += later
            before = {each.id for each in listed.open}
            changes = listed.look(look, now)
            over = (ChangeKind.CLOSED, ChangeKind.FORGOTTEN)
            closed = {each.entry.id: each.entry for each in changes if each.kind in over}
            assert closed.keys() == before - {each.id for each in listed.open}
            for each in closed.values():
                assert each.found.key not in {seen.key for seen in look.found}
                assert not any(dark.covers(each.found.scope) for dark in look.unseen)

    @given(histories)
    def test_all_seen_and_well_empties_the_list(self, history: list[tuple[Look, timedelta]]) -> None:
        listed, now = ListInMemory(), NOW
        for look, later in history:
            now += later
            listed.look(look, now)
        listed.look(WELL, now)
        assert listed.open == []

    @given(histories)
    def test_nothing_is_opened_twice_within_a_short_time(self, history: list[tuple[Look, timedelta]]) -> None:
        listed, now = ListInMemory(), NOW
        over: dict[str, datetime] = {}
        for look, later in history:
            now += later
            for change in listed.look(look, now):
                key = change.entry.found.key
                if change.kind is ChangeKind.OPENED and change.entry.found.patience == timedelta(0):
                    assert key not in over or now - over[key] >= RETURNS_SOON
                if change.kind is ChangeKind.CLOSED:
                    over[key] = now


def test_what_could_not_be_seen_is_told_only_once_it_lasts() -> None:
    listed = ListInMemory()
    (first,) = listed.look(Look(unseen=(unseen("west"),)), NOW)
    assert first.kind is ChangeKind.NEW
    assert listed.look(Look(unseen=(unseen("west"),)), NOW + PATIENCE / 2) == ()
    (later,) = listed.look(Look(unseen=(unseen("west"),)), NOW + PATIENCE)
    assert (later.kind, later.entry.found.what) == (ChangeKind.OPENED, "west could not be seen.")
    (over,) = listed.look(WELL, NOW + 2 * PATIENCE)
    assert (over.kind, over.entry.ending) == (ChangeKind.CLOSED, Ending.WELL)


def test_what_could_not_be_seen_for_a_moment_is_forgotten() -> None:
    listed = ListInMemory()
    listed.look(Look(unseen=(unseen(),)), NOW)
    listed.look(WELL, NOW + HOUR / 2)
    assert listed.entries == {}
    (again,) = listed.look(Look(unseen=(unseen(),)), NOW + HOUR)
    assert again.kind is ChangeKind.NEW


def test_what_comes_back_soon_is_the_same_entry_and_later_another_one() -> None:
    listed = ListInMemory()
    leak = Look((found(),))
    (first,) = listed.look(leak, NOW)
    listed.look(WELL, NOW + HOUR)
    (again,) = listed.look(leak, NOW + HOUR + RETURNS_SOON / 2)
    assert (again.kind, again.entry.id) == (ChangeKind.RETURNED, first.entry.id)
    listed.look(WELL, NOW + 2 * HOUR)
    (anew,) = listed.look(leak, NOW + 3 * HOUR)
    assert anew.kind is ChangeKind.OPENED
    assert anew.entry.id != first.entry.id


def test_an_acknowledgement_is_not_that_of_what_comes_back_later() -> None:
    listed = ListInMemory()
    listed.keep(listed.look(Look((found(),)), NOW))
    (held,) = listed.open
    listed.entries[held.id] = replace(held, acknowledged=acknowledged(NOW + 30 * DAY))
    listed.look(WELL, NOW + HOUR)
    listed.look(Look((found(),)), NOW + DAY)
    (anew,) = listed.open
    assert anew.acknowledged is None


def test_an_acknowledgement_that_lapses_is_told_and_one_that_lapsed_long_ago_is_not() -> None:
    for late, told in ((timedelta(0), True), (LAPSED_LATELY, True), (LAPSED_LATELY + HOUR, False)):
        listed = ListInMemory()
        listed.entries["x"] = entry(id="x", acknowledged=acknowledged(NOW + DAY))
        assert listed.look(Look((found(),)), NOW + DAY - HOUR) == ()
        (change,) = listed.look(Look((found(),)), NOW + DAY + late)
        assert (change.kind, change.entry.remind) == (ChangeKind.LAPSED, told)
        assert listed.look(Look((found(),)), NOW + DAY + late + HOUR) == ()


def test_it_lapses_also_where_nothing_can_be_seen() -> None:
    listed = ListInMemory()
    listed.entries["x"] = entry(id="x", acknowledged=acknowledged(NOW + DAY))
    changes = listed.look(Look(unseen=(unseen(),)), NOW + DAY)
    assert ChangeKind.LAPSED in [each.kind for each in changes]


def test_one_that_lapses_with_the_problem_is_told_to_nobody() -> None:
    listed = ListInMemory()
    listed.entries["x"] = entry(id="x", acknowledged=acknowledged(NOW + DAY))
    (change,) = listed.look(WELL, NOW + DAY)
    assert (change.kind, change.entry.remind) == (ChangeKind.CLOSED, False)


def test_words_that_change_are_shown_and_those_that_do_not_are_not() -> None:
    listed = ListInMemory()
    listed.look(Look((found(),)), NOW)
    (change,) = listed.look(Look((found(detail="It drips."),)), NOW + HOUR)
    assert (change.kind, change.entry.revision) == (ChangeKind.REWORDED, 2)


def test_a_clock_that_is_set_back_closes_and_opens_nothing() -> None:
    listed, look = ListInMemory(), Look((found(), found("patient", patience=HOUR)))
    listed.look(look, NOW)
    (changed,) = listed.look(look, NOW - DAY)
    assert (changed.kind, changed.entry.state) == (ChangeKind.REWORDED, EntryState.NEW)
    assert listed.look(look, NOW - DAY) == ()
    (told,) = listed.look(look, NOW - DAY + HOUR)
    assert told.kind is ChangeKind.OPENED, (
        "what was seen by a clock that was ahead is told once it has lasted"
    )


@pytest.mark.parametrize("look", [Look((found(),)), Look(unseen=(unseen(),))])
def test_an_acknowledgement_by_a_clock_that_was_ahead_holds_no_longer_than_it_was_given_for(
    look: Look,
) -> None:
    listed = ListInMemory()
    ahead = Acknowledgement("alice", NOW + 365 * DAY, NOW + 366 * DAY, "I look into it", "token")
    listed.entries["pb-2222"] = entry(acknowledged=ahead)
    listed.look(look, NOW)
    assert listed.entries["pb-2222"].standing(NOW + 23 * HOUR) is not None
    listed.look(look, NOW + DAY)
    assert listed.entries["pb-2222"].standing(NOW + DAY) is None


def test_what_its_source_does_not_look_at_any_more_is_not_called_well() -> None:
    listed = ListInMemory()
    scopes = ("cellar/tap", "roof/east", "attic/west/2", "")
    listed.look(Look.of(found(f"crack {scope}", scope=scope) for scope in scopes), NOW)
    changes = listed.look(Look(scopes=frozenset({"roof", "attic/west/2"})), NOW + HOUR)
    endings = {each.entry.found.scope: each.entry.ending for each in changes}
    assert [endings.pop(scope) for scope in scopes] == [Ending.UNWATCHED, *[Ending.WELL] * 3]


def test_what_nothing_looks_at_any_more_is_closed_as_that() -> None:
    waiting = entry(id="pb-3333", state=EntryState.NEW)
    over = entry(id="pb-4444", state=EntryState.CLOSED, closed_at=NOW)
    changes = retire([entry(), waiting, over], NOW + HOUR)
    assert [(each.kind, each.entry.id, each.entry.ending) for each in changes] == [
        (ChangeKind.CLOSED, "pb-2222", Ending.UNWATCHED),
        (ChangeKind.FORGOTTEN, "pb-3333", None),
    ]
