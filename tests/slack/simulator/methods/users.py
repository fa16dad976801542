"""The Web API's methods about people, groups, teams, bots and the token itself."""

from __future__ import annotations

from tests.slack.simulator.calls import ApiError, Args, require
from tests.slack.simulator.core import Core
from tests.slack.simulator.world import Json


async def auth_test(core: Core, args: Args) -> Json:
    """``auth.test``"""
    del args
    team = core.world.teams[core.home]
    return {
        "ok": True,
        "url": f"https://{team.domain}.slack.com/",
        "team": team.name,
        "user": core.world.users[core.app.bot_user].name,
        "team_id": team.id,
        "user_id": core.app.bot_user,
        "bot_id": core.app.bot_id,
        "is_enterprise_install": False,
        **({"enterprise_id": core.app.organisation} if core.app.organisation else {}),
    }


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
    return {"ok": True, "user": user.shown(core.home)}


async def list_groups(core: Core, args: Args) -> Json:
    """``usergroups.list``"""
    require(core, "usergroups:read")
    users, disabled = args.flag("include_users"), args.flag("include_disabled")
    found = [group for group in core.world.groups.values() if disabled or not group.disabled_at]
    return {"ok": True, "usergroups": [group.shown(users=users) for group in found]}


async def list_group_users(core: Core, args: Args) -> Json:
    """``usergroups.users.list``"""
    require(core, "usergroups:read")
    group = core.world.groups.get(args.need("usergroup"))
    if group is None or (group.disabled_at and not args.flag("include_disabled")):
        raise ApiError("no_such_subteam")
    return {"ok": True, "users": list(group.users)}
