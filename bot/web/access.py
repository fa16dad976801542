"""Who may read what at the listener of operators. Closed, unless the configuration says otherwise."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from http import HTTPStatus

from slipway.bot.config.http_settings import IpNetwork, OpsSettings, Pages
from slipway.bot.core.addresses import is_loopback
from slipway.bot.core.http.messages import HttpRequest, HttpResponse, Peer
from slipway.bot.core.http.routes import Handler

_FORWARDED = ("forwarded", "via", "x-real-ip")
_FORWARDED_PREFIX = "x-forwarded-"
"""Headers by which a proxy says that it asks for somebody else."""

_LONGEST_NAME = 200


class OpsAccess:
    """Decides by the address of whoever asks, and by the token where one is configured.

    Args:
        settings: whom the configuration lets in.
    """

    def __init__(self, settings: OpsSettings) -> None:
        self._networks = settings.networks
        token = settings.token
        self._token = b"" if token is None else token.get_secret_value().encode()
        self._pages = settings.pages
        self._proxies = settings.proxies
        self._user_header = settings.user_header

    def refusal(self, request: HttpRequest) -> HttpResponse | None:
        """What is answered to somebody who may read neither metrics nor details; None where they may."""
        if not _within(request.peer, self._networks) or (_is_forwarded(request) and not self._token):
            # Behind a proxy, everybody would come from the proxy's address.
            return HttpResponse.text(
                "This is not for your address: networks of [http.ops] says who may read it.",
                HTTPStatus.FORBIDDEN,
            )
        if not self._token and _is_local(request) and not is_loopback(_host(request)):
            # Another's page could have a browser on this machine ask, by a name of its own (DNS rebinding).
            return HttpResponse.text(
                "On this machine, ask by 127.0.0.1 or localhost; by another name it takes a token in [http.ops].",
                HTTPStatus.FORBIDDEN,
            )
        if self._token and not self._shows_token(request):
            headers = {"WWW-Authenticate": 'Bearer realm="slipway"'}
            return HttpResponse(HTTPStatus.UNAUTHORIZED, b"The token is missing or wrong.\n", headers=headers)
        return None

    def refusal_of_pages(self, request: HttpRequest) -> HttpResponse | None:
        """What is answered to somebody who may not read the pages; None where they may.

        The token is not asked for: a browser has none. On the bot's machine, the name by which the browser calls it
        has to be the machine's own: another's page could read these by a name of its own (DNS rebinding).
        """
        if self._pages is Pages.LOOPBACK:
            if _is_local(request) and not _is_forwarded(request) and is_loopback(_host(request)):
                return None
            said = 'This is for browsers on the bot\'s machine, by 127.0.0.1; pages = "proxy" is for others.'
        elif self._pages is Pages.PROXY:
            if _within(request.peer, self._proxies) and self.user(request):
                return None
            said = "This is for whom the proxy of [http.ops] lets in: ask by its address."
        else:
            return HttpResponse.text("Not found.", HTTPStatus.NOT_FOUND)
        return HttpResponse.text(said, HTTPStatus.FORBIDDEN)

    def user(self, request: HttpRequest) -> str:
        """Whom the proxy let in, by the name that it gives; empty where it gives none, or there is no proxy."""
        if self._pages is not Pages.PROXY:
            return ""
        if self._user_header.lower() in request.repeated:
            return ""  # whom the proxy named beside one that was sent to it: which is which, nobody can tell
        name = request.header(self._user_header).strip()
        return name if name.isprintable() and len(name) <= _LONGEST_NAME else ""

    def guarding(self, handler: Handler) -> Handler:
        """The same for those who may read metrics and details."""

        async def guarded(request: HttpRequest) -> HttpResponse:
            return self.refusal(request) or await handler(request)

        return guarded

    def guarding_pages(self, handler: Handler) -> Handler:
        """The same for those who may read the pages."""

        async def guarded(request: HttpRequest) -> HttpResponse:
            return self.refusal_of_pages(request) or await handler(request)

        return guarded

    def _shows_token(self, request: HttpRequest) -> bool:
        scheme, _, shown = request.header("Authorization").partition(" ")
        given = shown.strip().encode(errors="replace")
        # Compared whatever the scheme, so that the time tells nothing of either.
        right = hmac.compare_digest(given, self._token)
        return right and scheme.lower() == "bearer"


def _within(peer: Peer | None, networks: Iterable[IpNetwork]) -> bool:
    return peer is not None and any(peer in network for network in networks)


def _is_local(request: HttpRequest) -> bool:
    return request.peer is not None and request.peer.is_loopback


def _is_forwarded(request: HttpRequest) -> bool:
    return any(name in _FORWARDED or name.startswith(_FORWARDED_PREFIX) for name in request.headers)


def _host(request: HttpRequest) -> str:
    """The name by which the server was called, without its port and the brackets of IPv6."""
    host = request.header("Host")
    if host.startswith("["):
        return host.partition("]")[0].removeprefix("[")
    return host.partition(":")[0]
