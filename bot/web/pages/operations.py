"""Pages of operations: all of them, and one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from slipway.bot.core.http.messages import HttpRequest, HttpResponse
from slipway.bot.operations.model import Operation, OperationState, StepReport
from slipway.bot.operations.persistence.search import Wanted, search
from slipway.bot.operations.presentation.endings import told_in_full
from slipway.bot.operations.trail.listing import newest_entries
from slipway.bot.web.pages.audit import entries_table
from slipway.bot.web.pages.html import Child, Html, join, tag
from slipway.bot.web.pages.parts import (
    ROOT,
    Frame,
    address,
    badge,
    facts,
    operation_link,
    section,
    state,
    table,
)
from slipway.bot.web.pages.sources import PageSources

PAGE = 25
"""Operations on one page: each plan is read whole."""

MOST_STEPS = 500
"""Steps of a plan that are shown; a plan can have thousands."""

MOST_ENTRIES = 200

_LONGEST_TEXT = 200
_HERE = f"{ROOT}/operations"


async def listing(sources: PageSources, frame: Frame, request: HttpRequest) -> HttpResponse:
    """All operations, newest first, by state, kind and what they change."""
    query = request.query
    wanted = Wanted(
        _state_of(query.get("state", "")),
        query.get("kind", "") if query.get("kind", "") in sources.kinds else "",
        query.get("text", "").strip()[:_LONGEST_TEXT],
        query.get("before", "")[:_LONGEST_TEXT],
    )
    found = await search(sources.database, sources.registry, wanted, PAGE + 1)
    asked = {"state": wanted.state or "", "kind": wanted.kind, "text": wanted.text}
    older = address(_HERE, before=found[PAGE - 1].id, **asked) if len(found) > PAGE else ""
    again = address(_HERE, before=wanted.before, **asked)
    return frame.page(
        "Operations",
        _HERE,
        _filter(wanted, sources.kinds),
        operations_table("Operations, newest first", found[:PAGE], sources, frame, "No operation fits."),
        tag("p", tag("a", "Older", href=older)) if older else None,
        again=again,
    )


def _state_of(word: str) -> OperationState | None:
    return OperationState(word) if word in set(OperationState) else None


def _filter(wanted: Wanted, kinds: Iterable[str]) -> Html:
    states = [each.value for each in OperationState if each is not OperationState.UNKNOWN]
    return tag(
        "form",
        _choice("State", "state", states, wanted.state or ""),
        _choice("Kind", "kind", kinds, wanted.kind),
        tag(
            "div",
            tag("label", "Id, or part of what it changes", for_="text"),
            tag("input", type="search", id="text", name="text", value=wanted.text, maxlength=_LONGEST_TEXT),
        ),
        tag("button", "Show", type="submit"),
        method="get",
        action=_HERE,
        role="search",
        aria_label="Operations",
    )


def _choice(label: str, name: str, values: Iterable[str], chosen: str) -> Html:
    options = (tag("option", each, value=each, selected=each == chosen) for each in values)
    return tag(
        "div",
        tag("label", label, for_=name),
        tag("select", tag("option", "all", value=""), options, id=name, name=name),
    )


def operations_table(
    caption: str, found: Sequence[Operation], sources: PageSources, frame: Frame, empty: str
) -> Html:
    """Operations, one a row."""
    heads = ("Operation", "State", "What", "Asked by", "Asked", "Ended")
    return table(caption, heads, (_row(each, sources, frame) for each in found), empty)


def _row(operation: Operation, sources: PageSources, frame: Frame) -> Sequence[Child]:
    return (
        operation_link(operation.id),
        state(operation.state),
        join(tag("strong", operation.kind), " ", operation.plan.summary),
        sources.name(operation.requester),
        frame.time(operation.created_at),
        frame.time(operation.ended_at),
    )


async def one(sources: PageSources, frame: Frame, request: HttpRequest) -> HttpResponse:
    """One operation: its plan, its steps, its votes, what spoke for it, and what the trail says."""
    operation_id = request.parameters["id"]
    operation = await sources.services.operations.find(operation_id)
    if operation is None:
        return frame.page(
            "No such operation",
            _HERE,
            tag("p", f"There is no operation {operation_id[:_LONGEST_TEXT]}."),
            tag("p", tag("a", "All operations", href=_HERE)),
            status=404,
        )
    entries = await newest_entries(sources.database, MOST_ENTRIES, operation_id=operation.id)
    plan = operation.plan
    return frame.page(
        f"{operation.kind} {operation.id}",
        _HERE,
        tag("p", state(operation.state), " ", plan.summary, class_="sentence"),
        _facts(operation, sources, frame),
        _end(operation, sources),
        section("Warnings", _notes(plan.warnings)) if plan.warnings else None,
        section("Steps", *_steps(operation)),
        section("Votes", _votes(operation, sources, frame)),
        section("What speaks for and against it", facts(*plan.evidence)) if plan.evidence else None,
        section("Audit trail", entries_table(entries, sources, frame)),
        again=f"{_HERE}/{operation.id}",
    )


def _facts(operation: Operation, sources: PageSources, frame: Frame) -> Html:
    plan, room = operation.plan, operation.room
    role = f" holding {plan.policy.role}" if plan.policy.role else ""
    asked = f"{plan.policy.approvals}{role}" if plan.policy.approvals else "none"
    return facts(
        ("Asked by", sources.name(operation.requester)),
        ("Asked", frame.time(operation.created_at)),
        ("Line", tag("code", f"{sources.prefix}{plan.command}") if plan.command else None),
        ("Approvals asked for", asked),
        ("Waits for people until", frame.time(operation.expires_at) if not operation.state.ended else None),
        ("Not before", frame.time(plan.not_before) if plan.not_before else None),
        ("Ended", frame.time(operation.ended_at) if operation.ended_at else None),
        ("Stopped by", sources.name(operation.cancelled_by) if operation.cancelled_by else None),
        ("Told in", f"{room.platform}:{room.id}" if room is not None else "no room"),
        ("Digest of the plan", tag("code", operation.digest)),
        ("In doubt", operation.doubt),
    )


def _end(operation: Operation, sources: PageSources) -> Html | None:
    if operation.outcome is None:
        return None
    more = told_in_full(operation, sources.prefix)
    return section("How it ended", tag("p", operation.outcome.summary), _notes(more) if more else None)


def _notes(notes: Iterable[str]) -> Html:
    return tag("ul", (tag("li", note) for note in notes), class_="notes")


def _steps(operation: Operation) -> Iterator[Html]:
    plan = operation.plan
    reports = {report.number: report for report in operation.reports}
    shown = list(enumerate(plan.steps, start=1))[:MOST_STEPS]
    rows = [
        (str(number), step.title, step.reason, _result(reports.get(number), operation.state))
        for number, step in shown
    ]
    yield table("Steps", ("No.", "What", "Why", "Result"), rows, "It has no steps.")
    if len(plan.steps) > len(shown):
        yield tag("p", f"… and {len(plan.steps) - len(shown)} more, which the card in the room has.")


def _result(report: StepReport | None, of: OperationState) -> Html:
    if report is None:
        return Html("-") if of.ended else badge("…", "to come", "over")
    if report.failure is not None:
        word = "unknown" if report.unknown else "not tried" if report.untried else "failed"
        return join(badge("✘", word, "bad"), f" {report.failure.words}")
    done = report.done
    word = "was so already" if done is not None and done.already else "done"
    return join(badge("✔", word, "good"), f" {done.summary if done else ''}")


def _votes(operation: Operation, sources: PageSources, frame: Frame) -> Html:
    rows = [
        (
            sources.name(vote.person),
            badge("✔", "approve", "good")
            if vote.choice.value == "approve"
            else badge("✘", vote.choice.value, "bad"),
            frame.time(vote.at),
            " ".join(filter(None, (vote.reason, vote.doubt))) or "-",
        )
        for vote in operation.votes
    ]
    return table("Votes", ("Person", "Vote", "When", "Words"), rows, "Nobody has voted.")
