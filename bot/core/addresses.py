"""Addresses of clouds and chats: encrypted, except on this machine, and with nothing in them but where to go."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from slipway.bot.core.problems import Problem, shown


def check_address(key: str, address: str) -> Iterator[Problem]:
    """What is wrong with the http(s) address at which paths begin: a name, password, query or fragment in it,
    unencrypted beyond this machine, or no address at all."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        port_fits = parts.port != 0
    except ValueError:
        host, port_fits = "", False
    if "@" in address:
        yield Problem(key, "there is a name or password in the address; take it out")
    elif "?" in address or "#" in address:  # not repeated either: a query may hold a key
        yield Problem(key, "there is a query or fragment in the address; take out what begins with ? or #")
    elif not host or not port_fits or parts.scheme not in ("http", "https"):
        yield Problem(key, f"{shown(address)} is not an address; write it like https://example.org")
    elif parts.scheme == "http" and not is_loopback(host):
        yield Problem(
            key, f"{shown(address)} is not encrypted; write https:// (http:// is for this machine only)"
        )


def is_loopback(host: str) -> bool:
    """Whether a host's name or address means this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
