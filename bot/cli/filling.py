"""The configuration that comes of what `slipway init` was answered: the packaged example, with these values in it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, get_origin

from pydantic import ValidationError

from slipway.bot.chat.declaration import ChatDeclaration
from slipway.bot.cli.answers import Answers, is_about, listed
from slipway.bot.config.lint import warnings
from slipway.bot.config.load import settings_from
from slipway.bot.config.schema import Schema, plain
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.config.spec import KindSpec
from slipway.bot.config.tables import Plain, field_at
from slipway.bot.config.template import Template, TomlValue
from slipway.bot.core.errors import ConfigError
from slipway.bot.core.settings import leaf_types
from slipway.bot.core.settings_table import TableShape
from slipway.bot.declared import Declarations
from slipway.commands.scheduled import schedule_problems

_FIRST_ROLES = ("releng", "admin")
_ROLES = ("releng",)
_NO_TOML = "The keys do not fit together: one of them names something below what has a value."


@dataclass(frozen=True)
class Filled:
    """What comes of answers.

    Attributes:
        text: the configuration.
        mistakes: what is wrong in it, without what is about secrets: these come later.
        left_out: what of the example is not in it, as it was not asked for: tables, and schedules by name.
        switched_off: the names of the schedules in it that do not run.
        no_room: the room that its schedules name, which is none, as no room's id is known; empty where one is.
    """

    text: str
    mistakes: tuple[str, ...]
    left_out: tuple[str, ...]
    switched_off: tuple[str, ...]
    no_room: str = ""


class Filling:
    """Fills the example in.

    Args:
        declarations: which chats and clouds there are, and what they need.
        environ: the environment, whose secrets count as given.
        folder: where the configuration is going to stand.
    """

    def __init__(self, declarations: Declarations, environ: Mapping[str, str], folder: Path) -> None:
        self._declarations = declarations
        self._environ = environ
        self._folder = folder
        self._schema = Schema(declarations.spec)
        self._example = files("slipway").joinpath("slipway.example.toml").read_text("utf-8")
        self._written = tomllib.loads(self._example)

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the example's tables."""
        return tuple(dict.fromkeys(block.table for block in Template(self._example).blocks if block.table))

    def chats(self, answers: Answers) -> list[ChatDeclaration[Any]]:
        """The chosen platforms."""
        return [chat for chat in self._declarations.chats if chat.platform in answers.chats]

    def fill_in(self, answers: Answers) -> Filled:
        """The configuration that comes of answers, with its mistakes."""
        template = Template(self._example)
        self._choose_tables(template, answers)
        for key, said in answers.values.items():
            table, _, name = key.rpartition(".")
            template.put(table, name, self._value(key, said))
        if answers.accounts:
            self._put_persons(template, answers)
        dropped = self._put_schedules(template, answers)
        text = template.text()
        mistakes = [each for each in self._mistakes(text) if not self._about_secret(each, answers)]
        schedules = template.entries("schedule")
        here = {_head(block.table) for block in template.blocks}
        gone = dict.fromkeys(_head(table) for table in self.tables if _head(table) not in here)
        off = tuple(block.text_of("name") for block in schedules) if not answers.schedules else ()
        no_room = ""
        if schedules and answers.chats and self._room(answers) is None:
            off, no_room = tuple(block.text_of("name") for block in schedules), schedules[0].text_of("room")
        return Filled(
            text,
            (*mistakes, *self._odd(answers)),
            (*(f"[{table}]" for table in gone if table != "schedule"), *dropped),
            off,
            no_room,
        )

    def wrong_values(self, answers: Answers) -> tuple[str, ...]:
        """The mistakes in what was said, where not everything was."""
        said = (*answers.values, *(f"person.{person}" for person in answers.accounts))
        return tuple(
            each
            for each in self.fill_in(answers).mistakes
            if each == _NO_TOML or any(is_about(each, key) for key in said)
        )

    def _odd(self, answers: Answers) -> Iterator[str]:
        """What of the clouds' settings cannot be right, though it can be written: `slipway check` warns of it."""
        for cloud in self._declarations.clouds:
            tables = dict.fromkeys(key.rpartition(".")[0] for key in answers.values)
            for table in (each for each in tables if each.partition(".")[0] == cloud.name):
                given = self._given(table, answers)
                try:  # with the example's values for what is not said yet
                    settings = cloud.settings.model_validate({**self._written.get(cloud.name, {}), **given})
                except ValidationError:  # which is a mistake by itself
                    continue
                for problem in cloud.warnings(settings):
                    if problem.key in given:
                        yield f"{table}.{problem}"

    def _given(self, table: str, answers: Answers) -> dict[str, TomlValue]:
        return {
            key.rpartition(".")[2]: self._value(key, said)
            for key, said in answers.values.items()
            if key.rpartition(".")[0] == table
        }

    def _choose_tables(self, template: Template, answers: Answers) -> None:
        spec = self._declarations.spec
        if answers.chats:
            template.keep_only((chat.platform for chat in spec.chats if not chat.switch), answers.chats)
        for chat in spec.chats:
            if chat.switch:
                template.put(chat.platform, chat.switch, chat.platform in answers.chats)
            elif chat.platform in answers.chats:
                template.switch_on(chat.platform)
        if not answers.clouds:
            return
        template.keep_only(spec.clouds, answers.clouds)
        for table in spec.tables:  # such as profiles, which launch in an account
            if table.shape is TableShape.NAMED:
                written = {
                    name: table.model.model_validate(each)
                    for name, each in self._written.get(table.name, {}).items()
                }
                if any(table.check_accounts(written, frozenset(answers.clouds))):
                    template.keep_only((table.name,), ())

    def _put_persons(self, template: Template, answers: Answers) -> None:
        ids = list(answers.accounts)
        entries: list[Mapping[str, TomlValue]] = []
        for person, accounts in answers.accounts.items():
            roles = _FIRST_ROLES if person == ids[0] else _ROLES
            own = [f"{chat.platform}:{person}" for chat in self.chats(answers) if not chat.account_example]
            entries.append(
                {"id": person, "identities": tuple(dict.fromkeys((*accounts, *own))), "roles": roles}
            )
        template.put_persons(entries)
        for chat in self.chats(answers):
            table = chat.settings() if chat.switch else None
            for key in chat.named_accounts(table) if table is not None else ():
                template.put(chat.platform, key, ids[0])
        if len(ids) == 1 and answers.own_approval:
            for block in template.blocks:
                head, _, kind = block.table.partition(".")
                if (
                    head == "policy" and kind and "." not in kind
                ):  # not a kind's rules, which are comments there
                    block.put("requester_may_approve", True)

    def _put_schedules(self, template: Template, answers: Answers) -> list[str]:
        """Put room and state into the schedules; returns what was taken out: some, and roles of theirs alone."""
        spec = self._declarations.spec
        room = self._room(answers)
        dropped, roles = [], []
        for block in template.entries("schedule"):
            command = spec.find_command(block.text_of("command").split())
            kind = next((kind for kind in spec.kinds if command and kind.right == command.right), None)
            if answers.clouds and kind and not self._works(kind, answers):
                template.drop(block)
                dropped.append(f"the schedule {block.text_of('name')}")
                roles += re.findall(r'^roles = \["(.*)"\]$', "\n".join(block.lines), re.MULTILINE)
            elif answers.chats:
                block.put("room", room or self.chats(answers)[0].room_example)
                block.put("enabled", answers.schedules and room is not None)
        for role in dict.fromkeys(roles):
            named = [block for block in template.blocks if any(f'"{role}"' in line for line in block.lines)]
            for block in () if named else template.entries(f"roles.{role}"):
                template.drop(block)
                dropped.append(f"[{block.table}]")
        return dropped

    def _works(self, kind: KindSpec, answers: Answers) -> bool:
        """Whether one of the chosen clouds does such operations, as its account is written."""
        for name in set(kind.tables) & set(answers.clouds) & self._declarations.spec.clouds.keys():
            cloud = self._declarations.spec.clouds[name]
            # What is wrong in it is told when all of it is checked.
            said = {**self._written.get(name, {}), **self._given(name, answers)}
            if kind.needs not in cloud.lacks(cloud.settings.model_construct(**said)):
                return True
        return not kind.tables

    def _room(self, answers: Answers) -> str | None:
        """The first room that a schedule could post in."""
        for chat in self.chats(answers):
            said = answers.values.get(f"{chat.platform}.{chat.rooms_key}", "") if chat.rooms_key else ""
            rooms = listed(said) or (chat.rooms(chat.settings()) if chat.switch else ())
            for room in rooms:
                if chat.room_problem(room) is None:
                    return f"{chat.platform}:{room}"
        return None

    def _value(self, key: str, said: str) -> TomlValue:
        """What somebody typed, as the setting's kind of value; as text where that is not known or does not fit."""
        declared = field_at(self._schema.root, self._place(key))
        annotation = declared.annotation if declared is not None else str
        if get_origin(annotation) is tuple:
            return listed(said)
        kinds = set(leaf_types(annotation))
        if bool in kinds and said in ("true", "false"):
            return said == "true"
        return int(said) if int in kinds and re.fullmatch(r"\d{1,9}", said, re.ASCII) else said

    def _place(self, key: str) -> tuple[str, ...]:
        """Where a key stands among the classes, which hold accounts by their whole names."""
        head, *rest = key.split(".")
        if head not in self._declarations.spec.clouds:
            return (head, *rest)
        return (head, ".".join((head, *rest[:-1])), *rest[-1:])

    def _mistakes(self, text: str) -> Iterable[str]:
        try:
            settings = self._read(text)
        except ConfigError as error:
            return error.problems
        except tomllib.TOMLDecodeError:
            return (_NO_TOML,)
        return tuple(map(str, schedule_problems(settings, self._declarations.commands)))

    def _read(self, text: str) -> SlipwaySettings:
        return settings_from(tomllib.loads(text), self._folder, self._environ, spec=self._declarations.spec)

    def _about_secret(self, problem: str, answers: Answers) -> bool:
        document: dict[str, Plain] = {name: {"": ""} for name in self._declarations.spec.clouds}
        keys = {secret.key for secret in self._schema.secrets(document)}
        key = problem.partition(":")[0].removesuffix("_file")
        return key in keys - answers.values.keys()

    def left_to_do(self, text: str) -> list[str]:
        """What a configuration without mistakes still lacks: secrets, and what looks unfinished."""
        secrets = [each for each in self._mistakes(text) if self._about_secret(each, Answers())]
        if secrets:
            return secrets
        content = {key: plain(value) for key, value in tomllib.loads(text).items()}
        return [str(each) for each in warnings(self._read(text), content, self._declarations.spec)]


def _head(table: str) -> str:
    return table.partition(".")[0]
