"""`slipway slack`: what is needed to make the Slack app."""

from __future__ import annotations

import json

import click


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
    from slipway.bot.chat.slack.manifest import LONGEST_NAME
    from slipway.bot.chat.slack.manifest import manifest as make
    from slipway.bot.chat.slack.values import PATH
    from slipway.bot.config.settings import SlackTransport

    if not 0 < len(name.strip()) <= LONGEST_NAME:
        raise click.BadParameter(f"Slack takes 1 to {LONGEST_NAME} characters", param_hint="--name")
    if url is not None and not url.startswith("https://"):
        raise click.BadParameter("Slack only takes addresses that begin with https://", param_hint="--url")
    if url is not None and not url.endswith(PATH):
        raise click.BadParameter(f"the bot listens at {PATH}, so the address ends so", param_hint="--url")
    transport = SlackTransport.SOCKET if url is None else SlackTransport.HTTP
    click.echo(json.dumps(make(name.strip(), transport, url or ""), indent=2, ensure_ascii=False))
