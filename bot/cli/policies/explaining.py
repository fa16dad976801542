"""What `slipway policy explain` says: by account, which rule would ask for whom, and who could give it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from slipway.bot.cli.policies.question import Question, accounts_of
from slipway.bot.config.policies.matching import Counted
from slipway.bot.config.policies.possibilities import Adding, adding, possible, possible_environments
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import UserError
from slipway.bot.core.problems import one_of
from slipway.bot.core.steps import Target
from slipway.bot.declared import Declarations
from slipway.bot.operations.declarations import OperationKind
from slipway.bot.operations.emergency.rules import Emergencies
from slipway.bot.operations.model import Policy
from slipway.bot.operations.policies import Asker, in_words, put_together
from slipway.bot.operations.policy import roles_given
from slipway.bot.operations.policy_reach import missing
from slipway.bot.people import People, Person


@dataclass(frozen=True)
class Explainer:
    """Answers by a configuration alone.

    Attributes:
        settings: with a policy for every kind.
        declarations: what it was checked against.
        people: everybody in it.
        person: who asks; None for somebody.
        asker: what of them decides how many have to agree.
    """

    settings: SlipwaySettings
    declarations: Declarations
    people: People
    person: Person | None
    asker: Asker

    def lines(self, question: Question) -> Iterator[str]:
        """The whole answer, a line each.

        Raises:
            UserError: the line makes no operation.
        """
        asks = str(self.person) if self.person is not None else "somebody"
        yield f"{question.line}, asked for by {asks}"
        answers: dict[tuple[str, ...], list[str]] = {}
        for kind in question.kinds:
            answers.setdefault(tuple(self._kind(question, kind)), []).append(kind.name)
        for answer, kinds in answers.items():
            yield ""
            yield f"{' or '.join(kinds)}:"
            yield from answer

    def _kind(self, question: Question, kind: OperationKind[Any, Any]) -> Iterator[str]:
        right = kind.right or kind.name
        if self.person is not None and not self.people.may(self.person, right, changes=True):
            yield f"  refused, as {self.person.name} does not have the right {right}"
            return
        if question.emergency and self.person is not None:
            try:
                self._emergencies.check(self.person.id, kind.name)
            except UserError as error:
                yield f"  refused: {error.sentence.replace('`', '')}"
                return
        accounts = accounts_of(kind, self.settings, self.declarations)
        named = question.targets(kind, self._requester, self.settings, accounts)
        answers: dict[tuple[str, ...], list[str]] = {}
        for each in named:
            for account in (each.cloud,) if each.cloud else accounts:
                place = Target(each.name, account)
                where = _where(place, possible_environments(place, self.settings.environment), named)
                lines = self._place(kind, place, emergency=bool(question.emergency))
                answers.setdefault(tuple(lines), []).append(where)
        for answer, wheres in answers.items():
            places = ", ".join(filter(None, wheres))
            yield from (f"  {places}",) if places else ()
            yield from answer

    @property
    def _requester(self) -> str:
        return self.person.id if self.person is not None else ""

    @property
    def _emergencies(self) -> Emergencies:
        return Emergencies(self.settings.emergency)

    def _place(self, kind: OperationKind[Any, Any], place: Target, *, emergency: bool) -> Iterator[str]:
        """What is asked for in one account."""
        policy, environments = self.settings.policy[kind.name], self.settings.environment
        found = possible(kind.name, policy, place, environments)
        for number, each in enumerate(found):
            some = "" if len(found) == 1 else "some of it: " if number < len(found) - 1 else "the rest: "
            yield from self._asks(kind, each.counted, some, emergency=emergency)
        for more in adding(kind.name, policy, place, environments):
            yield from self._asks(kind, more.counted, f"and {_size(more)}, besides: ", emergency=emergency)

    def _asks(
        self, kind: OperationKind[Any, Any], each: Counted, what: str, *, emergency: bool
    ) -> Iterator[str]:
        policy = put_together(kind, (each,), asker=self.asker)
        asked = in_words({demand.role: demand.approvals for demand in policy.demands})
        if emergency:
            code = policy.step_up or self.settings.emergency.step_up
            yield f"    {what}{'a code of whoever asks' if code else 'nobody'}, as it is an emergency; else {asked}"
            return
        yield f"    {what}{asked}{', each with a code' if policy.step_up else ''}"
        for reason in policy.asked_by:
            yield f"      by {reason.by}"
        if not policy.needed:
            return
        for demand in policy.demands:
            names = [
                person.name
                for person in self.people.persons
                if demand.role in self._roles(kind, policy, person)
            ]
            yield f"      {demand.role or 'who may ask for it'}: {', '.join(names) or 'nobody'}"
        if (short := missing(kind.name, policy, self._requester, self.people)) > 0:
            persons = "1 more person" if short == 1 else f"{short} more persons"
            yield f"      ✘ that cannot be met: it takes {persons} who can agree"

    def _roles(self, kind: OperationKind[Any, Any], policy: Policy, person: Person) -> frozenset[str]:
        return roles_given(person, policy, kind.name, self._requester, self.people)


def _where(place: Target, environments: tuple[str, ...], named: tuple[Target, ...]) -> str:
    """A place in words: its name where there are several, its account, and the environments it may belong to."""
    words = [f"of {place.name}"] if len(named) > 1 else []
    words += [f"in {place.cloud}"] if place.cloud else []
    known = [each for each in environments if each]
    words += [f"({one_of(known)}{' or none' if '' in environments else ''})"] if known else []
    return " ".join(words)


def _size(adding: Adding) -> str:
    rule = adding.rule
    least = [f"{rule.min_targets} targets"] if rule.min_targets is not None else []
    least += [f"{rule.min_deletions} deletions"] if rule.min_deletions is not None else []
    return f"from {' and '.join(least)} on"
