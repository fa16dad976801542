"""Tests of policies, in a file of their own: what is expected of a line that somebody says, and what came of it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from slipway.bot.cli.policies.question import Question, accounts_of, read_question, who_asks
from slipway.bot.config.policies.matching import Change
from slipway.bot.config.policies.settings import Names
from slipway.bot.config.schema import plain
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import ConfigError, UserError
from slipway.bot.core.problems import did_you_mean, listing, shown
from slipway.bot.core.seats import Seats
from slipway.bot.core.settings import Settings
from slipway.bot.core.steps import Target
from slipway.bot.declared import Declarations
from slipway.bot.operations.declarations import OperationKind
from slipway.bot.operations.model import Policy
from slipway.bot.operations.policies import PlanDemands, in_words, policy_for
from slipway.bot.operations.policy import roles_given
from slipway.bot.operations.policy_reach import missing
from slipway.bot.people import People


class ExpectedTarget(Settings):
    """Something that the plan of a test changes."""

    name: str
    cloud: str = ""
    count: int = Field(1, ge=1)
    deleted: bool = False


class PolicyTest(Settings):
    """``[[test]]``: a line, who says it, what its plan would change, and what is expected.

    What its plan changes is what the line names, in the account that `cloud` names; `count` of it, of which `deleted`
    go for good. Where several things change, `target` has each.
    """

    name: str = Field(description="what is expected, as a sentence")
    line: str = Field(description='what is said, like "promote Fedora-Cloud-43-x64"')
    by: str = Field(description='who says it, by their id, like "alice" or "schedule:weekly-cleanup"')
    kind: str = ""
    cloud: str = ""
    count: int = Field(1, ge=1)
    deleted: int = Field(0, ge=0)
    target: tuple[ExpectedTarget, ...] = ()
    plan_demands: bool = False
    not_by_requester: bool = False

    asks: dict[str, Annotated[int, Field(ge=1)]] | None = Field(
        None, description="how many of which role, like { releng = 2 }; {} for nobody"
    )
    refused: bool = False
    rules: Names | None = Field(None, description='names of rules, or "table", like ["production"]')
    requester_may_approve: bool | None = None
    step_up: bool | None = None
    approvers: Names | None = Field(None, description='whose approval counts, like ["bob", "carol"]')
    enough: tuple[Names, ...] = ()
    not_enough: tuple[Names, ...] = ()


class PolicyTests(Settings):
    """The file as a whole."""

    test: tuple[PolicyTest, ...] = ()


def read_tests(path: Path) -> tuple[PolicyTest, ...]:
    """Read a file of tests.

    Raises:
        ConfigError: it cannot be read, or something in it is no test; a sentence for each mistake.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError((f"{path} cannot be read: {error.strerror}",)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError((f"{path} is not TOML: {error}",)) from None
    try:
        tests = PolicyTests.model_validate_json(json.dumps(plain(document)), strict=True).test
    except ValidationError as error:
        raise ConfigError(tuple(map(_mistake, error.errors(include_url=False)))) from None
    if not tests:
        raise ConfigError((f"{path} holds no [[test]]",))
    return tests


def _mistake(detail: Any) -> str:
    place = "".join(
        f" #{part + 1}" if isinstance(part, int) else f".{part}" for part in detail["loc"]
    ).lstrip(".")
    if detail["type"] == "extra_forbidden":
        keys = set(PolicyTest.model_fields) if len(detail["loc"]) == 3 else {"test"}
        near = did_you_mean(str(detail["loc"][-1]), keys)
        return f"{place}: there is no such key{near or '.'} Keys here: {listing(keys)}"
    if detail["type"] == "missing":
        field = PolicyTest.model_fields.get(str(detail["loc"][-1]))
        return f"{place}: is missing{f'; write {field.description}' if field and field.description else ''}"
    return f"{place}: it is {shown(detail['input'])}; {detail['msg'][:1].lower()}{detail['msg'][1:]}"


@dataclass(frozen=True)
class Result:
    """What came of a test: nothing wrong, or what was expected and is not so, a sentence each."""

    test: PolicyTest
    wrong: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Whether all is as expected."""
        return not self.wrong


@dataclass(frozen=True)
class TestRunner:
    """Runs tests by a configuration alone."""

    __test__ = False  # pytest: it is no test

    settings: SlipwaySettings
    declarations: Declarations
    people: People

    def run(self, test: PolicyTest) -> Result:
        """One test. What keeps it from being run is a sentence in its result."""
        try:
            return Result(test, tuple(self._wrong(test)))
        except UserError as error:
            near = f" Did you mean {', '.join(error.nearest)}?" if error.nearest else ""
            return Result(test, (f"{error.sentence}{near}",))

    def _wrong(self, test: PolicyTest) -> Iterator[str]:
        question = read_question(test.line, self.declarations, self.settings.commands.prefix)
        if question.emergency:
            raise UserError("What is asked for in an emergency is no policy: leave --emergency out.")
        person, asker = who_asks(test.by, self.settings, self.people)
        kind = question.kind(test.kind)
        may = self.people.may(person, kind.right or kind.name, changes=True)
        if may is test.refused:
            right = kind.right or kind.name
            held, what = ("has", "asked for") if may else ("does not have", "refused")
            yield f"{test.by} {held} the right {right}, so that it is {what}"
        policy = policy_for(
            kind,
            self.settings.policy[kind.name],
            self._change(test, question, kind),
            environments=self.settings.environment,
            asker=asker,
            demands=PlanDemands(test.plan_demands, test.not_by_requester),
        )
        yield from self._asked(test, policy)
        yield from self._approving(test, kind, policy)

    def _change(self, test: PolicyTest, question: Question, kind: OperationKind[Any, Any]) -> Change:
        accounts = accounts_of(kind, self.settings, self.declarations)
        known = sorted(
            name for cloud in self.declarations.clouds for name in self.settings.named(cloud.table)
        )
        for cloud in (test.cloud, *(each.cloud for each in test.target)):
            if cloud and cloud not in known:
                raise UserError(f"There is no account {cloud}; there are: {', '.join(known)}.")
        if test.target:
            listed = [
                (Target(each.name, each.cloud, str(at), each.count), each)
                for at, each in enumerate(test.target)
            ]
            return Change(tuple(one for one, _ in listed), tuple(one for one, each in listed if each.deleted))
        named = question.targets(kind, test.by, self.settings, accounts)
        only = accounts[0] if len(accounts) == 1 else ""
        places = [Target(each.name, each.cloud or test.cloud or only) for each in named]
        if any(not each.cloud for each in places) and accounts != ("",):
            raise UserError(f"It may be in several accounts: write cloud = one of {', '.join(accounts)}.")
        targets = [Target(each.name, each.cloud, str(at)) for each in places for at in range(test.count)]
        return Change(tuple(targets), tuple(targets[: test.deleted]))

    def _asked(self, test: PolicyTest, policy: Policy) -> Iterator[str]:
        asked = {demand.role: demand.approvals for demand in policy.demands if demand.approvals}
        by = (
            " and ".join(dict.fromkeys(reason.by for reason in policy.asked_by))
            or f"[policy.{test.kind or 'its kind'}]"
        )
        if test.asks is not None and asked != test.asks:
            yield f"it asks for {in_words(asked)}, by {by}; expected: {in_words(test.asks)}"
        names = [
            reason.by.partition(" of ")[0].removeprefix("rule ").strip("“”") for reason in policy.asked_by
        ]
        counting = ["table" if name.startswith("[") else name for name in names] or ["table"]
        if test.rules is not None and set(test.rules) != set(counting):
            yield f"what counts is {', '.join(counting)}; expected: {', '.join(test.rules)}"
        if test.step_up is not None and policy.step_up is not test.step_up:
            yield f"an approval takes {'a code' if policy.step_up else 'no code'}"
        own = test.requester_may_approve
        if own is not None and policy.requester_may_approve is not own:
            yield f"whoever asked {'may' if policy.requester_may_approve else 'may not'} approve"

    def _approving(self, test: PolicyTest, kind: OperationKind[Any, Any], policy: Policy) -> Iterator[str]:
        able = [
            person.id
            for person in self.people.persons
            if roles_given(person, policy, kind.name, test.by, self.people)
        ]
        if test.approvers is not None and set(able) != set(test.approvers):
            yield f"whose approval counts: {', '.join(able) or 'nobody'}; expected: {', '.join(test.approvers)}"
        for voters, expected in (
            *((each, True) for each in test.enough),
            *((each, False) for each in test.not_enough),
        ):
            if self._enough(policy, kind, test.by, voters) is not expected:
                yield f"{' and '.join(voters) or 'nobody'} {'are not enough' if expected else 'are enough'}"
        if policy.needed and test.asks is not None and missing(kind.name, policy, test.by, self.people) > 0:
            yield "there are too few persons who could give that"

    def _enough(
        self, policy: Policy, kind: OperationKind[Any, Any], requester: str, voters: tuple[str, ...]
    ) -> bool:
        seats = Seats({demand.role: demand.approvals for demand in policy.demands})
        for voter in voters:
            person, _ = who_asks(voter, self.settings, self.people)
            seats.take(person.id, roles_given(person, policy, kind.name, requester, self.people))
        return seats.count == policy.needed
