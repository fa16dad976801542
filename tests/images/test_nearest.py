"""Which names the bot offers when somebody mistypes one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.core.text import nearest

COMMANDS = ("help", "images", "instances", "launch", "promote", "rollback", "cleanup", "terminate")


def test_a_typo_finds_the_name_it_was_meant_to_be() -> None:
    assert nearest("promtoe", COMMANDS)[0] == "promote"
    assert nearest("instanecs", COMMANDS)[0] == "instances"


def test_case_does_not_count() -> None:
    assert nearest("FEDORA-cloud-43-X64", ["Fedora-Cloud-42-x64", "Fedora-Cloud-43-x64"])[0] == (
        "Fedora-Cloud-43-x64"
    )


def test_a_part_of_a_long_name_is_near() -> None:
    names = ["Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261001.0", "debian-13-amd64"]
    assert nearest("43-2026", names) == (names[0],)
    assert nearest("43", names) == (names[0],)
    assert nearest("3", names) == ()


def test_prose_is_near_to_nothing() -> None:
    assert nearest("wow that is great", COMMANDS) == ()
    assert nearest("", COMMANDS) == ()


def test_among_many_names_the_one_that_was_meant_is_found() -> None:
    names = [f"Fedora-Cloud-{release}-{arch}" for release in range(4_000, 5_000) for arch in ("x64", "Arm64")]
    assert nearest("Fedora-Cloud-4711-x46", names)[0] == "Fedora-Cloud-4711-x64"
    assert nearest("x" * 100_000, names) == ()


@given(st.text(), st.lists(st.text(), max_size=60), st.integers(0, 5))
def test_offers_only_given_names_once_each_and_no_more_than_asked(
    word: str, names: list[str], limit: int
) -> None:
    offered = nearest(word, names, limit)
    assert len(offered) <= limit
    assert len(set(offered)) == len(offered)
    assert set(offered) <= set(names)


@given(st.lists(st.text(min_size=1).filter(lambda text: text.strip() == text), min_size=1, max_size=30))
def test_a_name_itself_is_always_offered(names: list[str]) -> None:
    word = names[0][:100]
    assert word in nearest(word, [*names, word], limit=len(names) + 1)
