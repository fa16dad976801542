"""All machines of a launch, or none.

Azure makes one machine by one request, so a launch of several is several requests. Each is bound to there being no
machine of that name; names follow from the launch's token. So whoever asks again, after a crash or a lost answer,
finds what is there already, waits for its end, and makes only what is missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.machines import calls, names
from slipway.bot.clouds.azure.machines.calls import MachineCalls
from slipway.bot.clouds.azure.machines.reading import Machine, failure, power_state, read_machine
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy

_SEE = Remedy("instances")

BegunT = TypeVar("BegunT")


class Maker(Protocol[BegunT]):
    """Makes one machine, only if there is none of its name."""

    async def begin(self, name: str, body: dict[str, Any], action: str) -> BegunT:
        """Start making it.

        Raises:
            CloudError: CONFLICT where there is one of this name.
        """
        ...

    async def finish(self, begun: BegunT, action: str) -> None:
        """Wait for its end.

        Raises:
            CloudError: it ended in failure; or, where ``doubtful``, it could not be followed to its end.
        """
        ...


@dataclass(frozen=True)
class Launching:
    """Makes the machines of one launch.

    Attributes:
        account: for errors.
        calls: asks Azure.
        polling: between two looks at a machine that another process began to make.
        limit: so long that is waited for.
        sleep: lets time pass.
    """

    account: AzureAccount
    calls: MachineCalls
    polling: timedelta
    limit: timedelta
    sleep: Callable[[float], Awaitable[None]]

    async def run(
        self, maker: Maker[Any], documents: dict[str, dict[str, Any]], token: str, action: str
    ) -> None:
        """Make these machines, by name, and wait until all are made.

        Raises:
            CloudError: one could not be made, and none is left; or, where ``doubtful``, nobody knows.
        """
        made = [self._make(maker, name, body, token, action) for name, body in documents.items()]
        ended = await asyncio.gather(*made, return_exceptions=True)
        errors = [each for each in ended if isinstance(each, BaseException)]
        if not errors:
            return
        for error in errors:
            if not isinstance(error, CloudError):
                raise error
        failures = [error for error in errors if isinstance(error, CloudError)]
        unknown = next((error for error in failures if error.doubtful), None)
        if unknown is not None:
            raise unknown
        await self.undo(tuple(documents), token, failures[0])
        raise failures[0]

    async def _make(
        self, maker: Maker[Any], name: str, body: dict[str, Any], token: str, action: str
    ) -> None:
        try:
            begun = await maker.begin(name, body, action)
        except CloudError as error:
            if not self._may_be_there(error):
                raise
            found = await self._find(name, error, action)
            if found is None:
                raise
            await self._until_made(name, found, token, action)
            return
        try:
            await maker.finish(begun, action)
        except CloudError as error:
            # The operation could not be followed; the machine itself tells what became of it.
            if not error.doubtful or error.kind is CloudErrorKind.TIMED_OUT:
                raise
            found = await self._find(name, error, action)
            if found is None:
                raise
            await self._until_made(name, found, token, action)

    def _may_be_there(self, error: CloudError) -> bool:
        """Whether there may be a machine of the name: it was there, or a lost answer was about making it."""
        error.doubtful = error.doubtful or error.kind in calls.UNSURE
        return error.doubtful or error.kind is CloudErrorKind.CONFLICT

    async def _find(self, name: str, error: CloudError, action: str) -> Machine | None:
        """The machine of this name; None where there is none.

        Raises:
            CloudError: it cannot be looked up, and so ``error`` stays doubtful.
        """
        try:
            return await self.machine(name)
        except CloudError as blind:
            raise blind.after(f"{self.account.title} was asked to {action}") from error

    async def machine(self, name: str) -> Machine | None:
        """A machine with what it is doing; None where there is none of this name."""
        try:
            document = await self.calls.read(
                self.calls.id(calls.MACHINES, name),
                calls.MACHINES,
                f"show the machine {name}",
                **{"$expand": "instanceView"},
            )
        except CloudError as error:
            if error.kind is CloudErrorKind.NOT_FOUND:
                return None
            raise
        return read_machine(document, self.account)

    async def _until_made(self, name: str, found: Machine, token: str, action: str) -> None:
        """Wait until a machine that is there already is made.

        Raises:
            CloudError: CONFLICT where it is another launch's; why it was not made; TIMED_OUT, ``doubtful``.
        """
        if (found.tags or {}).get(names.TOKEN_TAG) != token:
            raise self.account.error(
                CloudErrorKind.CONFLICT,
                f"{self.account.title} was not asked to {action}: there is a machine {name} of somebody else's.",
            )
        waited = timedelta()
        seen: Machine | None = found
        while seen is not None and seen.properties.provisioning_state.casefold() in ("creating", "updating"):
            if waited >= self.limit:
                error = self.account.error(
                    CloudErrorKind.TIMED_OUT, f"{self.account.title} is still making the machine {name}."
                )
                error.doubtful = True
                raise error
            await self.sleep(self.polling.total_seconds())
            waited += self.polling
            seen = await self.machine(name)
        self._check_made(name, seen, action)

    def _check_made(self, name: str, seen: Machine | None, action: str) -> None:
        if seen is None or seen.properties.provisioning_state.casefold() == "deleting":
            raise self.account.error(
                CloudErrorKind.UNVERIFIED,
                f"{self.account.title} began to {action}, and {name} is gone again.",
            )
        view = seen.properties.instance_view
        if seen.properties.provisioning_state.casefold() == "failed" and not power_state(view):
            end = failure(view)
            raise self.account.error(
                end.kind,
                f"{self.account.title} began to {action} and ended in failure ({end.code or 'no code given'}).",
                end.code,
                end.reason,
            )

    async def undo(self, machines: Sequence[str], token: str, failed: CloudError) -> None:
        """Remove what was made of a launch that failed.

        The error says so where something may be left.
        """
        left = [name for name in machines if not await self._remove(name, token)]
        if left:
            failed.sentence = (
                f"{failed.sentence.rstrip('.')}; {' and '.join(left)} could not be removed again, "
                "and may have to be terminated."
            )
            failed.remedy = _SEE

    async def _remove(self, name: str, token: str) -> bool:
        """Whether the machine is gone, or going; one that is another launch's is left alone."""
        try:
            found = await self.machine(name)
            if found is None or (found.tags or {}).get(names.TOKEN_TAG) != token:
                return True
            await self.calls.change(
                "DELETE", self.calls.id(calls.MACHINES, name), calls.MACHINES, f"remove the machine {name}"
            )
        except CloudError:
            return False
        return True
