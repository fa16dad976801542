"""A subject as a newcomer would add one: toys, which are carved and painted. Nothing in Slipway knows of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

import click
from pydantic import Field

from slipway.bot.chat.model import Card, Table
from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.probes import Finding
from slipway.bot.core.problems import Problem
from slipway.bot.core.settings import Settings
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.core.steps import Draft, Request, Step, StepDone
from slipway.bot.operations.declarations import (
    HomeSection,
    OperationKind,
    PolicyDefaults,
    Probe,
    StepKind,
    Subject,
    SubjectContext,
)
from slipway.bot.operations.services import Services
from slipway.bot.people import Person
from slipway.commands.dispatch.context import CardReply, ChangeRequest, CommandContext


class ToySettings(Settings):
    """``[toys]``: what the workshop has."""

    shelf: int = Field(3, ge=1, description="how many toys there is room for, like 3")
    colours: tuple[str, ...] = ("red", "blue")
    colour: str = "red"  # where nobody says which
    locked: bool = False


def _check(settings: ToySettings, _secrets: bool) -> Iterator[Problem]:
    if settings.colour not in settings.colours:
        yield Problem("colour", f'"{settings.colour}" is none of the colours; add it to them')


TOYS_TABLE = SettingsTable(
    name="toys",
    model=ToySettings,
    shape=TableShape.SINGLE,
    summary="the workshop's shelf and its paints",
    check=_check,
)


@dataclass
class Workshop:
    """Toys by name, with their colour once they are painted: stands for whatever a subject works on."""

    toys: dict[str, str] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)  # of everything that was done
    broken: bool = False

    async def carve(self, name: str, token: str) -> None:
        """Make a toy.

        Raises:
            CloudError: the knife is broken.
        """
        if self.broken:
            raise CloudError(CloudErrorKind.BROKEN, cloud="workshop", sentence="The knife is broken.")
        self.toys[name] = ""
        self.tokens.append(token)

    async def paint(self, name: str, colour: str, token: str) -> None:
        """Paint a toy."""
        self.toys[name] = colour
        self.tokens.append(token)


@dataclass(frozen=True)
class ToyServices:
    """What planners, executors and commands work with."""

    workshop: Workshop
    settings: ToySettings


class MakeToy(Request):
    """Make a toy of a colour; None: of the usual one. In format 1, ``colour`` was called ``paint``."""

    FORMAT: ClassVar[int] = 2

    kind: Literal["toy-make"] = "toy-make"
    name: str = Field(min_length=1)
    colour: str | None = None


def _from_format_1(stored: dict[str, Any]) -> dict[str, Any]:
    return {"colour" if key == "paint" else key: value for key, value in stored.items()}


class CarveToy(Step):
    """Carve a toy."""

    kind: Literal["carve-toy"] = "carve-toy"
    name: str

    @property
    def title(self) -> str:
        """What it does."""
        return f"carve {self.name}"

    @property
    def reason(self) -> str:
        """Why."""
        return "it is not there yet"


class PaintToy(Step):
    """Paint a toy."""

    kind: Literal["paint-toy"] = "paint-toy"
    name: str
    colour: str

    @property
    def title(self) -> str:
        """What it does."""
        return f"paint {self.name} {self.colour}"

    @property
    def reason(self) -> str:
        """Why."""
        return "bare wood is no toy"


class MakeToyPlanner:
    """Plans :class:`MakeToy`."""

    def __init__(self, services: ToyServices) -> None:
        self._workshop, self._settings = services.workshop, services.settings

    async def plan(self, request: MakeToy, now: datetime) -> Draft[MakeToy]:
        """Plan to carve and paint, if there is room.

        Raises:
            UserError: the shelf is full, or there is no such paint.
        """
        colour = request.colour or self._settings.colour
        if request.name in self._workshop.toys:
            return Draft(request, f"{request.name} is there already.", (), {})
        if colour not in self._settings.colours:
            raise UserError(f"There is no paint of the colour {colour}.", nearest=self._settings.colours)
        if len(self._workshop.toys) >= self._settings.shelf:
            raise UserError("The shelf is full.", hint="toys")
        return Draft(
            request=request.model_copy(update={"colour": colour}),
            summary=f"{request.name} stands on the shelf, and is {colour}.",
            steps=(CarveToy(name=request.name), PaintToy(name=request.name, colour=colour)),
            observed={"toys on the shelf": len(self._workshop.toys)},
            evidence=(("Room left", str(self._settings.shelf - len(self._workshop.toys))),),
        )


class CarveExecutor:
    """Carries out :class:`CarveToy`."""

    def __init__(self, services: ToyServices) -> None:
        self._workshop = services.workshop

    async def observe(self, step: CarveToy, token: str) -> StepDone | None:
        """Done already if the toy is there."""
        return StepDone(summary=f"{step.name} is carved.", already=True) if self._is_there(step) else None

    async def act(self, step: CarveToy, token: str) -> None:
        """Carve."""
        await self._workshop.carve(step.name, token)

    async def verify(self, step: CarveToy, token: str) -> StepDone:
        """Look whether it is there."""
        assert self._is_there(step)
        return StepDone(summary=f"{step.name} is carved.", facts={"toy": step.name})

    def _is_there(self, step: CarveToy) -> bool:
        return step.name in self._workshop.toys


class PaintExecutor:
    """Carries out :class:`PaintToy`."""

    def __init__(self, services: ToyServices) -> None:
        self._workshop = services.workshop

    async def observe(self, step: PaintToy, token: str) -> StepDone | None:
        """Done already if it has the colour."""
        return self._done(step, already=True) if self._is_so(step) else None

    async def act(self, step: PaintToy, token: str) -> None:
        """Paint."""
        await self._workshop.paint(step.name, step.colour, token)

    async def verify(self, step: PaintToy, token: str) -> StepDone:
        """Look at the colour."""
        assert self._is_so(step)
        return self._done(step, already=False)

    def _is_so(self, step: PaintToy) -> bool:
        return self._workshop.toys.get(step.name) == step.colour

    def _done(self, step: PaintToy, *, already: bool) -> StepDone:
        return StepDone(summary=f"{step.name} is {step.colour}.", already=already)


@command("toys", summary="The toys on the shelf.", examples=("toys",), aliases=("toy",))
async def toys(call: CommandContext) -> CardReply:
    """In the order in which they were made."""
    return CardReply(_shelf(call.services.get(ToyServices)))


@command(
    "toy make",
    summary="Make a toy.",
    examples=("toy make horse", "toy make duck --colour blue --dry-run"),
    access=Access.CHANGE,
)
@click.argument("name", help="What it is called.")
@click.option("--colour", metavar="COLOUR", help="One of those in the settings; without, the usual one.")
@dry_run
async def toy_make(call: CommandContext, name: str, colour: str | None, dry_run: bool) -> ChangeRequest:
    """It is carved, and then painted."""
    return ChangeRequest(MakeToy(name=name, colour=colour), dry_run)


def _shelf(services: ToyServices) -> Card:
    held = services.workshop.toys
    rows = tuple((name, colour or "bare wood") for name, colour in held.items())
    tables = (Table(columns=("Toy", "Colour"), rows=rows),) if rows else ()
    return Card(title=f"{len(rows)} of {services.settings.shelf} toys on the shelf", tables=tables)


async def _home(services: Services, person: Person) -> tuple[Card, ...]:
    if not services.people.may(person, "toys", changes=False):
        return ()
    return (_shelf(services.get(ToyServices)),)


def _summary(settings: SlipwaySettings) -> Iterator[str]:
    table = settings.table(TOYS_TABLE)
    yield f"toys: room for {table.shelf}, {table.colour} unless somebody says otherwise"


async def _probe(settings: SlipwaySettings, _clouds: Clouds) -> Finding:
    table = settings.table(TOYS_TABLE)
    if table.locked:
        return Finding("toys", "does not open", ("The workshop is locked.",), "set toys.locked to false")
    return Finding("toys", f"a shelf for {table.shelf} toys")


def _services(context: SubjectContext) -> ToyServices:
    return ToyServices(Workshop(), context.settings.table(TOYS_TABLE))


TOYS: Subject[ToyServices] = Subject(
    name="toys",
    title="Toys",
    services=_services,
    kinds=(
        OperationKind(
            request=MakeToy,
            planner=MakeToyPlanner,
            arguments=lambda request: (
                request.name,
                *(("--colour", request.colour) if request.colour else ()),
            ),
            policy=PolicyDefaults(approvals=1),
            needs=None,
            right="toy.make",
            upgrades={1: _from_format_1},
        ),
    ),
    steps=(
        StepKind(
            step=CarveToy,
            executor=CarveExecutor,
            touches=lambda step: (f"toy {step.name}",),
            targets=lambda step: (f"toy {step.name}",),
        ),
        StepKind(step=PaintToy, executor=PaintExecutor, touches=lambda step: (f"toy {step.name}",)),
    ),
    tables=(TOYS_TABLE,),
    commands=(toys, toy_make),
    summary=_summary,
    probes=(Probe("toys", lambda _settings: True, _probe),),
    home=(HomeSection(_home),),
)
