"""Whom the adapter believes to be who they are, and where it lets changes be asked for."""

from __future__ import annotations

from collections.abc import Collection

from slipway.bot.chat.model import Assurance
from slipway.bot.chat.slack.ids import UNKNOWN_WORKSPACE, is_direct
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.chat.slack.settings import SlackSettings

DIRECT_MESSAGE_DOUBT = (
    "I change nothing on the strength of a direct message, which nobody else sees. Ask in a channel that "
    "`slack.channels` names."
)


def introduction(account: str) -> str:
    """What whoever runs Slipway does for somebody whom the configuration does not know to become known.

    Other companies' people are told no ids, nor what the configuration calls things.
    """
    team = account.partition("/")[2]
    if team == UNKNOWN_WORKSPACE:
        return (
            "Slack did not say of which workspace you are; try again in a minute. If that does not help, "
            "`slipway doctor` tells whoever runs Slipway why."
        )
    if team:
        return "You are of another workspace; whoever runs Slipway decides whether to let you in."
    return f"Whoever runs Slipway can add `{SLACK}:{account}` to a person's identities."


class TrustPolicy:
    """The rules of one configuration in one workspace, or in those of one organisation.

    Args:
        settings: which workspaces and channels the configuration names.
        own: the workspaces that the app is installed in.
        enterprise: the organisation that they are part of; empty outside Enterprise Grid.
    """

    def __init__(self, settings: SlackSettings, own: Collection[str], enterprise: str = "") -> None:
        self._settings = settings
        self.own = frozenset(own)
        self.in_organisation = bool(enterprise)
        # An organisation has many workspaces: its name alone speaks neither for nor against anybody.
        self._vague = frozenset({"", enterprise} - set(settings.teams))

    def account(self, user: str, *teams: str, around: tuple[str, ...] = ()) -> str:
        """The account to take somebody for.

        Somebody of a workspace that is not believed, or of none that is told, is ``U…/T…``: nobody whom the
        configuration knows by ``U…`` alone, since another workspace's administrator decides who that is.

        Args:
            user: their id.
            teams: the workspaces that Slack names as theirs; all of them have to be believed.
            around: the workspaces that it names where it may mean the receiver: they have to be believed, too,
                but prove nothing.
        """
        named = [team for team in teams if team not in self._vague]
        for team in (*named, *(team for team in around if team not in self._vague)):
            if team not in self.own and team not in self._settings.teams:
                return f"{user}/{team}"
        return user if named else f"{user}/{UNKNOWN_WORKSPACE}"

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
