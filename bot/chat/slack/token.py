"""What Slack tells of the bot's token: whose it is. It tells no end: such a token has none, unless rotation is on.

Source: Slack's reference of ``auth.test``, whose answer holds no time; “Token rotation”.
"""

from __future__ import annotations

from slipway.bot.chat.declaration import TokenFacts
from slipway.bot.chat.slack.settings import SlackSettings
from slipway.bot.chat.slack.transport.web_api import WebApi


async def token_facts(settings: SlackSettings) -> TokenFacts:
    """Ask Slack.

    Raises:
        ChatError: the token is not accepted, or Slack could not be asked.
    """
    api = WebApi(settings)
    try:
        identity = await api.authenticate()
    finally:
        await api.close()
    return TokenFacts(f"@{identity.name} in {identity.team}")
