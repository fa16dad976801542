"""``[slack]`` of slipway.toml."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from slipway.bot.core.secret_text import Token
from slipway.bot.core.settings import Duration, Settings


class SlackTransport(StrEnum):
    """How events reach the bot."""

    SOCKET = "socket"  # Socket Mode: the bot calls Slack, and no port is open
    HTTP = "http"  # Slack calls the bot, with signed requests


class SlackSettings(Settings):
    """``[slack]``: the app, and the channels it works in."""

    bot_token: Token | None = None
    app_token: Token | None = None  # for Socket Mode
    signing_secret: Token | None = None  # for HTTP
    transport: SlackTransport = SlackTransport.SOCKET
    listen: str | None = Field(  # of before [http.public]
        None,
        pattern=r"^(\[[0-9A-Fa-f:.]+\]|[^:\s]+):\d{1,5}$",
        description="a host and a port, like 127.0.0.1:3000",
    )
    teams: tuple[str, ...] = ()  # other workspaces whose people are believed
    channels: tuple[str, ...] = Field(  # elsewhere the bot only answers questions
        (), description="the channels in which changes may be asked for, by id (C0123456789)"
    )
    changes_in_direct: bool = False
    home_channel: str | None = None  # see `home`
    endpoint: str | None = None
    request_timeout: Duration = timedelta(seconds=20)
    groups_refresh: Duration = timedelta(minutes=5)

    @property
    def home(self) -> str | None:
        """The channel that answers what is asked for outside any channel; None stands for a direct message."""
        if self.home_channel is not None or self.changes_in_direct:
            return self.home_channel
        return next(iter(self.channels), None)

    @property
    def api_url(self) -> str:
        """Where the Web API is, with a slash behind it."""
        return f"{(self.endpoint or 'https://slack.com/api').rstrip('/')}/"
