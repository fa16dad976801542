"""`!sshkeys`, `!sshkey add` and `!sshkey remove` in the room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.accounts import SimulatedAccounts
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import ChatError
from slipway.bot.subjects.machines.keys.model import UsableKeys
from slipway.bot.subjects.machines.keys.public_key import read_key
from slipway.bot.subjects.machines.services import MachineServices
from tests.support.clock import HOUR, FakeClock
from tests.support.configuration import problems_of, put, settings_of, valid_document
from tests.support.harness import BotHarness, audit_trail, propose, running_bot
from tests.support.memory_chat import MemoryChat, PostedMessage
from tests.support.ssh_keys import ed25519, rsa_key, security_key

ONE, TWO, THREE = (ed25519(number) for number in (1, 2, 3))


def fingerprint(line: str) -> str:
    return read_key(line).fingerprint


async def usable(bot: BotHarness, person: str = "alice") -> UsableKeys:
    return await bot.running.services.get(MachineServices).keys.checker.usable(person)


async def add(bot: BotHarness, text: str, who: str = "alice", by: str = "alice") -> PostedMessage:
    """Add keys, and have somebody agree."""
    card, _ = await propose(bot, f"!sshkey add {text}", who)
    await bot.press(by, Choice.APPROVE, card)
    assert "sshkey-add: done" in card.text, card.text
    return card


async def test_ones_own_account_is_confirmed_by_oneself_and_its_keys_are_shown(
    tmp_path: Path, accounts: SimulatedAccounts, changes: dict[str, Any], clock: FakeClock
) -> None:
    account = accounts.add(accounts.github, "alice", [ONE, TWO, rsa_key(1024)])
    async with running_bot(tmp_path, changes=changes, clock=clock) as bot:
        (none,) = await bot.say("alice", "!sshkeys")
        assert "You have no SSH keys here." in none.text
        card, _ = await propose(bot, "!sshkey add github:alice")
        for line in (ONE, TWO):
            assert fingerprint(line) in card.text
        assert f"github:alice, number {account.id}" in card.text
        assert "it is an RSA key of 1024 bits" in card.text
        assert card.card.mentions == ()  # nobody else is called upon for it
        assert not (await usable(bot)).keys
        await bot.press("alice", Choice.APPROVE, card)
        assert "sshkey-add: done" in card.text
        assert (await usable(bot)).lines == tuple(
            f"{line} github:alice#{account.id}" for line in sorted((ONE, TWO), key=fingerprint)
        )
        clock.advance(HOUR)
        await usable(bot)
        (listed,) = await bot.say("alice", "!sshkey")
        for words in (
            fingerprint(ONE),
            "Ed25519",
            "github:alice",
            "2026-11-20 12:00 UTC",
            "2026-11-20 13:00 UTC",
        ):
            assert words in listed.text
        (others,) = await bot.say("bob", "!sshkeys")
        assert "You have no SSH keys here." in others.text


async def test_no_body_of_a_key_is_ever_said_or_logged(
    tmp_path: Path,
    accounts: SimulatedAccounts,
    changes: dict[str, Any],
    clock: FakeClock,
    capfd: pytest.CaptureFixture[str],
) -> None:
    accounts.add(accounts.github, "alice", [ONE])
    async with running_bot(tmp_path, changes=changes, clock=clock) as bot:
        await add(bot, "github:alice")
        await add(bot, f"{TWO} alice@laptop")
        await bot.say("alice", f"!sshkey add {THREE} --dry-run")
        await bot.say("alice", "!sshkeys")
        await bot.say("alice", "!history")
        said = "\n".join(f"{each.text}\n{each.card.model_dump_json()}" for each in bot.messages)
        trail = str(await audit_trail(bot))
    logged = "".join(capfd.readouterr())
    for line in (ONE, TWO, THREE):
        assert line.split()[1] not in logged
        assert line.split()[1] not in said
        assert line.split()[1] not in trail


async def test_another_name_takes_somebody_elses_approval(
    tmp_path: Path, accounts: SimulatedAccounts, changes: dict[str, Any], clock: FakeClock
) -> None:
    accounts.add(accounts.github, "stranger", [ONE])
    accounts.add(accounts.github, "bob", [TWO])
    async with running_bot(tmp_path, changes=changes, clock=clock) as bot:
        card, _ = await propose(bot, "!sshkey add github:stranger")
        assert "The configuration does not say whose github:stranger is" in card.text
        (refused,) = await bot.press("alice", Choice.APPROVE, card)
        assert "somebody else must approve it: Bob" in refused.text
        assert not (await usable(bot)).keys
        await bot.press("bob", Choice.APPROVE, card)
        assert (await usable(bot)).fingerprints == (fingerprint(ONE),)
        card, _ = await propose(bot, "!sshkey add github:Bob")
        assert "The configuration gives github:Bob to bob" in card.text


async def test_without_a_word_the_one_account_is_meant_that_the_configuration_gives(
    tmp_path: Path, accounts: SimulatedAccounts, changes: dict[str, Any], clock: FakeClock
) -> None:
    accounts.add(accounts.github, "bob", [ONE])
    async with running_bot(tmp_path, changes=changes, clock=clock) as bot:
        await add(bot, "", "bob", "bob")
        assert (await usable(bot, "bob")).fingerprints == (fingerprint(ONE),)
        (which,) = await bot.say("alice", "!sshkey add")
        assert "Which account? The configuration gives you github:alice, gitlab:alice." in which.text
    nobodys = changes | {"person": [{**changes["person"][0], "keys": []}, *changes["person"][1:]]}
    async with running_bot(tmp_path / "2", changes=nobodys, clock=clock) as bot:
        (none,) = await bot.say("alice", "!sshkey add")
        assert "Which account? The configuration gives you none." in none.text


async def test_keys_that_changed_there_since_make_the_plan_stale(
    tmp_path: Path, accounts: SimulatedAccounts, changes: dict[str, Any], clock: FakeClock
) -> None:
    account = accounts.add(accounts.github, "alice", [ONE])
    async with running_bot(tmp_path, changes=changes, clock=clock) as bot:
        card, _ = await propose(bot, "!sshkey add github:alice")
        account.keys[0].key = TWO
        clock.advance(HOUR)
        await bot.press("alice", Choice.APPROVE, card)
        assert "stale" in card.text
        assert not (await usable(bot)).keys


async def test_a_name_that_was_taken_over_opens_nothing_and_its_owner_is_told(
    tmp_path: Path, accounts: SimulatedAccounts, changes: dict[str, Any], clock: FakeClock
) -> None:
    first = accounts.add(accounts.github, "alice", [ONE])
    async with running_bot(tmp_path, changes=changes, clock=clock) as bot:
        await add(bot, "github:alice")
        accounts.rename(accounts.github, "alice", "alice-renamed")
        clock.advance(HOUR)
        gone = await usable(bot)
        assert gone.keys == ()
        assert gone.notes == (
            "The keys of github:alice are left out: GitHub knows nobody called alice. It was renamed or deleted.",
        )
        second = accounts.add(accounts.github, "alice", [ONE, TWO])  # even with the same key
        clock.advance(HOUR)
        taken = await usable(bot)
        assert taken.keys == ()
        assert f"number {second.id}" in taken.notes[0]
        assert f"number {first.id}" in taken.notes[0]
        (refused,) = await bot.say("alice", "!sshkey add github:alice")
        assert "belongs to another account now" in refused.text
        assert "!sshkey remove github:alice" in refused.text


async def alone(bot: BotHarness, minutes: int = 1) -> list[PostedMessage]:
    """What is said to somebody alone within a minute's upkeep."""
    before = len(bot.messages)
    for _ in range(minutes):
        await bot.running.upkeep.sweep()
        await bot.running.idle()
    return [each for each in bot.messages[before:] if each.room.startswith("direct:")]


async def test_whose_account_was_renamed_or_taken_over_is_told_alone_and_once(
    tmp_path: Path, accounts: SimulatedAccounts, changes: dict[str, Any], clock: FakeClock
) -> None:
    accounts.add(accounts.github, "alice", [ONE])
    chat = MemoryChat()
    async with running_bot(tmp_path, changes=changes, clock=clock, chat=chat) as bot:
        await add(bot, "github:alice")
        await usable(bot)
        assert await alone(bot) == []
        accounts.rename(accounts.github, "alice", "alice-renamed")
        clock.advance(HOUR)
        chat.away_in["direct:alice"] = ChatError("Not now.", passing=True)
        await usable(bot)
    del chat.away_in["direct:alice"]
    async with running_bot(tmp_path, changes=changes, clock=clock, chat=chat) as bot:
        (told,) = await alone(bot)  # also where the bot was stopped before it could say so
        assert (told.room, told.card.mentions) == ("direct:alice", ("alice",))
        assert told.card.title == "Your SSH keys of github:alice are not used any more"
        assert "GitHub knows nobody called alice. It was renamed or deleted." in told.text
        assert "!sshkey remove github:alice" in told.text
        accounts.add(accounts.github, "alice", [ONE])
        clock.advance(HOUR)
        assert "belongs to another account now" in (await usable(bot)).notes[0]
        assert await alone(bot, 2) == []


async def test_a_name_that_was_taken_over_is_told_of_where_it_is_added_again_and_anew_after_it_was_right(
    tmp_path: Path, accounts: SimulatedAccounts, changes: dict[str, Any], clock: FakeClock
) -> None:
    accounts.add(accounts.github, "alice", [ONE])
    async with running_bot(tmp_path, changes=changes, clock=clock) as bot:
        await add(bot, "github:alice")
        accounts.rename(accounts.github, "alice", "alice-renamed")
        accounts.add(accounts.github, "alice", [TWO])
        clock.advance(HOUR)
        await bot.say("alice", "!sshkey add github:alice")
        (told,) = await alone(bot)
        assert "The name belongs to another account now" in told.text
        accounts.rename(accounts.github, "alice", "mallory")
        accounts.rename(accounts.github, "alice-renamed", "alice")
        clock.advance(HOUR)
        assert (await usable(bot)).fingerprints == (fingerprint(ONE),)
        assert await alone(bot) == []
        accounts.rename(accounts.github, "alice", "alice-renamed")
        clock.advance(HOUR)
        await usable(bot)
        (again,) = await alone(bot)
        assert again.id != told.id


async def test_a_key_that_is_not_listed_any_more_is_left_out_alone(
    tmp_path: Path, accounts: SimulatedAccounts, changes: dict[str, Any], clock: FakeClock
) -> None:
    account = accounts.add(accounts.github, "alice", [ONE, TWO])
    async with running_bot(tmp_path, changes=changes, clock=clock) as bot:
        await add(bot, "github:alice")
        del account.keys[0]
        clock.advance(HOUR)
        left = await usable(bot)
        assert left.fingerprints == (fingerprint(TWO),)
        assert left.notes == (f"{fingerprint(ONE)} is left out: github:alice does not list it any more.",)


async def test_what_cannot_be_looked_up_is_not_used_and_all_else_is(
    tmp_path: Path, accounts: SimulatedAccounts, changes: dict[str, Any], clock: FakeClock
) -> None:
    accounts.add(accounts.github, "alice", [ONE])
    accounts.add(accounts.gitlab, "alice", [TWO])
    async with running_bot(tmp_path, changes=changes, clock=clock) as bot:
        for source in ("github:alice", "gitlab:alice", THREE):
            await add(bot, source)
        clock.advance(HOUR)
        accounts.faults.add(Fault(kind=FaultKind.THROTTLE, match="*/github/*", seconds=60))
        left = await usable(bot)
        assert set(left.fingerprints) == {fingerprint(TWO), fingerprint(THREE)}
        (note,) = left.notes
        assert note.startswith(
            "The keys of github:alice are left out, for they cannot be looked up: GitHub was"
        )
        assert note.endswith("answers again at 13:01 UTC.")


async def test_a_pasted_key_is_confirmed_by_oneself_and_needs_no_service(
    tmp_path: Path, accounts: SimulatedAccounts, changes: dict[str, Any], clock: FakeClock
) -> None:
    async with running_bot(tmp_path, changes=changes, clock=clock) as bot:
        card = await add(bot, f"{security_key('ed25519')} alice@laptop")
        assert "SHA256:" in card.text
        held = await usable(bot)
        assert held.lines == (f"{security_key('ed25519')} slipway:alice",)
        (again,) = await bot.say("alice", f"!sshkey add {security_key('ed25519')}")
        assert "is there already" in again.text
    assert accounts.requests == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("!sshkey add github:nobody", "GitHub knows nobody called nobody."),
        ("!sshkey add github:empty", "github:empty lists no keys."),
        ("!sshkey add github:old", "github:old lists no key that is taken."),
        ("!sshkey add github:hoarder", "10 are the most"),
        ("!sshkey add github:../../x", "an account is written like github:NAME or gitlab:NAME"),
        ("!sshkey add launchpad:alice", "an account is written like github:NAME or gitlab:NAME"),
        ("!sshkey add KEY", "That key is not taken: it is none of the kinds"),
        (f"!sshkey add no-pty {ONE}", "begins with options"),
        (f"!sshkey add {ONE}\n{TWO}", "A command is one line"),
        ("!sshkey add -----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n", "That message holds a private key"),
        ("!sshkey remove SHA256:nothing", "You have no keys here."),
    ],
)
async def test_what_is_not_right_is_one_sentence_and_changes_nothing(
    tmp_path: Path,
    accounts: SimulatedAccounts,
    changes: dict[str, Any],
    clock: FakeClock,
    text: str,
    words: str,
) -> None:
    accounts.add(accounts.github, "empty")
    accounts.add(accounts.github, "old", [rsa_key(1024)])
    accounts.add(accounts.github, "hoarder", [ed25519(number) for number in range(1, 12)])
    async with running_bot(tmp_path, changes=changes, clock=clock) as bot:
        (answer,) = await bot.say("alice", text)
        assert words in answer.text
        assert not answer.card.buttons
        assert await bot.running.operations.recent(1) == ()


async def test_keys_are_removed_by_source_and_by_how_a_fingerprint_begins(
    tmp_path: Path, accounts: SimulatedAccounts, changes: dict[str, Any], clock: FakeClock
) -> None:
    accounts.add(accounts.github, "alice", [ONE, TWO])
    async with running_bot(tmp_path, changes=changes, clock=clock) as bot:
        await add(bot, "github:alice")
        await add(bot, THREE)
        (unclear,) = await bot.say("alice", "!sshkey remove SHA256:")
        assert "You have no key SHA256:." in unclear.text
        (unknown,) = await bot.say("alice", "!sshkey remove gitlab:alice")
        assert "You have no key gitlab:alice." in unknown.text
        done, _ = await bot.say("alice", f"!sshkey remove {fingerprint(ONE)[:14]}")
        assert "sshkey-remove: done" in done.text
        assert fingerprint(ONE) not in (await usable(bot)).fingerprints
        await bot.say("alice", "!sshkey remove GitHub:Alice")
        assert (await usable(bot)).fingerprints == (fingerprint(THREE),)
        await bot.say("alice", "!sshkey remove pasted")
        assert (await usable(bot)).keys == ()


async def test_a_policy_may_ask_for_more_than_ones_own_word(
    tmp_path: Path, accounts: SimulatedAccounts, changes: dict[str, Any], clock: FakeClock
) -> None:
    stricter = changes | {"policy": {"sshkey-add": {"approvals": 1, "role": "releng"}}}
    async with running_bot(tmp_path, changes=stricter, clock=clock) as bot:
        card, _ = await propose(bot, f"!sshkey add {ONE}")
        (refused,) = await bot.press("alice", Choice.APPROVE, card)
        assert "somebody else must approve it: Bob" in refused.text
        assert card.card.mentions == ("bob",)


async def test_who_has_no_right_adds_and_removes_nothing(
    tmp_path: Path, changes: dict[str, Any], clock: FakeClock
) -> None:
    async with running_bot(tmp_path, changes=changes, clock=clock) as bot:
        for line, right in ((f"!sshkey add {ONE}", "sshkey.add"), ("!sshkey remove pasted", "sshkey.remove")):
            (answer,) = await bot.say("carol", line)
            assert f"You need the right `{right}`" in answer.text


def test_mistakes_in_the_configuration_are_told_by_their_keys() -> None:
    document = put(valid_document(), "person.0.keys", ["github:alice"])
    assert settings_of(document)
    put(document, "person.1.keys", ["GitHub:Alice", "alice"])
    put(document, "keys.github", "http://gh.example.org")
    assert problems_of(document) == (
        'person.bob.keys: "GitHub:Alice" is given to alice, too; an account is one person\'s',
        'person.bob.keys: "alice" is none: an account is written like github:NAME or gitlab:NAME',
        'keys.github: "http://gh.example.org" is not encrypted; write https:// (http:// is for this machine only)',
    )


def test_more_approvals_than_there_are_people_with_the_right_are_told() -> None:
    document = put(valid_document(), "roles.releng.may", ["read", "promote", "cleanup", "sshkey.*"])
    put(document, "policy.sshkey-add", {"approvals": 3, "requester_may_approve": True})
    (problem,) = problems_of(document)
    assert problem.startswith(
        'policy.sshkey-add.approvals: 3 approvals are asked for, and the right "sshkey.add" is held by 2 persons'
    )
