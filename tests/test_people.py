"""Who is who, and who may do what."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.model import SCHEDULE, Platform
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.people import Identity, People, PersonKind, is_automatic
from tests.support.configuration import DECLARED

STRANGER = Identity(MATRIX, "@mallory:example.org")


def people(**changes: Any) -> People:
    document: dict[str, Any] = {
        "zone": "Europe/Prague",
        "person": [
            {
                "id": "alice",
                "name": "Alice",
                "identities": ["matrix:@alice:example.org", "slack:U1", "matrix:@alice:work.example.org"],
                "roles": ["releng", "releng"],
                "zone": "UTC",
            },
            {"id": "bob", "identities": ["matrix:@bob:example.org"], "roles": ["reader"]},
        ],
        "roles": {"releng": {"may": ["promote"]}, "reader": {"may": ["read"]}, "admin": {"may": ["*"]}},
        "schedule": [
            {
                "name": "weekly",
                "cron": "0 9 * * mon",
                "command": "promote *",
                "room": "matrix:!r:example.org",
                "roles": ["releng"],
            }
        ],
    }
    return People(SlipwaySettings.model_validate(document | changes))


def many(count: int) -> People:
    persons = [
        {"id": f"p{number}", "identities": [f"console:p{number}"], "roles": ["releng"]}
        for number in range(count)
    ]
    bob = {"id": "bob", "identities": ["console:bob"], "roles": ["reader"]}
    return people(person=[*persons, bob])


def test_a_person_is_known_by_each_of_their_accounts() -> None:
    known = people()
    alice = known.by_id("alice")
    assert alice is not None
    assert alice.human
    assert alice.roles == ("releng",)
    for platform, account in (
        (MATRIX, "@alice:example.org"),
        (MATRIX, "@alice:work.example.org"),
        (SLACK, "U1"),
    ):
        assert known.by_account(platform, account) is alice


@pytest.mark.parametrize(
    ("platform", "account"),
    [
        (MATRIX, "@Alice:example.org"),
        (MATRIX, "@alice:example.org "),
        (MATRIX, "alice"),
        (SLACK, "@alice:example.org"),
        (SLACK, "u1"),
        (SCHEDULE, "weekly"),
        (MATRIX, "schedule:weekly"),
    ],
)
def test_nobody_else_is_taken_for_them(platform: Platform, account: str) -> None:
    assert people().by_account(platform, account) is None


def test_a_person_is_mentioned_by_their_account_on_the_platform() -> None:
    known = people()
    assert known.account("alice", MATRIX) == "@alice:example.org"
    assert known.account("alice", SLACK) == "U1"
    assert known.account("bob", SLACK) is None
    assert known.account("gone", SLACK) is None


def test_times_are_shown_in_the_persons_zone_or_everybodys() -> None:
    zones = {person.id: person.zone for person in people().persons}
    assert zones == {"alice": ZoneInfo("UTC"), "bob": ZoneInfo("Europe/Prague")}


def test_who_left_is_still_called_something() -> None:
    known = people()
    assert [known.name(name) for name in ("alice", "bob", "gone")] == ["Alice", "bob", "gone"]


def test_a_schedule_has_rights_of_its_own_and_is_no_human() -> None:
    known = people()
    weekly = known.schedule("weekly")
    assert weekly is not None
    assert weekly is known.by_id("schedule:weekly")
    assert not weekly.human
    assert is_automatic(weekly.id)
    assert not is_automatic("alice")
    assert known.schedules == (weekly,)
    assert known.may(weekly, "promote", changes=True)
    assert not known.may(weekly, "cleanup", changes=True)
    assert [person.id for person in known.role_holders("releng")] == ["alice"]
    assert [person.id for person in known.holders("promote", changes=True)] == ["alice"]
    assert known.schedule("monthly") is None


def test_read_is_the_right_to_what_changes_nothing() -> None:
    known = people()
    bob = known.by_id("bob")
    assert known.may(bob, "images", changes=False)
    assert not known.may(bob, "promote", changes=True)
    assert not known.may(known.by_id("alice"), "images", changes=False)


def test_a_stranger_is_named_by_their_account() -> None:
    stranger = people().stranger(MATRIX, "@x:y")
    assert stranger.kind is PersonKind.STRANGER
    assert not stranger.human
    assert (stranger.id, stranger.name, stranger.roles) == ("matrix:@x:y", "@x:y", ())
    assert stranger.identities == (Identity(MATRIX, "@x:y"),)


_COMMAND = st.sampled_from(["promote", "cleanup", "images", "launch", "status"])
_RIGHT = st.one_of(_COMMAND, st.sampled_from(["read", "*"]))


@given(
    roles=st.dictionaries(st.sampled_from("abc"), st.lists(_RIGHT, max_size=3), max_size=3),
    held=st.lists(st.sampled_from("abcd"), max_size=3),
    command=_COMMAND,
    changes=st.booleans(),
)
def test_nothing_is_allowed_but_by_a_right_that_a_held_role_gives(
    roles: dict[str, list[str]], held: list[str], command: str, changes: bool
) -> None:
    known = people(
        person=[{"id": "eve", "identities": ["console:eve"], "roles": held}],
        roles={name: {"may": rights} for name, rights in roles.items()},
        schedule=[],
    )
    given_rights = {right for role in held for right in roles.get(role, [])}
    expected = bool(given_rights & ({command, "*"} if changes else {command, "*", "read"}))
    eve = known.by_id("eve")
    assert known.may(eve, command, changes=changes) is expected
    assert known.holders(command, changes=changes) == ((eve,) if expected else ())
    assert not known.may(None, command, changes=changes)
    assert not known.may(known.stranger(CONSOLE, "eve"), command, changes=changes)


class TestRefusal:
    def refused(self, known: People, command: str, *, changes: bool = True) -> str:
        bob = known.by_id("bob")
        return known.refusal(bob, Identity(MATRIX, "@bob:example.org"), command, changes=changes)

    def test_it_names_the_right_and_who_has_it(self) -> None:
        assert (
            self.refused(people(), "promote")
            == "You need the right `promote` for this; Alice (alice) has it."
        )

    def test_it_says_when_nobody_has_it(self) -> None:
        assert self.refused(people(), "cleanup") == (
            "You need the right `cleanup` for this; nobody has it yet; whoever runs Slipway can give it."
        )

    def test_it_says_that_read_would_do(self) -> None:
        known = people()
        alice = known.by_id("alice")
        assert known.refusal(alice, STRANGER, "images", changes=False) == (
            "You need the right `images` (or `read`) for this; bob has it."
        )

    @pytest.mark.parametrize(
        ("count", "who"),
        [
            (2, "p0 and p1 have it."),
            (5, "p0, p1, p2, p3 and p4 have it."),
            (6, "p0, p1, p2, p3 and 2 others have it."),
            (500, "p0, p1, p2, p3 and 496 others have it."),
        ],
    )
    def test_it_names_a_few_and_counts_many(self, count: int, who: str) -> None:
        assert self.refused(many(count), "promote").endswith(f"; {who}")

    def test_it_tells_a_stranger_how_to_become_known(self) -> None:
        text = people().refusal(None, STRANGER, "promote", changes=True)
        assert "I do not know you" in text
        assert "`matrix:@mallory:example.org`" in text
        assert "Alice" not in text  # strangers learn nobody's name

    def test_a_strangers_account_cannot_break_out_of_its_marks(self) -> None:
        sender = Identity(MATRIX, "@a`b:example.org")
        assert people().refusal(None, sender, "promote", changes=True).count("`") == 4


@pytest.mark.parametrize(
    "persons",
    [
        [{"id": "a", "identities": ["console:a"]}, {"id": "a", "identities": ["console:b"]}],
        [{"id": "a", "identities": ["console:a"]}, {"id": "b", "identities": ["console:a"]}],
        [{"id": "a", "identities": ["nowhere"]}],
    ],
)
def test_people_who_cannot_be_told_apart_are_refused(persons: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match=r"same id|given twice|is not platform:id"):
        people(person=persons)


def test_ending_the_machines_of_others_is_a_right_beside_ending_ones_own() -> None:
    rights = DECLARED.spec.rights
    assert "terminate.others" in rights
    assert "terminate.*" not in rights  # it would look like more than it is
    known = people(roles={"releng": {"may": ["terminate"]}, "reader": {"may": ["terminate.others"]}})
    alice, bob = known.by_id("alice"), known.by_id("bob")
    assert not known.may(alice, "terminate.others", changes=True)
    assert known.may(bob, "terminate.others", changes=True)
    assert not known.may(bob, "terminate", changes=True)
