"""Reads what was stored, also by an older or newer Slipway. What this one does not know is kept as what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from slipway.bot.core.model import Model, canonical
from slipway.bot.core.steps import Request, Step, Stored
from slipway.bot.operations.declarations import STORED_BESIDE, OperationKind, StepKind
from slipway.bot.operations.model import (
    PLAN_FORMAT,
    Outcome,
    Plan,
    Policy,
    StepReport,
    UnknownRequest,
    UnknownStep,
)
from slipway.bot.operations.registry import SubjectRegistry

ModelT = TypeVar("ModelT", bound=Model)


class UnknownFormatError(ValueError):
    """An upgrade cannot make anything of what an old format holds."""


class _CannotReadError(Exception):
    """A part of a plan cannot be read; the words complete “This Slipway …”."""


def write_plan(plan: Plan) -> str:
    """A plan as it is stored."""
    return canonical(plan.document)


def read_plan(text: str, registry: SubjectRegistry, *, kind: str, requester: str, expires_at: Any) -> Plan:
    """A plan as it was stored, with every part that is not known marked as such.

    Args:
        text: as :func:`write_plan`, or a former version of it, wrote it.
        registry: the kinds that are known.
        kind: the operation's kind, where not even that can be read from the text.
        requester: as above.
        expires_at: as above.
    """
    document: Any = None
    try:
        document = json.loads(text)
        number = document.get("format", 1)
        if number > PLAN_FORMAT:
            raise _CannotReadError(f"does not know plans of format {number}")
        rest = {name: value for name, value in document.items() if name != "format"}
        request = _read_request(rest["request"], registry)
        steps = tuple(_read_step(step, registry) for step in rest["steps"])
        command = rest.get("command") or _command_of(request, registry)
        return Plan(**{**rest, "request": request, "steps": steps, "command": command})
    except _CannotReadError as error:
        why = str(error)
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
    ):  # ValidationError is a ValueError
        why = "cannot read its plan"
    held: Mapping[str, Any] = document if isinstance(document, dict) else {}
    return Plan(
        kind=kind,
        request=UnknownRequest(kind=kind, why=why),
        command=str(held.get("command") or kind),
        requester=requester,
        policy=Policy(approvals=1, role="", requester_may_approve=False),
        expires_at=expires_at,
        summary=str(held.get("summary") or "Another version of Slipway planned it."),
        steps=tuple(_shown_step(step, why) for step in _list_of(held.get("steps"))),
        observed={},
    )


def made_unknown(plan: Plan, why: str) -> Plan:
    """The same plan, not to be carried out here: something that belongs to it is not known."""
    return plan.model_copy(update={"request": UnknownRequest(kind=plan.kind, why=why)})


def _command_of(request: Request, registry: SubjectRegistry) -> str:
    """Format 1 did not store the command."""
    return request.kind if isinstance(request, UnknownRequest) else registry.command_line(request)


def _read_request(stored: dict[str, Any], registry: SubjectRegistry) -> Request:
    kind = registry.kinds.get(str(stored.get("kind")))
    try:
        if kind is None:
            raise _CannotReadError(f"does not know operations of the kind {stored.get('kind')}")
        request: Request = _read_part(kind, kind.request, stored)
    except _CannotReadError as error:
        return UnknownRequest(kind=str(stored.get("kind")), why=str(error))
    return request


def _read_step(stored: dict[str, Any], registry: SubjectRegistry) -> Step:
    kind = registry.steps.get(str(stored.get("kind")))
    try:
        if kind is None:
            raise _CannotReadError(f"does not know steps of the kind {stored.get('kind')}")
        step: Step = _read_part(kind, kind.step, stored)
    except _CannotReadError as error:
        return _shown_step(stored, str(error))
    return step


StoredT = TypeVar("StoredT", bound=Stored)


def _read_part(
    kind: OperationKind[Any, Any] | StepKind[Any, Any], model: type[StoredT], stored: dict[str, Any]
) -> StoredT:
    number = stored.get("format", 1)
    fields = {name: value for name, value in stored.items() if name not in STORED_BESIDE}
    if not isinstance(number, int) or not 1 <= number <= model.FORMAT:
        raise _CannotReadError(f"does not know format {number} of {kind.name}")
    try:
        for each in range(number, model.FORMAT):
            fields = kind.upgrades[each](fields)
        return model.model_validate_json(json.dumps(fields))
    except (ValidationError, UnknownFormatError):
        raise _CannotReadError(f"cannot read this {kind.name}") from None


def _shown_step(stored: Any, why: str) -> UnknownStep:
    held: Mapping[str, Any] = stored if isinstance(stored, dict) else {}
    kind = str(held.get("kind") or "?")
    title = str(held.get("title") or " ".join([kind, *_texts(held)]))
    return UnknownStep(kind=kind, why=why, shown_title=title, shown_reason=str(held.get("reason") or "-"))


def _texts(held: Mapping[str, Any]) -> list[str]:
    """The plain words of a step that has no title: of a kind from before titles were stored."""
    return [
        str(value)
        for name, value in sorted(held.items())
        if isinstance(value, str) and name not in {"kind", *STORED_BESIDE}
    ]


def _list_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def read_report(text: str, number: int) -> StepReport:
    """How a step ended; of what cannot be read, that."""
    found = _leniently(StepReport, text)
    return found or StepReport(number=number, title="a step that another version of Slipway reported")


def read_outcome(text: str) -> Outcome:
    """How an operation ended; of what cannot be read, that."""
    return _leniently(Outcome, text) or Outcome(summary="Another version of Slipway says how it ended.")


def _leniently(model: type[ModelT], text: str) -> ModelT | None:
    """A model from JSON, without fields that a newer Slipway added; None where it cannot be read."""
    try:
        document = _renamed(json.loads(text))
        try:
            return model.model_validate_json(json.dumps(document))
        except ValidationError as error:
            for detail in error.errors():
                if detail["type"] == "extra_forbidden":
                    _remove(document, detail["loc"])
        return model.model_validate_json(json.dumps(document))
    except (ValueError, RecursionError):
        return None


def _remove(document: Any, place: tuple[int | str, ...]) -> None:
    for key in place[:-1]:
        document = document[key]
    del document[place[-1]]


_RENAMED = {"trouble": "failure", "mover": "responsible"}
"""Fields of reports and outcomes that were called otherwise when plans had format 1."""


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {_RENAMED.get(name, name): _renamed(inner) for name, inner in value.items()}
    return [_renamed(inner) for inner in value] if isinstance(value, list) else value
