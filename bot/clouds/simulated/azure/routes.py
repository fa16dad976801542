"""Addresses of Resource Manager: which handler answers which, in any case of the letters.

ARM ignores case in a path, in names as in types; aiohttp's own router does not.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from slipway.bot.clouds.simulated.azure.errors import ArmError

Names = Mapping[str, str]
"""The names in a path, by what the template calls them."""

Handler = Callable[[web.Request, Names], Awaitable[web.Response]]

_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_SUBSCRIPTION}/resourceGroups/{{group}}"
_COMPUTE = "/providers/Microsoft.Compute"

SUBSCRIPTIONS = "/subscriptions"
SUBSCRIPTION = _SUBSCRIPTION
GROUP = _GROUP
_LOCKS = "/providers/Microsoft.Authorization/locks"
GROUP_LOCKS = f"{_GROUP}{_LOCKS}"
ALL_GALLERIES = f"{_SUBSCRIPTION}{_COMPUTE}/galleries"
GALLERIES = f"{_GROUP}{_COMPUTE}/galleries"
GALLERY = f"{GALLERIES}/{{gallery}}"
GALLERY_LOCKS = f"{GALLERY}{_LOCKS}"
DEFINITIONS = f"{GALLERY}/images"
DEFINITION = f"{DEFINITIONS}/{{image}}"
VERSIONS = f"{DEFINITION}/versions"
VERSION = f"{VERSIONS}/{{version}}"
VERSION_LOCK = f"{VERSION}{_LOCKS}/{{lock}}"
SOFT_DELETED = f"{GALLERY}/softDeletedArtifactTypes/images/artifacts/{{image}}/versions"
OPERATION = f"{_SUBSCRIPTION}{_COMPUTE}/locations/{{location}}/capsOperations/{{id}}"


_GALLERY_TYPE = re.compile(r"/providers/microsoft\.compute/galleries(.*)", re.IGNORECASE)


def gallery_type(path: str) -> str:
    """The type of what a path below galleries is about, such as ``galleries/images/versions``; empty elsewhere."""
    found = _GALLERY_TYPE.search(path)
    if found is None or "/providers/" in found[1].lower():
        return ""
    below = found[1].strip("/").split("/")
    return "/".join(("galleries", *below[1::2]))


@dataclass(frozen=True)
class _Route:
    path: re.Pattern[str]
    handlers: Mapping[str, Handler]


class Routes:
    """A table of addresses. The first that fits a path answers it."""

    def __init__(self) -> None:
        self._routes: list[_Route] = []

    def add(self, template: str, **handlers: Handler) -> None:
        """Answer an address, by the methods that are named; ``{name}`` is one part of a path, ``{name*}`` any."""
        path = re.sub(r"\\{(\w+)\\\*\\}", r"(?P<\1>.+)", re.escape(template))
        path = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", path)
        self._routes.append(_Route(re.compile(path, re.IGNORECASE), handlers))

    async def answer(self, request: web.Request) -> web.Response:
        """The handler's answer.

        Raises:
            ArmError: nothing of that kind is here, or it cannot be used that way.
        """
        path = re.sub("//+", "/", request.path).rstrip("/")  # azure-cli writes two before some types
        for route in self._routes:
            found = route.path.fullmatch(path)
            if found is None:
                continue
            handler = route.handlers.get(request.method)
            if handler is None:
                raise ArmError(405, "MethodNotAllowed", f"{request.method} is not supported here.")
            return await handler(request, found.groupdict())
        raise ArmError(404, "InvalidResourceType", "The resource type could not be found in the namespace.")
