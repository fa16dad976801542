"""``[http]``: the two listeners, and who may ask at that of operators."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import Field, PlainValidator

from slipway.bot.core.problems import shown
from slipway.bot.core.secret_text import Token
from slipway.bot.core.settings import Settings

LISTEN_PATTERN = r"^(\[[0-9A-Fa-f:.]+\]|[^:\s]+):\d{1,5}$"

PUBLIC_LISTEN = "127.0.0.1:3000"
"""Where what the world may ask is heard, where nothing else is written: what ``slack.listen`` always was."""

IpNetwork = IPv4Network | IPv6Network


def _network(value: object) -> IpNetwork:
    try:
        return ip_network(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(
            f"{shown(value)} is not a network; write it like 10.1.0.0/16, or one address like 10.1.2.3"
        ) from None


Network = Annotated[IpNetwork, PlainValidator(_network)]
"""Written as ``10.1.0.0/16``; an address alone stands for itself."""

THIS_MACHINE: tuple[IpNetwork, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


class Pages(StrEnum):
    """Who may read the pages below ``/ui``."""

    OFF = "off"  # nobody: they are not there
    LOOPBACK = "loopback"  # whoever is on the bot's machine
    PROXY = "proxy"  # whom a proxy that logs people in sends on, with their name in a header


class OpsSettings(Settings):
    """``[http.ops]``: health, metrics and pages, for those who run the bot."""

    listen: str = Field(
        "127.0.0.1:9464", pattern=LISTEN_PATTERN, description="a host and a port, like 127.0.0.1:9464"
    )
    networks: tuple[Network, ...] = THIS_MACHINE  # who may read metrics and details, by address
    token: Token | None = None  # which they then show as well
    pages: Pages = Pages.OFF
    proxies: tuple[Network, ...] = ()  # whose header is believed
    user_header: str = Field(
        "",
        pattern=r"^$|^[A-Za-z][A-Za-z0-9-]{0,63}$",
        description="the name of a header, like X-Forwarded-User",
    )


class PublicSettings(Settings):
    """``[http.public]``: what the world may reach, such as Slack's requests."""

    listen: str = Field(
        PUBLIC_LISTEN, pattern=LISTEN_PATTERN, description=f"a host and a port, like {PUBLIC_LISTEN}"
    )


class HttpSettings(Settings):
    """``[http]``: one server with two listeners. Each is open only where something is to be heard there."""

    ops: OpsSettings | None = None
    public: PublicSettings | None = None


def host_of(listen: str) -> str:
    """The host of an address to listen on, without the brackets of IPv6."""
    return listen.rpartition(":")[0].strip("[]")


def port_of(listen: str) -> int:
    """The port of an address to listen on; 0 for any that is free."""
    return int(listen.rpartition(":")[2])


def same_place(one: str, other: str) -> bool:
    """Whether two addresses to listen on take the same port of the same host, as far as the text tells."""
    if not port_of(one) or port_of(one) != port_of(other):
        return False
    return host_of(one) == host_of(other) or is_any_address(one) or is_any_address(other)


def is_any_address(listen: str) -> bool:
    """Whether an address to listen on stands for all of the machine's."""
    return host_of(listen) in ("0.0.0.0", "::", "*")  # noqa: S104 - compared, not listened on
