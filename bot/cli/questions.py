"""What `slipway init` has to know. Asks nobody itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from slipway.bot.cli.answers import Answers, is_about, is_on, listed
from slipway.bot.cli.filling import Filling
from slipway.bot.core.problems import one_of, unknown
from slipway.bot.declared import Declarations

CHAT, CLOUD, SOMEBODY, SOMEBODY_ELSE, OWN_APPROVAL = (
    "chat",
    "cloud",
    "somebody",
    "somebody else",
    "own approval",
)
"""Keys of questions that are about no single setting."""

_KEY = re.compile(r"[a-z_]+(?:\.[A-Za-z0-9_-]+)*", re.ASCII)
_YES, _NO = ("y", "yes"), ("n", "no")


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
        case [key] if key == OWN_APPROVAL:
            return "--own-approval, or another --person ID=ACCOUNT"
        case ["person", person, platform]:
            return f"--person {person}={platform}:ACCOUNT"
        case _:
            return f"--set {question.key}=VALUE"


class Form:
    """The questions of this Slipway.

    Args:
        declarations: which chats and clouds there are, and what they need.
        filling: makes a configuration of the answers.
    """

    def __init__(self, declarations: Declarations, filling: Filling) -> None:
        self._declarations = declarations
        self._filling = filling

    def questions(self, answers: Answers) -> Iterator[Question]:
        """Everything that is not answered yet, as far as that is known by now."""
        if not answers.chats:
            yield Question(CHAT, f"Where do you talk: {_some_of(self._known(CHAT))}")
        if not answers.clouds:
            yield Question(CLOUD, f"Where are your images and machines: {_some_of(self._known(CLOUD))}")
        for chat in self._filling.chats(answers):
            yield from self._settings(chat.platform, chat.settings, answers)
            if chat.rooms_key and f"{chat.platform}.{chat.rooms_key}" not in answers.values:
                rooms = chat.settings.model_fields[chat.rooms_key].description or "the rooms to work in"
                words = f"{chat.platform}: {rooms}; several with commas"
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
            for chat in self._filling.chats(answers):
                if chat.account_example and not any(is_on(chat, account) for account in accounts):
                    like = chat.account_example.replace("@alice:", f"@{person}:")
                    yield Question(
                        f"person.{person}.{chat.platform}", f"The account of {person}, like {like}"
                    )
        if answers.accounts and not answers.everybody:
            yield Question(SOMEBODY_ELSE, "Who else? A short name; nothing if that is all", optional=True)
        elif len(answers.accounts) == 1 and not answers.own_approval:
            (alone,) = answers.accounts
            yield Question(
                OWN_APPROVAL,
                f"{alone} is alone, so nobody else can approve a change. May {alone} approve what {alone} asked for: "
                "yes, or no to name somebody else",
            )

    def take(self, answers: Answers, question: Question, said: str) -> tuple[str, ...]:
        """Note an answer; or say what is wrong with it, and note nothing."""
        key, said = question.key, said.strip()
        if not said.isprintable():
            return ("There are signs in it that cannot be shown; type it anew.",)
        if key in (CHAT, CLOUD):
            return self._choose(answers, key, _names(said))
        if key in (SOMEBODY, SOMEBODY_ELSE):
            return self._add_person(answers, said)
        if key == OWN_APPROVAL:
            return self._alone(answers, said.lower())
        accounts = {person: list(accounts) for person, accounts in answers.accounts.items()}
        trial = replace(answers, values=dict(answers.values), accounts=accounts)
        about = key
        if key.startswith("person."):
            _, person, platform = key.split(".")
            about = f"person.{person}"
            trial.accounts[person].append(said if said.startswith(f"{platform}:") else f"{platform}:{said}")
        else:
            trial.values[key] = said
        if wrong := tuple(each for each in self._filling.fill_in(trial).mistakes if is_about(each, about)):
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
            answers.everybody = bool(answers.accounts)
            return ()
        if said in answers.accounts:
            return (f"{said} is named already.",)
        if not re.fullmatch(r"[a-z][a-z0-9._-]{0,31}", said):
            return ("Write lowercase letters, digits, dots and dashes, a letter first, like alice.",)
        answers.accounts[said] = []
        return ()

    def _alone(self, answers: Answers, said: str) -> tuple[str, ...]:
        if said not in (*_YES, *_NO):
            return ("Write yes or no.",)
        answers.own_approval = said in _YES
        answers.everybody = answers.own_approval  # else somebody is to be named
        return ()

    def of_flags(
        self,
        chats: Iterable[str],
        clouds: Iterable[str],
        values: Iterable[tuple[str, str]],
        persons: Iterable[tuple[str, str]],
        own_approval: bool = False,
    ) -> tuple[Answers, tuple[str, ...]]:
        """What flags say, and what is wrong with it. A setting of a chat or cloud chooses that, too."""
        answers = Answers(values=dict(values), own_approval=own_approval)
        tables = dict.fromkeys(key.partition(".")[0] for key in answers.values)
        chosen = {
            CHAT: (*chats, *(table for table in tables if table in self._known(CHAT))),
            CLOUD: (*clouds, *(table for table in tables if table in self._known(CLOUD))),
        }
        problems = [problem for key, names in chosen.items() for problem in self._choose(answers, key, names)]
        problems += [
            f"{key}: this is no key of slipway.toml" for key in answers.values if not _KEY.fullmatch(key)
        ]
        problems += [
            f"{key}: this is a table; name a setting in it, like {key}.KEY=VALUE"
            for key in answers.values
            if any(f"{table}.".startswith(f"{key}.") for table in self._filling.tables)
        ]
        answers.chats, answers.clouds = (
            list(dict.fromkeys(answers.chats)),
            list(dict.fromkeys(answers.clouds)),
        )
        people = self._filling.chats(answers)
        for person, said in persons:
            answers.everybody = True
            if person not in answers.accounts:
                problems += self._add_person(answers, person)
            accounts = answers.accounts.setdefault(person, [])
            for account in listed(said):
                whole = len(people) != 1 or is_on(people[0], account)
                accounts.append(account if whole else f"{people[0].platform}:{account}")
        if own_approval and len(answers.accounts) > 1:
            problems.append("--own-approval is for somebody alone; where there are others, they approve.")
        return answers, tuple(problems)


def _some_of(names: Iterable[str]) -> str:
    return f"{one_of(names)}; several with commas"


def _names(said: str) -> tuple[str, ...]:
    """Names as people list them: aws, azure; aws and azure."""
    return tuple(name for name in re.split(r"[\s,;+&]+", said.lower()) if name not in ("", "and"))
