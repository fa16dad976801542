"""What counts of the evidence about a version."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.ports.image_evidence import Evidence, EvidenceKind, Outcome
from slipway.bot.subjects.images.evidence.standing import standing
from tests.images.evidence.facts import BOOT, FAILED, PASSED, TESTER, TESTS, VERDICT, evidence

SOURCES = ("alice", "bob", TESTER, "service:bus")


@st.composite
def histories(draw: st.DrawFn) -> tuple[Evidence, ...]:
    """What was recorded about one version, in its order."""
    drawn = draw(
        st.lists(
            st.tuples(st.sampled_from(EvidenceKind), st.sampled_from(Outcome), st.sampled_from(SOURCES)),
            max_size=8,
        )
    )
    return tuple(
        evidence(kind, outcome, number=number, source=source)
        for number, (kind, outcome, source) in enumerate(drawn, start=1)
    )


class TestStanding:
    def test_where_nothing_is_recorded_nothing_passed(self) -> None:
        found = standing(())
        assert [found.outcome(kind) for kind in EvidenceKind] == [None, None, None]
        assert found.bad is None

    def test_the_newest_of_a_source_counts_and_one_that_failed_is_enough(self) -> None:
        again = evidence(BOOT, PASSED, number=2)
        assert standing([evidence(BOOT, FAILED, number=1), again]).outcome(BOOT) is PASSED
        other = evidence(BOOT, FAILED, number=3, source="service:bus")
        assert standing([again, other]).outcome(BOOT) is FAILED
        assert standing([again, other]).outcome(TESTS) is None

    def test_a_bad_verdict_stands_until_a_person_says_good_whoever_it_is(self) -> None:
        bad = evidence(VERDICT, FAILED, number=1, source="alice")
        tests = evidence(TESTS, PASSED, number=2)
        machine = evidence(VERDICT, PASSED, number=3, source=TESTER)
        assert standing([bad, tests, machine]).bad == bad
        good = evidence(VERDICT, PASSED, number=4, source="bob")
        lifted = standing([bad, tests, machine, good])
        assert lifted.bad is None
        assert lifted.of_kind(VERDICT) == (good,)
        assert standing([bad, good, evidence(VERDICT, FAILED, number=5, source=TESTER)]).bad is not None

    def test_only_a_person_says_that_a_version_is_good(self) -> None:
        assert standing([evidence(VERDICT, PASSED, number=1, source=TESTER)]).outcome(VERDICT) is None


@given(history=histories(), shuffled=st.randoms(use_true_random=False))
def test_any_order_in_which_it_is_read_gives_the_same(
    history: tuple[Evidence, ...], shuffled: object
) -> None:
    mixed = list(history)
    shuffled.shuffle(mixed)  # type: ignore[attr-defined]
    assert standing(mixed) == standing(history)


@given(history=histories(), kind=st.sampled_from(EvidenceKind), source=st.sampled_from(SOURCES))
def test_one_more_pass_never_makes_anything_fail_that_did_not(
    history: tuple[Evidence, ...], kind: EvidenceKind, source: str
) -> None:
    before = standing(history)
    after = standing((*history, evidence(kind, PASSED, number=len(history) + 1, source=source)))
    for each in EvidenceKind:
        assert not (after.outcome(each) is FAILED and before.outcome(each) is not FAILED)
        assert not (before.outcome(each) is PASSED and after.outcome(each) is not PASSED)
