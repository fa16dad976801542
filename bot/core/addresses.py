"""Addresses of clouds and chats: encrypted, except on this machine, and without a password in them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from slipway.bot.core.problems import Problem, shown


def check_address(key: str, address: str) -> Iterator[Problem]:
    """What is wrong with an http(s) address: a password in it, unencrypted beyond this machine, or none at all."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        port_fits = parts.port != 0
    except ValueError:
        host, port_fits = "", False
    if "@" in address:
        yield Problem(key, "there is a name or password in the address; take it out")
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
