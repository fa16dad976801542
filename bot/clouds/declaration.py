"""How a cloud declares itself: its settings, what it can do, and what `check` and `doctor` say of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar, get_origin

from slipway.bot.clouds.capabilities import Adapter, Capability, Port
from slipway.bot.clouds.contact import CloudContact
from slipway.bot.clouds.image_family import ImageFamily
from slipway.bot.clouds.machine_description import MachineDescription
from slipway.bot.clouds.rights import Policy, Usage
from slipway.bot.core.declared_fields import (
    Declaration,
    check_callables,
    check_class,
    check_text,
    check_tuple,
    check_type,
)
from slipway.bot.core.errors import DeclarationError
from slipway.bot.core.fencing import NO_FENCE, Fence
from slipway.bot.core.probes import Check, Finding
from slipway.bot.core.problems import Problem
from slipway.bot.core.secret_files import SecretFile
from slipway.bot.core.settings import Settings, leaf_types
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.core.times import Clock, system_clock
from slipway.bot.core.waiting import Sleep

SettingsT = TypeVar("SettingsT", bound=Settings)


@dataclass(frozen=True)
class CloudContext:
    """What an adapter is handed beside its own settings.

    Attributes:
        name: the adapter's name, such as ``azure`` or ``azure.staging``.
        deployment: the name of this Slipway, for tags.
        environ: where credentials are looked for that the settings leave out.
        contact: gets noted what the cloud answers: each request is made within its ``noting``.
        descriptions: the machines that slipway.toml describes for this account, by the names of their tables.
        families: the families of images that it describes for this account, by the names of their tables.
        clock: the present, for times that are written into the cloud.
        sleep: lets time pass between looks and tries.
        secret_files: the files that its secrets are in, by their fields: another one may stand there later.
        fence: asked right before each request that changes something: it is not sent where another replica works.
    """

    name: str
    deployment: str
    environ: Mapping[str, str]
    contact: CloudContact = field(default_factory=CloudContact)
    descriptions: Mapping[str, MachineDescription] = field(default_factory=dict)
    families: Mapping[str, ImageFamily] = field(default_factory=dict)
    clock: Clock = system_clock
    sleep: Sleep = asyncio.sleep
    secret_files: Mapping[str, SecretFile] = field(default_factory=dict)
    fence: Fence = NO_FENCE


@dataclass(frozen=True)
class CloudDeclaration(Declaration, Generic[SettingsT]):
    """A cloud, declared in its package's ``declaration.py`` as ``CLOUD``.

    Attributes:
        name: its table in slipway.toml, such as ``azure``; ``[azure]`` is the unnamed account, and
            ``[azure.NAME]`` are more.
        settings: the table's class. No field of it holds a table, because such keys are names of accounts.
        provides: what its accounts can do, if their settings have what it takes.
        lacks: what of that an account cannot do by its settings, such as machines where none are to be launched.
        described: what of that an account can do only where another table describes something for it, and the name
            of that table, such as image versions where ``[family.NAME]`` says which images are versions of what.
        open: makes the adapter's ports, one for each capability. Loads no SDK: that is done at the first call.
        check: mistakes that show from several keys of one table; keys are given without the table's name
            (``endpoint``; empty for the table itself). ``secrets`` says whether missing secrets are told: not
            where one could not be read, which is told already.
        check_accounts: mistakes that show from an account and its name; gets all accounts by name, and the names of
            all clouds' accounts, and gives whole keys (``azure.staging.tenant_id``).
        warnings: what is allowed in an account's table and hardly meant; gives keys without the table's name.
        describe: an account in a few words, such as ``gallery Fedora in fedora-cloud``.
        label: the same in two or three words, such as ``gallery Fedora``.
        probe: tries the connection, for `slipway doctor`; changes nothing.
        policy: the least that an account has to be allowed for what is done with it, for `slipway permissions`; gets
            the account's number where somebody gave it. None where the cloud has no such documents.
        rights: tries each right that this takes, for `slipway doctor`; changes nothing. None where that cannot be.
        environment: variables that other tools read, by field, in order of preference.
    """

    name: str
    settings: type[SettingsT]
    provides: tuple[Capability[Any], ...]
    open: Callable[[SettingsT, CloudContext], Mapping[Capability[Any], Port]]
    describe: Callable[[SettingsT], str]
    label: Callable[[SettingsT], str]
    probe: Callable[[SettingsT, Adapter], Awaitable[Finding]]
    policy: Callable[[SettingsT, Usage, str], Policy] | None = None
    rights: Callable[[SettingsT, Adapter, Usage], Awaitable[Check]] | None = None
    lacks: Callable[[SettingsT], frozenset[Capability[Any]]] = lambda _settings: frozenset()
    check: Callable[[SettingsT, bool], Iterator[Problem]] = lambda _settings, _secrets: iter(())
    check_accounts: Callable[[Any, frozenset[str]], Iterator[Problem]] = lambda _value, _accounts: iter(())
    warnings: Callable[[SettingsT], Iterator[Problem]] = lambda _settings: iter(())
    environment: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    described: Mapping[Capability[Any], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_text("A cloud", "name", self.name)
        if not self.name.isidentifier() or self.name != self.name.lower():
            raise DeclarationError(f"A cloud cannot be called {self.name!r}: use a-z and _.")
        owner = f"The cloud {self.name}"
        check_class(owner, "settings", self.settings, Settings)
        check_tuple(owner, "provides", self.provides, Capability)
        functions = ("open", "describe", "label", "probe", "lacks", "check", "check_accounts", "warnings")
        check_callables(owner, self, functions)
        check_callables(
            owner, self, [each for each in ("policy", "rights") if getattr(self, each) is not None]
        )
        check_type(owner, "environment", self.environment, Mapping, "a mapping")
        check_type(owner, "described", self.described, Mapping, "a mapping")
        for capability in self.described:
            if capability not in self.provides:
                raise DeclarationError(f"{owner} does not provide {capability}, which it says is described.")
        if not self.provides:
            raise DeclarationError(f"{owner} provides nothing: name its capabilities.")
        for name, variables in self.environment.items():
            check_tuple(owner, f"environment for {name}", variables, str)
            if name not in self.settings.model_fields:
                raise DeclarationError(f"{owner} has no setting {name} to take from variables.")
        for name, declared in self.settings.model_fields.items():
            leaves = leaf_types(declared.annotation)
            if get_origin(declared.annotation) is dict or any(issubclass(leaf, Settings) for leaf in leaves):
                raise DeclarationError(
                    f"The setting {name} of the cloud {self.name} holds a table, and such keys name accounts."
                )

    @property
    def by_itself(self) -> tuple[Capability[Any], ...]:
        """What its accounts can do without another table's describing something for them."""
        return tuple(each for each in self.provides if each not in self.described)

    @cached_property
    def table(self) -> SettingsTable[SettingsT]:
        """Its table in slipway.toml: ``[azure]``, and ``[azure.NAME]`` for more accounts."""
        return SettingsTable(
            name=self.name,
            model=self.settings,
            shape=TableShape.ACCOUNTS,
            summary=f"accounts on {self.name}",
            check=self.check,
            check_accounts=self.check_accounts,
        )
