"""The IAM policy of what a configuration does, made from the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.bot.clouds.aws.rights.table import (
    ACCOUNT,
    DEPLOYMENT,
    IMAGES_OWNER,
    NAME,
    OWNER,
    REGION,
    STATEMENTS,
    Statement,
)
from slipway.bot.clouds.aws.settings import AwsSettings
from slipway.bot.clouds.rights import Policy, Purpose, Usage

VERSION = "2012-10-17"
"""Of the policy language, which is no date of ours. Source: IAM JSON policy reference, “Version”."""

EXAMPLE_ACCOUNT = "111122223333"
"""The account's number where none is given: AWS's own for examples."""


@dataclass(frozen=True)
class Places:
    """What stands in the policy in place of the table's words."""

    regions: tuple[str, ...]
    account: str
    deployment: str
    owners: tuple[str, ...]
    images_owners: tuple[str, ...]

    @classmethod
    def of(cls, settings: AwsSettings, usage: Usage, account: str) -> Places:
        """By the configuration."""
        families = usage.families.values()
        regions = (
            settings.region,
            *settings.regions,
            *(each for family in families for each in family.regions),
        )
        own = [account if family.owner == "self" else family.owner for family in families]
        launched = [account if owner == "self" else owner for owner in settings.owners]
        return cls(
            tuple(dict.fromkeys(regions)),
            account,
            usage.deployment,
            tuple(dict.fromkeys(launched)),
            tuple(dict.fromkeys(own)) or (account,),
        )

    def fill(self, text: str, names: Sequence[str] = ("",)) -> list[str]:
        """A text with what belongs there, once for each region and name where it has these."""
        filled = [text.replace(ACCOUNT, self.account).replace(DEPLOYMENT, self.deployment)]
        for word, values in (
            (REGION, self.regions),
            (OWNER, self.owners),
            (IMAGES_OWNER, self.images_owners),
            (NAME, tuple(names)),
        ):
            filled = (
                [each.replace(word, value) for each in filled for value in values] if word in text else filled
            )
        return list(dict.fromkeys(filled))


_EXAMPLE_PLACES = {
    "aws-rotation-policy.json": ("us-east-1", "123456789012"),
    "aws-secrets-policy.json": ("us-east-1", "123456789012"),
}
"""Region and account of the examples that have others."""


def policy(settings: AwsSettings, usage: Usage, account: str = "") -> Policy:
    """The least that an account's credentials have to be allowed.

    Args:
        settings: the account's.
        usage: what is done with it.
        account: its number; without one, an example's stands there.
    """
    places = Places.of(settings, usage, account or EXAMPLE_ACCOUNT)
    notes = ["Attach it to the user or role that Slipway works as, in IAM: Policies, Create policy, JSON."]
    if not account:
        notes.append(f"Write the account's number in place of {EXAMPLE_ACCOUNT}, or give --account-id.")
    if Purpose.LAUNCH in usage.names:
        notes.append(
            "A launch template that gives its machines a role takes iam:PassRole for that role besides, and one that "
            "asks for spot machines ec2:RunInstances on spot-instances-request/*."
        )
    return Policy("IAM policy", (document(STATEMENTS, places, usage),), tuple(notes))


def document(statements: Iterable[Statement], places: Places, usage: Usage) -> dict[str, Any]:
    """A policy of what of the statements is asked for."""
    made = [_statement(each, places, usage) for each in statements]
    return {"Version": VERSION, "Statement": [each for each in made if each["Action"]]}


def wanted_actions(usage: Usage) -> dict[str, Statement]:
    """Every action that is asked for, with the first statement that has it."""
    found: dict[str, Statement] = {}
    for statement in STATEMENTS:
        for action, purposes in statement.actions.items():
            if usage.has(purposes):
                found.setdefault(action, statement)
    return found


def _statement(statement: Statement, places: Places, usage: Usage) -> dict[str, Any]:
    wanted = {action: purposes for action, purposes in statement.actions.items() if usage.has(purposes)}
    names = [
        name.removeprefix("/")
        for purpose in dict.fromkeys(each for purposes in wanted.values() for each in purposes)
        for name in usage.names.get(purpose, ())
    ]
    resources = [filled for each in statement.resources for filled in places.fill(each, names)]
    made: dict[str, Any] = {
        "Sid": statement.sid,
        "Effect": "Allow",
        "Action": _one_or_all(sorted(wanted, key=str.casefold)),
        "Resource": _one_or_all(resources),
    }
    if statement.condition is not None:
        made["Condition"] = {
            test: {places.fill(key)[0]: _value(value, places) for key, value in values.items()}
            for test, values in statement.condition.items()
        }
    return made


def _value(value: str | tuple[str, ...], places: Places) -> Any:
    texts = (value,) if isinstance(value, str) else value
    return _one_or_all([filled for each in texts for filled in places.fill(each)])


def _one_or_all(values: list[str]) -> Any:
    return values[0] if len(values) == 1 else values


def example(file: str) -> Mapping[str, Any]:
    """What an example in ``deploy/`` holds."""
    names = {
        Purpose.POINT: ("/fedora/*",),
        Purpose.ROTATE: ("uploader",),
        Purpose.DELIVER: ("uploader",),
    }
    usage = Usage("aws", "slipway", {each: names.get(each, ()) for each in Purpose})
    region, account = _EXAMPLE_PLACES.get(file, ("eu-west-1", EXAMPLE_ACCOUNT))
    places = Places((region,), account, "slipway", ("125523088429",), (account,))
    return document([each for each in STATEMENTS if each.file == file], places, usage)
