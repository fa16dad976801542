"""`slipway slack`: what is needed to make the Slack app."""

from __future__ import annotations

import json

import click

from slipway.bot.cli.common import in_plain_words


@click.group()
def slack() -> None:
    """The bot's Slack app."""


@slack.command(short_help="Print the app's manifest.")
@click.option(
    "--name", default="Slipway", show_default=True, help="What the bot is called: 35 letters at the most."
)
@click.option(
    "--url",
    metavar="URL",
    help="With HTTP instead of Socket Mode: where Slack finds the bot, like https://bot.example.org/slack/events.",
)
def manifest(name: str, url: str | None) -> None:
    """Print the app manifest, to paste into Slack as JSON (api.slack.com/apps → Create New App)."""
    from slipway.bot.chat.slack.manifest import MAX_NAME_LENGTH
    from slipway.bot.chat.slack.manifest import manifest as app_manifest
    from slipway.bot.chat.slack.routes import REQUEST_PATH
    from slipway.bot.chat.slack.settings import SlackTransport
    from slipway.bot.declared import declared

    if not 0 < len(name.strip()) <= MAX_NAME_LENGTH:
        raise click.BadParameter(f"Slack takes 1 to {MAX_NAME_LENGTH} characters", param_hint="--name")
    if url is not None and not url.startswith("https://"):
        raise click.BadParameter("Slack only takes addresses that begin with https://", param_hint="--url")
    if url is not None and not url.endswith(REQUEST_PATH):
        raise click.BadParameter(
            f"the bot listens at {REQUEST_PATH}, so the address ends so", param_hint="--url"
        )
    transport = SlackTransport.SOCKET if url is None else SlackTransport.HTTP
    forms = [
        form.shortcut for subject in in_plain_words(declared).registry.subjects for form in subject.forms
    ]
    made = app_manifest(name.strip(), transport, url or "", forms)
    click.echo(json.dumps(made, indent=2, ensure_ascii=False))
