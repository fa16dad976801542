"""One crash: a story is told, the bot dies at a point of it, the next bot ends it, and the end is right."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from tests.crash.clouds import Moment
from tests.crash.process import Died, Line
from tests.crash.site import Row, Site, until
from tests.crash.stories import Story


class Boundary(StrEnum):
    """What is counted until the bot dies."""

    REQUEST = "request"  # to a cloud
    COMMIT = "commit"  # of a transaction, in either of the databases
    LINE = "line"  # of output


@dataclass(frozen=True)
class Point:
    """Where the bot dies."""

    boundary: Boundary
    moment: Moment
    number: int

    def __str__(self) -> str:
        return f"{self.moment}-{self.boundary}-{self.number}"


@dataclass
class Crash:
    """A story, and a death in the middle of it."""

    site: Site
    story: Story
    point: Point
    reached: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._known = {each["id"] for each in self.site.operations()}
        self._approvals = 0

    def happen(self) -> bool:
        """Tell the story over the bot's death; says whether it came to the point.

        Raises:
            AssertionError: the end is not right.
        """
        victim = self.site.bot
        self._aim()
        try:
            self._tell()
            until("all is settled, or the bot dead", lambda: not victim.alive or self.site.quiet())
            self._stand_down()
            victim.say("!whoami")  # it may be dying of its last commit: only an answer shows that it lives
            victim.until(lambda line: line["title"] == "You are Alice.")
        except Died:
            self.reached = True
        self._stand_down()
        if self.reached:
            victim.ended()
            self.site.start()
            self.site.clouds.clear()  # a late request takes effect while the next bot is at it
            self.site.settle()
        self._see_to_the_end()
        self._check()
        return self.reached

    def _aim(self) -> None:
        bot, point = self.site.bot, self.point
        match point.boundary:
            case Boundary.REQUEST:
                self.story.faults.aim(bot.pid, point.number, point.moment)
            case Boundary.COMMIT:
                self.site.kill_at_commit(point.moment, point.number)
            case Boundary.LINE:
                self._left = point.number

    def _stand_down(self) -> None:
        self.story.faults.rest()
        self.site.spare()

    def _tell(self) -> None:
        """Type what has to be typed until the report is there."""
        self.site.bot.catch_up()
        self.site.bot.say(self.story.command)
        if self.story.approved:
            self._approve(self._read(lambda line: bool(line["buttons"])))
        self._read(_is_report)

    def _read(self, wanted: object) -> Line:
        assert callable(wanted)
        while True:
            line = self.site.bot.until(lambda _: True)
            if self.point.boundary is Boundary.LINE:
                self._left -= 1
                if not self._left:
                    self.site.bot.kill()
                    raise Died
            if wanted(line):
                return line

    def _approve(self, card: Line) -> None:
        """Press the number on a card of this process."""
        number = next(each["number"] for each in card["buttons"] if each["choice"] == "approve")
        self.site.bot.say(f"@bob: {number}")

    def _see_to_the_end(self) -> None:
        """Do what people would do then: type again what was never heard, approve what still waits."""
        if not self._fresh():
            self.site.bot.say(self.story.command)
            until("the command was heard", lambda: bool(self._fresh()))
            self.site.settle()
        (operation,) = self._fresh()
        if operation["state"] == "proposed":
            cards = [line for line in self.site.bot.lines if _offers(line, operation["id"])]
            if cards:  # a button that this process showed; else by name
                self._approve(cards[-1])
            else:
                self.site.bot.say(f"@bob: !approve {operation['id']}")
            until("the approval was heard", lambda: self._fresh()[0]["state"] != "proposed")
            self.site.settle()

    def _fresh(self) -> list[Row]:
        return [each for each in self.site.operations() if each["id"] not in self._known]

    def _check(self) -> None:
        (operation,) = self._fresh()
        assert operation["state"] == "done", operation["outcome"]
        self.story.check()
        self._check_audit(operation)
        self._check_messages(operation["id"])
        faults = [
            line for bot in (*self.site.past, self.site.bot) for line in bot.errors if "Traceback" in line
        ]
        assert not faults, self.site.bot.complaint()
        assert self.site.bot.alive

    def _check_audit(self, operation: Row) -> None:
        assert self.site.audit_holds()
        trail = self.site.rows(
            "SELECT action FROM audit WHERE operation_id = ? ORDER BY number", operation["id"]
        )
        steps = self.site.rows(
            "SELECT number FROM step_report WHERE operation_id = ? ORDER BY number", operation["id"]
        )
        expected = ["proposed", *(["approval"] if self.story.approved else []), "approved", "started"]
        for step in steps:
            expected += [f"step-{step['number']}:begun", f"step-{step['number']}:done"]
        assert [row["action"] for row in trail] == [*expected, "done"]

    def _check_messages(self, operation_id: str) -> None:
        """The card and the report are remembered once each, and no process said one of them twice."""
        cards = self.site.rows("SELECT key FROM message WHERE operation_id = ?", operation_id)
        assert len(cards) == 1
        reports = self.site.rows("SELECT key FROM message WHERE key = ?", f"{operation_id}:report")
        assert len(reports) == 1
        times = [
            sum(_is_report(line) and operation_id in line["title"] for line in bot.lines)
            for bot in (*self.site.past, self.site.bot)
        ]
        assert max(times) == 1
        assert sum(times) <= 2  # the console cannot know a key of another process


def _is_report(line: Line) -> bool:
    return line["thread"] is not None and line["edits"] is None


def _offers(line: Line, operation_id: str) -> bool:
    return any(button["operation"] == operation_id for button in line["buttons"])
