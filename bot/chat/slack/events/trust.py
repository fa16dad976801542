"""Whom the adapter believes to be who they are, and where it lets changes be asked for."""

from __future__ import annotations

from slipway.bot.chat.model import Assurance
from slipway.bot.chat.slack.ids import is_direct
from slipway.bot.chat.slack.settings import SlackSettings

DIRECT_MESSAGE_DOUBT = (
    "I change nothing on the strength of a direct message, which nobody else sees. Ask in a channel that "
    "`slack.channels` names."
)


class TrustPolicy:
    """The rules of one configuration in one workspace.

    Args:
        settings: which workspaces and channels the configuration names.
        team: the app's own workspace.
    """

    def __init__(self, settings: SlackSettings, team: str) -> None:
        self._settings = settings
        self._teams = frozenset({team, *settings.teams})

    def account(self, user: str, *teams: str) -> str:
        """The account to take somebody for.

        Somebody of a workspace that is not believed, or of none that is told, is ``U…/T…``: nobody whom the
        configuration knows by ``U…`` alone, since another workspace's administrator decides who that is.
        """
        foreign = next((team for team in teams if team and team not in self._teams), None)
        if foreign is not None:
            return f"{user}/{foreign}"
        return user if any(teams) else f"{user}/T000"

    def assurance(self, channel: str) -> tuple[Assurance, str]:
        """How far what reaches the bot in a channel may change something, and why not further."""
        if is_direct(channel):
            return (
                (Assurance.FULL, "")
                if self._settings.changes_in_direct
                else (Assurance.REFUSED, DIRECT_MESSAGE_DOUBT)
            )
        if channel in self._settings.channels:
            return Assurance.FULL, ""
        sentence = (
            f"In this channel I only answer questions. Ask in a channel that `slack.channels` names, or have "
            f"`{channel}` added to it."
        )
        return Assurance.REFUSED, sentence
