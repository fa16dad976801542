"""`slipway slack`: what is needed to make the Slack app."""

from __future__ import annotations

import json

import click


@click.group()
def slack() -> None:
    """The bot's Slack app."""


@slack.command()
@click.option("--name", default="Slipway", show_default=True, help="What the bot is called.")
@click.option(
    "--url",
    metavar="URL",
    help="With HTTP instead of Socket Mode: where Slack finds the bot, like https://bot.example.org/slack/events.",
)
def manifest(name: str, url: str | None) -> None:
    """Print the app manifest, to paste into Slack as JSON (api.slack.com/apps → Create New App)."""
    from bot.chat.slack.manifest import manifest as make
    from bot.config.settings import SlackTransport

    if url is not None and not url.startswith("https://"):
        raise click.BadParameter("Slack only takes addresses that begin with https://", param_hint="--url")
    transport = SlackTransport.SOCKET if url is None else SlackTransport.HTTP
    click.echo(json.dumps(make(name, transport, url or ""), indent=2, ensure_ascii=False))
