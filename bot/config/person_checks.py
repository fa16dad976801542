"""Mistakes in persons, their accounts and their roles, which only show beside other settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from slipway.bot.chat.declaration import ChatDeclaration
from slipway.bot.config.settings import split_address
from slipway.bot.config.written import Written
from slipway.bot.core.problems import Problem, shown, unknown


def person_problems(written: Written) -> Iterator[Problem]:
    """Each id and account is one person's, accounts are written as their platform has them, and roles are there."""
    for name, count in Counter(written.all_of("person", "id")).items():
        if count > 1:
            yield Problem(f"person.{name}.id", f'{count} persons have the id "{name}"; give each their own')
    owners: dict[str, list[str]] = {}
    roles = written.names("roles")
    for person in written.settings.person:
        for role in sorted(set(person.roles) - roles):
            yield Problem(f"person.{person.id}.roles", unknown("role", role, roles, "Roles here"))
        for identity in person.identities:
            owners.setdefault(identity, []).append(person.id)
            yield from _identity(f"person.{person.id}.identities", identity, written)
    for identity, ids in owners.items():
        if len(ids) > 1:
            holders = " and ".join(dict.fromkeys(ids))
            yield Problem(
                f"person.{ids[-1]}.identities",
                f"{shown(identity)} is given {len(ids)} times (to {holders}); an account is one person's",
            )


def person_key_problems(written: Written) -> Iterator[Problem]:
    """What subjects add to persons."""
    for key in written.spec.person_keys:
        yield from key.check({person.id: person.texts(key) for person in written.settings.person})


def _identity(key: str, identity: str, written: Written) -> Iterator[Problem]:
    try:
        platform, account = split_address(identity)
        chat = written.chat(platform)
    except ValueError:
        chat = None
    if chat is None:
        example = next((chat.account_example for chat in written.spec.chats if chat.account_example), "")
        yield Problem(key, f"“{identity}” is not platform:id; write it like {example}")
    elif (problem := chat.account_problem(account)) is not None:
        yield Problem(key, f"{shown(identity)} {problem}")


def named_account_problems(written: Written) -> Iterator[Problem]:
    """An account that a platform's table names must be somebody's."""
    known = {identity for person in written.settings.person for identity in person.identities}
    for chat in written.spec.chats:
        table = getattr(written.settings, chat.platform)
        if table is None or not written.has(chat) or written.unsure:
            continue
        for key, account in chat.named_accounts(table).items():
            if (identity := f"{chat.platform}:{account}") not in known:
                said = f'nobody has the identity "{identity}"; add it to the identities of a [[person]]'
                yield Problem(f"{chat.platform}.{key}", said)


def role_problems(written: Written) -> Iterator[Problem]:
    """Rights are there, and user groups are written as their platform has them."""
    options = written.spec.rights
    for name, role in written.settings.roles.items():
        for right in sorted(set(role.may) - set(options)):
            yield Problem(f"roles.{name}.may", unknown("command", right, options, "Commands"))
        for chat in written.spec.chats:
            yield from _groups(f"roles.{name}.{chat.group_key}", role.groups(chat.group_key), chat, written)


def _groups(
    key: str, groups: tuple[str, ...], chat: ChatDeclaration[Any], written: Written
) -> Iterator[Problem]:
    for group in groups:
        problem = chat.group_problem(group)
        if problem is not None:
            yield Problem(key, f"{shown(group)} {problem}")
    if groups and chat.platform not in written.document:
        name = chat.platform.capitalize()
        yield Problem(key, f"user groups are {name}'s, and there is no [{chat.platform}]; add it")
