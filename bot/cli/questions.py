"""What `slipway init` has to know, and the configuration that comes of the answers. Asks nobody itself."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, get_origin

from pydantic import ValidationError

from slipway.bot.chat.declaration import ChatDeclaration
from slipway.bot.config.lint import warnings
from slipway.bot.config.load import settings_from
from slipway.bot.config.schema import Schema, plain
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.config.spec import KindSpec
from slipway.bot.config.tables import Plain, field_at
from slipway.bot.config.template import Template, TomlValue
from slipway.bot.core.errors import ConfigError
from slipway.bot.core.problems import one_of, unknown
from slipway.bot.core.settings import leaf_types
from slipway.bot.core.settings_table import TableShape
from slipway.bot.declared import Declarations
from slipway.commands.scheduled import schedule_problems

CHAT, CLOUD, SOMEBODY, SOMEBODY_ELSE = "chat", "cloud", "somebody", "somebody else"
"""Keys of questions that are about no single setting."""

_FIRST_ROLES = ("releng", "admin")
_ROLES = ("releng",)
_KEY = re.compile(r"[a-z_]+(?:\.[A-Za-z0-9_-]+)*", re.ASCII)


@dataclass(frozen=True)
class Question:
    """Something to ask: the setting that it is about, the words, and whether nothing is an answer, too."""

    key: str
    words: str
    optional: bool = False


def flag_of(question: Question) -> str:
    """The flag of `slipway init` that answers a question."""
    match question.key.split("."):
        case [key] if key == CHAT:
            return "--chat NAME"
        case [key] if key == CLOUD:
            return "--cloud NAME"
        case [key] if key in (SOMEBODY, SOMEBODY_ELSE):
            return "--person ID=ACCOUNT"
        case ["person", person, platform]:
            return f"--person {person}={platform}:ACCOUNT"
        case _:
            return f"--set {question.key}=VALUE"


@dataclass
class Answers:
    """What is known so far.

    Attributes:
        chats: the platforms to work in.
        clouds: the clouds to work in.
        values: settings by their keys, as they were typed.
        accounts: persons by id, with their accounts, as they were typed.
        everybody: whether there are no more persons.
        schedules: whether the example's schedules are switched on.
    """

    chats: list[str] = field(default_factory=list)
    clouds: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, list[str]] = field(default_factory=dict)
    everybody: bool = False
    schedules: bool = False


class Form:
    """The questions of this Slipway, and what comes of the answers.

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

    def questions(self, answers: Answers) -> Iterator[Question]:
        """Everything that is not answered yet, as far as that is known by now."""
        if not answers.chats:
            yield Question(CHAT, f"Where do you talk: {one_of(c.platform for c in self._declarations.chats)}")
        if not answers.clouds:
            yield Question(
                CLOUD, f"Where are your images and machines: {one_of(self._declarations.spec.clouds)}"
            )
        for chat in self._chats(answers):
            yield from self._settings(chat.platform, chat.settings, answers)
            if chat.rooms_key and f"{chat.platform}.{chat.rooms_key}" not in answers.values:
                example = chat.room_example.partition(":")[2]
                words = f"The rooms on {chat.platform} to work in, by id, like {example}, separated by commas"
                yield Question(f"{chat.platform}.{chat.rooms_key}", words)
        for cloud in self._declarations.clouds:
            if cloud.name in answers.clouds:
                yield from self._settings(cloud.name, cloud.settings, answers)
        yield from self._persons(answers)

    def _settings(self, table: str, model: type[Any], answers: Answers) -> Iterator[Question]:
        for name, declared in model.model_fields.items():
            key = f"{table}.{name}"
            if declared.is_required() and key not in answers.values:
                words = declared.description or name
                yield Question(key, f"{table}: {words}")

    def _persons(self, answers: Answers) -> Iterator[Question]:
        if not answers.accounts:
            yield Question(SOMEBODY, "Who are you? A short name of small letters, like alice")
        for person, accounts in answers.accounts.items():
            for chat in self._chats(answers):
                if chat.account_example and not any(_is_on(chat, account) for account in accounts):
                    words = f"The account of {person}, like {chat.account_example}"
                    yield Question(f"person.{person}.{chat.platform}", words)
        if answers.accounts and not answers.everybody:
            yield Question(SOMEBODY_ELSE, "Who else? A short name; nothing if that is all", optional=True)

    def _chats(self, answers: Answers) -> list[ChatDeclaration[Any]]:
        return [chat for chat in self._declarations.chats if chat.platform in answers.chats]

    def take(self, answers: Answers, question: Question, said: str) -> tuple[str, ...]:
        """Note an answer; or say what is wrong with it, and note nothing."""
        key, said = question.key, said.strip()
        if not said.isprintable():
            return ("There are signs in it that cannot be shown; type it anew.",)
        if key in (CHAT, CLOUD):
            return self._choose(answers, key, _listed(said))
        if key in (SOMEBODY, SOMEBODY_ELSE):
            return self._add_person(answers, said)
        trial = Answers(**{**vars(answers), "values": dict(answers.values)})
        trial.accounts = {person: list(accounts) for person, accounts in answers.accounts.items()}
        about = key
        if key.startswith("person."):
            _, person, platform = key.split(".")
            about = f"person.{person}"
            trial.accounts[person].append(said if said.startswith(f"{platform}:") else f"{platform}:{said}")
        else:
            trial.values[key] = said
        _, mistakes = self.fill_in(trial)
        if wrong := tuple(
            each for each in mistakes if each.startswith((f"{about}:", f"{about} #", f"{about}."))
        ):
            return wrong
        answers.values, answers.accounts = trial.values, trial.accounts
        return ()

    def _choose(self, answers: Answers, key: str, names: tuple[str, ...]) -> tuple[str, ...]:
        known = self._known(key)
        if wrong := [name for name in names if name not in known]:
            return (unknown(key, wrong[0], known, "There are"),)
        (answers.chats if key == CHAT else answers.clouds).extend(dict.fromkeys(names))
        return ()

    def _known(self, key: str) -> tuple[str, ...]:
        if key == CLOUD:
            return tuple(self._declarations.spec.clouds)
        return tuple(chat.platform for chat in self._declarations.chats)

    def _add_person(self, answers: Answers, said: str) -> tuple[str, ...]:
        if not said:
            answers.everybody = True
            return ()
        if said in answers.accounts:
            return (f"{said} is named already.",)
        if not re.fullmatch(r"[a-z][a-z0-9._-]{0,31}", said):
            return ("Write lowercase letters, digits, dots and dashes, a letter first, like alice.",)
        answers.accounts[said] = []
        return ()

    def of_flags(
        self,
        chats: Iterable[str],
        clouds: Iterable[str],
        values: Iterable[tuple[str, str]],
        persons: Iterable[tuple[str, str]],
    ) -> tuple[Answers, tuple[str, ...]]:
        """What flags say, and what is wrong with it. A setting of a chat or cloud chooses that, too."""
        answers = Answers(values=dict(values))
        tables = dict.fromkeys(key.partition(".")[0] for key in answers.values)
        chosen = {
            CHAT: (*chats, *(table for table in tables if table in self._known(CHAT))),
            CLOUD: (*clouds, *(table for table in tables if table in self._known(CLOUD))),
        }
        problems = [problem for key, names in chosen.items() for problem in self._choose(answers, key, names)]
        problems += [
            f"{key}: this is no key of slipway.toml" for key in answers.values if not _KEY.fullmatch(key)
        ]
        known = [f"{block.table}." for block in Template(self._example).blocks]
        problems += [
            f"{key}: this is a table; name a setting in it, like {key}.KEY=VALUE"
            for key in answers.values
            if any(each.startswith(f"{key}.") for each in known)
        ]
        answers.chats, answers.clouds = (
            list(dict.fromkeys(answers.chats)),
            list(dict.fromkeys(answers.clouds)),
        )
        people = self._chats(answers)
        for person, said in persons:
            answers.everybody = True
            if person not in answers.accounts:
                problems += self._add_person(answers, person)
            accounts = answers.accounts.setdefault(person, [])
            for account in _listed(said):
                whole = len(people) != 1 or _is_on(people[0], account)
                accounts.append(account if whole else f"{people[0].platform}:{account}")
        return answers, tuple(problems)

    def fill_in(self, answers: Answers) -> tuple[str, tuple[str, ...]]:
        """The configuration, and its mistakes: those that are about secrets are left to be mended later."""
        template = Template(self._example)
        self._choose_tables(template, answers)
        for key, said in answers.values.items():
            table, _, name = key.rpartition(".")
            template.put(table, name, self._value(key, said))
        if answers.accounts:
            self._put_persons(template, answers)
        self._put_schedules(template, answers)
        text = template.text()
        mistakes = [each for each in self._mistakes(text) if not self._about_secret(each, answers)]
        return text, (*mistakes, *self._odd(answers))

    def wrong_values(self, answers: Answers) -> tuple[str, ...]:
        """The mistakes in what was said, where not everything was."""
        _, mistakes = self.fill_in(answers)
        said = (*answers.values, *(f"person.{person}" for person in answers.accounts))
        return tuple(each for each in mistakes if each.startswith(tuple(f"{key}:" for key in said)))

    def _odd(self, answers: Answers) -> Iterator[str]:
        """What of the clouds' settings cannot be right, though it can be written: `slipway check` warns of it."""
        for cloud in self._declarations.clouds:
            given = {
                key.rpartition(".")[2]: self._value(key, said)
                for key, said in answers.values.items()
                if key.rpartition(".")[0] == cloud.name
            }
            try:
                settings = cloud.settings.model_validate(given)
            except ValidationError:  # which is a mistake by itself
                continue
            for problem in cloud.warnings(settings):
                if problem.key in given:
                    yield f"{cloud.name}.{problem}"

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
        example = tomllib.loads(self._example)
        for table in spec.tables:  # such as profiles, which launch in an account
            if table.shape is TableShape.NAMED:
                written = {
                    name: table.model.model_validate(each)
                    for name, each in example.get(table.name, {}).items()
                }
                if any(table.check_accounts(written, frozenset(answers.clouds))):
                    template.keep_only((table.name,), ())

    def _put_persons(self, template: Template, answers: Answers) -> None:
        ids = list(answers.accounts)
        entries: list[Mapping[str, TomlValue]] = []
        for person, accounts in answers.accounts.items():
            roles = _FIRST_ROLES if person == ids[0] else _ROLES
            own = [f"{chat.platform}:{person}" for chat in self._chats(answers) if not chat.account_example]
            entries.append(
                {"id": person, "identities": tuple(dict.fromkeys((*accounts, *own))), "roles": roles}
            )
        template.put_persons(entries)
        for chat in self._chats(answers):
            table = chat.settings() if chat.switch else None
            for key in chat.named_accounts(table) if table is not None else ():
                template.put(chat.platform, key, ids[0])
        if len(ids) == 1:  # nobody else could agree
            for block in template.blocks:
                if block.table.startswith("policy."):
                    block.put("requester_may_approve", True)

    def _put_schedules(self, template: Template, answers: Answers) -> None:
        spec = self._declarations.spec
        room = next(self._rooms(answers), "")
        for block in template.entries("schedule"):
            command = spec.find_command(block.text_of("command").split())
            kind = next((kind for kind in spec.kinds if command and kind.right == command.right), None)
            lacking = answers.clouds and kind and not self._works(kind, answers)
            if lacking or (answers.chats and not room):
                template.drop(block)
            elif room:
                block.put("room", room)
                block.put("enabled", answers.schedules)

    def _works(self, kind: KindSpec, answers: Answers) -> bool:
        """Whether one of the chosen clouds does such operations, as its account is written."""
        example = tomllib.loads(self._example)
        for name in set(kind.tables) & set(answers.clouds):
            cloud = self._declarations.spec.clouds[name]
            said = {
                key.removeprefix(f"{name}."): self._value(key, value)
                for key, value in answers.values.items()
                if key.startswith(f"{name}.")
            }
            # What is wrong in it is told when all of it is checked.
            account = cloud.settings.model_construct(**{**example.get(name, {}), **said})
            if kind.needs not in cloud.lacks(account):
                return True
        return not kind.tables

    def _rooms(self, answers: Answers) -> Iterator[str]:
        """The rooms that a schedule could post in."""
        for chat in self._chats(answers):
            said = answers.values.get(f"{chat.platform}.{chat.rooms_key}", "") if chat.rooms_key else ""
            rooms = _listed(said) or (chat.rooms(chat.settings()) if chat.switch else ())
            yield from (f"{chat.platform}:{room}" for room in rooms if chat.room_problem(room) is None)

    def _value(self, key: str, said: str) -> TomlValue:
        """What somebody typed, as the setting's kind of value; as text where that is not known or does not fit."""
        declared = field_at(self._schema.root, self._place(key))
        annotation = declared.annotation if declared is not None else str
        if get_origin(annotation) is tuple:
            return _listed(said)
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
            return ("The keys do not fit together: one of them names something below what has a value.",)
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


def _listed(said: str) -> tuple[str, ...]:
    return tuple(filter(None, (each.strip() for each in said.split(","))))


def _is_on(chat: ChatDeclaration[Any], account: str) -> bool:
    return account.startswith(f"{chat.platform}:")
