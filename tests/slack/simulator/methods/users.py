"""The Web API's methods about people, groups, teams, bots and the token itself."""

from __future__ import annotations

from tests.slack.simulator.calls import ApiError, Args, require
from tests.slack.simulator.core import Core
from tests.slack.simulator.methods.conversations import page
from tests.slack.simulator.people.interactions import ORGANISATION_NAME
from tests.slack.simulator.world import Json


async def auth_test(core: Core, args: Args) -> Json:
    """``auth.test``"""
    del args
    app, team = core.app, core.world.teams[core.home]
    wide = app.organisation_wide
    return {
        "ok": True,
        "url": f"https://{team.domain}{'.enterprise' if wide else ''}.slack.com/",
        "team": ORGANISATION_NAME if wide else team.name,
        "user": core.world.users[app.bot_user].name,
        "team_id": app.organisation if wide else team.id,
        "user_id": app.bot_user,
        "bot_id": app.bot_id,
        "is_enterprise_install": wide,
        **({"enterprise_id": app.organisation} if app.organisation else {}),
    }


async def list_teams(core: Core, args: Args) -> Json:
    """``auth.teams.list``: the workspaces that the app was added to"""
    found = [core.world.teams[name] for name in sorted(core.app.workspaces)]
    part, cursor = page(found, args, 100)
    teams = [{"id": team.id, "name": team.name} for team in part]
    return {"ok": True, "teams": teams, "response_metadata": {"next_cursor": cursor}}


def _workspace(core: Core, args: Args) -> str:
    """Of which workspace a call asks: where the app is installed for an organisation, it has to say so."""
    if not core.app.organisation_wide:
        return core.home  # what is given beside is not looked at
    if not (team := args.text("team_id")):
        raise ApiError("missing_argument")
    if team not in core.app.workspaces:
        raise ApiError("invalid_team")
    return team


async def team_info(core: Core, args: Args) -> Json:
    """``team.info``, of any team that the app meets"""
    require(core, "team:read")
    team = core.world.teams.get(args.text("team") or core.home)
    if team is None:
        raise ApiError("team_not_found")
    return {"ok": True, "team": {"id": team.id, "name": team.name, "domain": team.domain}}


async def bot_info(core: Core, args: Args) -> Json:
    """``bots.info``"""
    require(core, "users:read")
    if args.text("bot") != core.app.bot_id:
        raise ApiError("bot_not_found")
    bot = {
        "id": core.app.bot_id,
        "deleted": False,
        "name": core.app.name,
        "app_id": core.app.id,
        "user_id": core.app.bot_user,
    }
    return {"ok": True, "bot": bot}


async def user_info(core: Core, args: Args) -> Json:
    """``users.info``"""
    require(core, "users:read")
    name = args.need("user")
    user = core.visible_users().get(name)
    if user is None:
        raise ApiError("user_not_visible" if name in core.world.users else "user_not_found")
    return {"ok": True, "user": user.shown(core.app)}


async def list_groups(core: Core, args: Args) -> Json:
    """``usergroups.list``"""
    require(core, "usergroups:read")
    team, disabled = _workspace(core, args), args.flag("include_disabled")
    users, count = args.flag("include_users"), args.flag("include_count")
    found = [
        group
        for group in core.world.groups.values()
        if group.team == team and (disabled or not group.disabled_at)
    ]
    return {"ok": True, "usergroups": [group.shown(users=users, count=count) for group in found]}


async def list_group_users(core: Core, args: Args) -> Json:
    """``usergroups.users.list``"""
    require(core, "usergroups:read")
    team, group = _workspace(core, args), core.world.groups.get(args.need("usergroup"))
    if group is None or group.team != team or (group.disabled_at and not args.flag("include_disabled")):
        raise ApiError("no_such_subteam")
    return {"ok": True, "users": list(group.users)}
