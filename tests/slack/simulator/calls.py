"""The arguments of a Web API call, and the errors that it ends in."""

from __future__ import annotations

import json
from typing import Any

from tests.slack.simulator.core import Core
from tests.slack.simulator.world import Channel, ChannelKind, Json


class ApiError(Exception):
    """A call ends in ``ok: false``."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more

    @property
    def body(self) -> Json:
        """The answer."""
        return {"ok": False, "error": self.code, **self.more}


def invalid(code: str, complaints: list[str]) -> ApiError:
    """An error with the complaints that Slack lists in ``response_metadata.messages``."""
    return ApiError(
        code, errors=complaints, response_metadata={"messages": [f"[ERROR] {c}" for c in complaints]}
    )


def warned(*names: str) -> Json:
    """What an answer says besides, where Slack has something to remark."""
    return {"warning": ",".join(names), "response_metadata": {"warnings": list(names)}}


class Args:
    """The arguments of one call, wherever they came in."""

    def __init__(self, given: Json) -> None:
        self.given = given

    def text(self, name: str, default: str = "") -> str:
        """An argument as text."""
        value = self.given.get(name)
        return default if value is None else str(value)

    def need(self, name: str) -> str:
        """An argument that must be there."""
        if not self.text(name):
            raise invalid("invalid_arguments", [f"missing required field: {name}"])
        return self.text(name)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A truth value, as JSON or as the words of forms."""
        value = self.given.get(name)
        return default if value is None else value in (True, 1, "1", "true", "True")

    def number(self, name: str, default: int) -> int:
        """A whole number."""
        try:
            return int(self.given.get(name) or default)
        except (TypeError, ValueError):
            raise invalid("invalid_arguments", [f"must be a number [json-pointer:/{name}]"]) from None

    def json(self, name: str, error: str = "invalid_arguments") -> Any:
        """A structure, as itself (JSON bodies) or written as JSON text (forms); ``None`` where it is not given."""
        value = self.given.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            raise invalid(error, [f"must be valid JSON [json-pointer:/{name}]"]) from None


_KIND_SCOPE = {ChannelKind.PUBLIC: "channels", ChannelKind.PRIVATE: "groups", ChannelKind.DIRECT: "im"}


def require(core: Core, *scopes: str) -> None:
    """Refuse unless one of the scopes is granted."""
    if not core.app.scopes.intersection(scopes):
        raise ApiError("missing_scope", needed=",".join(scopes), provided=",".join(sorted(core.app.scopes)))


def find_channel(core: Core, name: str, *, scope: str = "") -> Channel:
    """A channel that the bot may know of. ``scope`` such as ``history`` must be granted for its kind."""
    channel = core.world.named(name)
    if channel is None or (channel.kind is not ChannelKind.PUBLIC and not core.bot_sees(channel)):
        raise ApiError("channel_not_found")
    if scope:
        require(core, f"{_KIND_SCOPE[channel.kind]}:{scope}")
    return channel


def require_member(core: Core, channel: Channel) -> Channel:
    """The channel, if the bot is a member of it."""
    if not core.bot_sees(channel):
        raise ApiError("not_in_channel")
    return channel
