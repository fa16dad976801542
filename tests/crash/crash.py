"""One crash: a scenario runs, the bot is killed at a point of it, the next bot completes it, and the end is right."""

from __future__ import annotations

from dataclasses import dataclass, field

from slipway.bot.messages.model import WORKING
from tests.crash.bot_process import Died, Line, is_report
from tests.crash.installation import Installation, Row, until
from tests.crash.scenario import CrashPoint, CrashTrigger, Scenario


@dataclass
class Crash:
    """A scenario, and a kill in the middle of it."""

    installation: Installation
    scenario: Scenario
    point: CrashPoint
    reached: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._known = {each["id"] for each in self.installation.operations()}
        self._approved_by_name = False

    def run(self) -> bool:
        """Run the scenario over the bot's crash; says whether it came to the point.

        Raises:
            AssertionError: the end is not right.
        """
        victim = self.installation.bot
        self._arm()
        try:
            self._perform()
            until("all is settled, or the bot dead", lambda: not victim.alive or self.installation.quiet())
            self._disarm()
            victim.say(
                "!whoami"
            )  # it may be about to be killed by its last commit: only an answer shows that it lives
            victim.until(lambda line: line["title"] == "You are Alice.")
        except Died:
            self.reached = True
        self._disarm()
        if self.reached:
            victim.ended()
            self.scenario.while_down()
            self.installation.start()
            self.installation.clouds.clear()  # a late request takes effect while the next bot is at it
            self.installation.settle()
        self._complete()
        self._check()
        return self.reached

    def _arm(self) -> None:
        bot, point = self.installation.bot, self.point
        match point.trigger:
            case CrashTrigger.REQUEST:
                self.scenario.faults.crash_at(bot.pid, point.number, point.timing, point.of)
            case CrashTrigger.COMMIT:
                self.installation.crash_at_commit(point.timing, point.number)
            case CrashTrigger.LINE:
                self._left = point.number

    def _disarm(self) -> None:
        self.scenario.faults.disarm()
        self.installation.disarm()

    def _perform(self) -> None:
        """Type what has to be typed until the report is there."""
        self.installation.bot.skip_output()
        self.installation.bot.say(self.scenario.command)
        if self.scenario.approved:
            self._approve(self._read(lambda line: bool(line["buttons"])))
        self._read(is_report)

    def _read(self, wanted: object) -> Line:
        assert callable(wanted)
        while True:
            line = self.installation.bot.until(lambda _: True)
            if self.point.trigger is CrashTrigger.LINE:
                self._left -= 1
                if not self._left:
                    self.installation.bot.kill()
                    raise Died
            if wanted(line):
                return line

    def _approve(self, card: Line) -> None:
        """Press the number on a card of this process."""
        number = next(each["number"] for each in card["buttons"] if each["choice"] == "approve")
        self.installation.bot.say(f"@bob: {number}")

    def _complete(self) -> None:
        """Do what people would do then: type again what was never heard, approve what still waits."""
        if not self._new_operations():
            self.installation.bot.say(self.scenario.command)
            until("the command was heard", lambda: bool(self._new_operations()))
            self.installation.settle()
        (operation,) = self._new_operations()
        if operation["state"] == "proposed":
            cards = [line for line in self.installation.bot.lines if _offers(line, operation["id"])]
            if cards:  # a button that this process showed; else by name
                self._approve(cards[-1])
            else:
                self._approved_by_name = True
                self.installation.bot.say(f"@bob: !approve {operation['id']}")
            until("the approval was heard", lambda: self._new_operations()[0]["state"] != "proposed")
            self.installation.settle()

    def _new_operations(self) -> list[Row]:
        return [each for each in self.installation.operations() if each["id"] not in self._known]

    def _check(self) -> None:
        (operation,) = self._new_operations()
        assert operation["state"] == "done", operation["outcome"]
        self.scenario.check()
        self._check_audit(operation)
        self._check_messages(operation["id"])
        faults = [
            line
            for bot in (*self.installation.past, self.installation.bot)
            for line in bot.errors
            if "Traceback" in line
        ]
        assert not faults, self.installation.bot.stderr_text()
        assert self.installation.bot.alive

    def _check_audit(self, operation: Row) -> None:
        assert self.installation.audit_holds()
        trail = self.installation.rows(
            "SELECT action FROM audit WHERE operation_id = ? ORDER BY number", operation["id"]
        )
        steps = self.installation.rows(
            "SELECT number FROM step_report WHERE operation_id = ? ORDER BY number", operation["id"]
        )
        expected = ["proposed", *(["approval"] if self.scenario.approved else []), "approved", "started"]
        for step in steps:
            expected += [f"step-{step['number']}:begun", f"step-{step['number']}:done"]
        assert [row["action"] for row in trail] == [*expected, "done"]

    def _check_messages(self, operation_id: str) -> None:
        """The card and the report are remembered once each, and no process said one of them twice."""
        bots = (*self.installation.past, self.installation.bot)
        said = [line for bot in bots for line in bot.lines]
        cards = self.installation.rows("SELECT key FROM message WHERE operation_id = ?", operation_id)
        # On a slow machine, `!approve` is worked on for a while: what says so becomes one more card, as an answer.
        answers = sum(line["title"] == WORKING.title for line in said) if self._approved_by_name else 0
        assert 1 <= len(cards) <= 1 + answers, (cards, said)
        reports = self.installation.rows("SELECT key FROM message WHERE key = ?", f"{operation_id}:report")
        assert len(reports) == 1

        def times() -> list[int]:
            return [
                sum(is_report(line) and operation_id in line["title"] for line in bot.lines) for bot in bots
            ]

        until("the report was read", lambda: max(times()) > 0)  # it is remembered before it is printed
        assert max(times()) == 1, said
        assert sum(times()) <= 2  # the console cannot know a key of another process


def _offers(line: Line, operation_id: str) -> bool:
    return any(button["operation"] == operation_id for button in line["buttons"])
