"""`slipway permissions`: the least that the clouds and Slack have to allow for what is configured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.bot.cli.common import config_option, fail, load_settings

if TYPE_CHECKING:
    from slipway.bot.clouds.rights import Policy


@click.group()
def permissions() -> None:
    """The least that has to be allowed for what is configured, as the cloud or Slack takes it."""


_account_option = click.option(
    "--account", metavar="NAME", help="Which account, such as aws.staging. Default: all of them."
)


@permissions.command(short_help="Print the IAM policy.")
@config_option
@_account_option
@click.option("--account-id", metavar="NUMBER", help="The account's number of 12 digits at AWS.")
def aws(path: Path, account: str | None, account_id: str | None) -> None:
    """Print the IAM policy that Slipway's credentials need at AWS. What to do with it is said beside it."""
    if account_id is not None and not (account_id.isdecimal() and len(account_id) == 12):
        raise click.BadParameter("an account's number has 12 digits", param_hint="--account-id")
    _print("aws", path, account, account_id or "")


@permissions.command(short_help="Print the role definitions.")
@config_option
@_account_option
def azure(path: Path, account: str | None) -> None:
    """Print the role definitions that Slipway's identity needs in Azure. What to do with them is said beside them."""
    _print("azure", path, account, "")


@permissions.command(short_help="Print the bot's scopes.")
@config_option
def slack(path: Path) -> None:
    """Print the part of the Slack app's manifest with the scopes that the bot needs for what is configured."""
    from slipway.bot.chat.slack.manifest import SCOPES, needed_scopes

    settings, declarations = load_settings(path)
    chat = declarations.chat("slack")
    if settings.optional(chat.table) is None:
        fail("There is no [slack] in the configuration.")
    groups = any(getattr(role, chat.group_key, ()) for role in settings.roles.values())
    scopes = needed_scopes(user_groups=groups)
    click.echo(json.dumps({"oauth_config": {"scopes": {"bot": sorted(scopes)}}}, indent=2))
    for scope in sorted(scopes):
        click.echo(f"{scope}: to {SCOPES[scope]}", err=True)
    click.echo("The whole manifest, with events and commands: `slipway slack manifest`.", err=True)


def _print(cloud_name: str, path: Path, account: str | None, number: str) -> None:
    settings, declarations = load_settings(path)
    cloud = next(each for each in declarations.clouds if each.name == cloud_name)
    accounts = settings.named(cloud.table)
    if not accounts:
        fail(f"There is no [{cloud_name}] in the configuration.")
    if account is not None and account not in accounts:
        fail(f"No account is called {account}; configured: {', '.join(accounts)}.")
    assert cloud.policy is not None  # noqa: S101 - both clouds have one
    for name in [account] if account is not None else accounts:
        _tell(name, cloud.policy(accounts[name], declarations.usage(settings, name), number))


def _tell(name: str, policy: Policy) -> None:
    """The documents on standard output, so that they can be kept as they are; the words beside them."""
    click.echo(f"{name}: {policy.title}", err=True)
    for document in policy.documents:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    for note in policy.notes:
        click.echo(f"- {note}", err=True)
