"""Rules of policies, in the room: who is asked, and what it takes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from slipway.bot.chat.model import Choice, Room, WithdrawnReaction
from tests.support.azure import ARM, X64
from tests.support.harness import propose, running_bot

SECURITY: dict[str, Any] = {
    "roles": {"security": {"may": ["read", "approve"]}},
    "policy": {"promote": {"rule": [{"name": "x64", "target": X64, "also": {"security": 1}}]}},
}


def with_security() -> dict[str, Any]:
    """Carol is of security."""
    persons = [
        {"id": name, "name": name.capitalize(), "identities": [f"console:{name}"], "roles": [role]}
        for name, role in (("alice", "releng"), ("bob", "releng"), ("carol", "security"))
    ]
    return SECURITY | {"person": persons}


async def test_a_rule_asks_for_one_of_each_of_two_roles_and_others_are_asked_as_before(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path, changes=with_security()) as bot:
        card, name = await propose(bot, f"!promote {X64}")
        assert "2 approvals: Bob, Carol (in all 1 of role releng, 1 of role security)" in card.text
        assert card.card.mentions == ("bob", "carol")
        await bot.press("bob", Choice.APPROVE, card)
        assert "waits for 1 approval" in card.text
        assert "1 approval: Carol" in card.text
        await bot.press("carol", Choice.APPROVE, card)
        assert "promote: done" in card.text
        other, _ = await propose(bot, f"!promote {ARM}")
        assert "1 approval: Bob (role releng)" in other.text
        (refused,) = await bot.say("carol", f"!approve {(await propose(bot, f'!promote {ARM}'))[1]}")
        assert "that takes the role releng. Who can: Bob." in refused.text
        (dry,) = await bot.say("alice", "!promote * --dry-run")
        assert name
        assert "1 approval: whoever has role releng" in dry.text


async def test_why_says_which_rule_asks_for_what_and_whose_word_counts(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=with_security()) as bot:
        card, name = await propose(bot, f"!promote {X64}")
        await bot.say("bob", f"!approve {name} looks good")
        (why,) = await bot.say("carol", f"!op {name} --why")
        assert "It takes the approval of 1 of releng and 1 of security; each is another person." in why.text
        assert "Whoever asked for it is not one of them." in why.text
        rules, votes = why.card.tables
        assert rules.rows == (
            ("rule “x64” of [policy.promote]", "1 of releng and 1 of security", f"azure:{X64}"),
        )
        ((who, said, _, counts),) = votes.rows
        assert (who, said, counts) == ("Bob", "approved (looks good)", "yes, as one of releng")
        assert "Can still approve" in why.text
        await bot.press("carol", Choice.APPROVE, card)
        (why,) = await bot.say("alice", f"!op {name} --why")
        assert [row[3] for row in why.card.tables[1].rows] == [
            "yes, as one of releng",
            "yes, as one of security",
        ]
        free, other = await propose(bot, f"!promote {ARM}")
        (why,) = await bot.say("alice", f"!op {other} --why")
        assert why.card.tables[0].rows == (("[policy.promote]", "1 of releng", f"azure:{ARM}"),)
        assert free


async def test_a_policy_without_rules_says_so_by_its_table(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        _, name = await propose(bot, f"!promote {X64}")
        (why,) = await bot.say("carol", f"!op {name} --why")
        assert why.card.tables[0].rows == (("[policy.promote]", "1 of releng", "all of it"),)


async def test_the_time_to_agree_and_the_reminder_are_those_of_the_rule(tmp_path: Path) -> None:
    changes = with_security()
    changes["policy"] = {
        "promote": {
            "rule": [{"target": X64, "also": {"security": 1}, "expires": "2h", "remind_after": "30m"}]
        }
    }
    async with running_bot(tmp_path, changes=changes) as bot:
        card, _ = await propose(bot, f"!promote {X64}")
        other, _ = await propose(bot, f"!promote {ARM}")
        await bot.press("carol", Choice.APPROVE, card)
        bot.clock.advance(timedelta(minutes=31))
        await bot.running.housekeeping.sweep()
        await bot.running.idle()
        (reminder,) = [each for each in bot.messages if "still waits for approval" in each.card.title]
        assert (reminder.thread, reminder.card.mentions) == (card.id, ("bob",))  # carol's seat is taken
        bot.clock.advance(timedelta(hours=2))
        await bot.running.housekeeping.sweep()
        await bot.running.idle()
        assert "expired" in card.card.title
        assert "waits for 1 approval" in other.card.title


async def test_a_vote_of_one_role_that_is_taken_back_is_missing_again_and_why_says_so(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=with_security()) as bot:
        card, name = await propose(bot, f"!promote {X64}")
        await bot.press("carol", Choice.APPROVE, card, event_id="the press")
        assert bot.chat.accept is not None
        await bot.chat.accept(
            WithdrawnReaction(
                event_id="taken back",
                room=Room(platform=bot.chat.platform, id="console"),
                sender="carol",
                reaction_event_id="the press",
                sent_at=bot.clock(),
            )
        )
        await bot.running.idle()
        assert "waits for 2 approvals" in card.card.title
        (why,) = await bot.say("alice", f"!op {name} --why")
        ((who, said, _, counts),) = why.card.tables[1].rows
        assert (who, said, counts) == ("Carol", "took it back", "no")


async def test_a_policy_that_waits_in_vain_for_some_is_a_problem_until_it_is_not(tmp_path: Path) -> None:
    changes = with_security()
    changes["person"][2]["identities"] = ["matrix:@carol:example.org"]  # where the bot is not
    async with running_bot(tmp_path, changes=changes) as bot:
        await bot.running.problems.sweep()
        await bot.running.problems.idle()
        (listed,) = await bot.say("alice", "!problems")
        assert "asks for 1 of releng and 1 of security, and whoever asks waits in vain" in listed.text
    async with running_bot(tmp_path, changes=with_security()) as bot:
        await bot.running.problems.sweep()
        await bot.running.problems.idle()
        (listed,) = await bot.say("alice", "!problems", event_id="after the restart")
        assert "waits in vain" not in listed.text
