"""What is wrong with ``[http]``, and what is odd about it."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.bot.config.http_settings import (
    THIS_MACHINE,
    HttpSettings,
    OpsSettings,
    Pages,
    host_of,
    is_any_address,
    port_of,
    same_place,
)
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.config.spec import ConfigSpec, enabled_chats
from slipway.bot.core.addresses import is_loopback
from slipway.bot.core.problems import Problem, shown

LEAST_TOKEN = 20
"""Characters of a token: fewer can be guessed."""


def http_problems(settings: SlipwaySettings, spec: ConfigSpec, *, secrets: bool) -> Iterator[Problem]:
    """The mistakes in ``[http]``, and between it and the chats whose platforms are heard there.

    Args:
        settings: the configuration as far as it is right.
        spec: what slipway.toml may speak of.
        secrets: whether secrets are looked at; not where one could not be read, which is told already.
    """
    yield from _problems(settings.http, secrets=secrets)
    for chat, table in enabled_chats(settings, spec):
        listen = chat.listen(table)
        if listen and chat.routes(table):
            yield from _former_listen(f"{chat.platform}.listen", listen, settings.http)


def http_warnings(settings: SlipwaySettings, spec: ConfigSpec) -> Iterator[Problem]:
    """What is allowed in ``[http]`` and hardly meant, and what is written elsewhere by now."""
    enabled = [(chat, table) for chat, table in enabled_chats(settings, spec) if chat.routes(table)]
    yield from _warnings(settings.http, asked_for=bool(enabled))
    for chat, table in enabled:
        if listen := chat.listen(table):
            said = f"is written as listen = {shown(listen)} of [http.public] by now; it counts here, too, for now"
            yield Problem(f"{chat.platform}.listen", said)


def _problems(http: HttpSettings, *, secrets: bool) -> Iterator[Problem]:
    """The mistakes in ``[http]`` that show from several of its keys.

    Args:
        http: the tables.
        secrets: whether secrets are looked at; not where one could not be read, which is told already.
    """
    for name, table in (("ops", http.ops), ("public", http.public)):
        if table is not None and port_of(table.listen) > 65535:
            yield Problem(f"http.{name}.listen", f"{shown(table.listen)} has a port beyond 65535")
    ops = http.ops
    if ops is None:
        return
    if secrets and ops.token is not None and len(ops.token.get_secret_value()) < LEAST_TOKEN:
        said = (
            f"has fewer than {LEAST_TOKEN} characters, so it can be guessed; `openssl rand -hex 32` makes one"
        )
        yield Problem("http.ops.token", said)
    if http.public is not None and same_place(ops.listen, http.public.listen):
        yield Problem("http.public.listen", "is where [http.ops] listens; give each its own port")
    yield from _page_problems(ops)


def _page_problems(ops: OpsSettings) -> Iterator[Problem]:
    """The mistakes in who may read the pages."""
    if ops.pages is Pages.PROXY:
        if not ops.proxies:
            said = 'is empty, so nobody could read the pages; name the proxy\'s address, like ["10.1.2.3"]'
            yield Problem("http.ops.proxies", said)
        if not ops.user_header:
            said = (
                "is missing; write the header in which the proxy names whom it let in, like X-Forwarded-User"
            )
            yield Problem("http.ops.user_header", said)
    elif ops.proxies or ops.user_header:
        key = "proxies" if ops.proxies else "user_header"
        yield Problem(f"http.ops.{key}", 'is for pages = "proxy" alone; write that, or take this key out')
    if (
        ops.pages is Pages.LOOPBACK
        and not is_loopback(host_of(ops.listen))
        and not is_any_address(ops.listen)
    ):
        said = f'"loopback" lets only this machine read, and {shown(ops.listen)} is not reached from it by 127.0.0.1'
        yield Problem("http.ops.pages", f'{said}; listen on 127.0.0.1, or write "proxy"')


def _former_listen(key: str, listen: str, http: HttpSettings) -> Iterator[Problem]:
    """What is wrong with the address that a chat's own table names, as all did before there was ``[http.public]``."""
    if port_of(listen) > 65535:
        yield Problem(key, f"{shown(listen)} has a port beyond 65535")
    if http.public is not None and http.public.listen != listen:
        said = f"[http.public] says {shown(http.public.listen)}, and this says {shown(listen)}; take this key out"
        yield Problem(key, said)
    elif http.public is None and http.ops is not None and same_place(http.ops.listen, listen):
        yield Problem(key, "is where [http.ops] listens; give each its own port")


def _warnings(http: HttpSettings, *, asked_for: bool) -> Iterator[Problem]:
    """What is allowed and hardly meant. ``asked_for`` says whether anything is to be heard from the world."""
    if http.public is not None and not asked_for:
        yield Problem("http.public", 'nothing is heard there: that takes [slack] with transport = "http"')
    ops = http.ops
    if ops is not None and ops.networks == THIS_MACHINE and not is_loopback(host_of(ops.listen)):
        said = 'only this machine may read metrics; name who collects them, like ["10.1.0.0/16"]'
        yield Problem("http.ops.networks", said)
    everybody = [] if ops is None else [each for each in ops.networks if each.prefixlen == 0]
    if ops is not None and everybody and ops.token is None:
        said = f"{everybody[0]} is everybody, and nobody has to show a token; name a token_file"
        yield Problem("http.ops.networks", said)
