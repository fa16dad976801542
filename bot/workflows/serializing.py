"""How values stand in the workflow database: as JSON, and never as pickles, which are programs.

A serializer of our own is not enough: each stored row names the one that it was written by, and DBOS 3.4 takes its
own for a row that says ``py_pickle``, whatever it was given. So whoever can write into the workflow database could
have the bot run what they like.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from slipway.bot.core.model import Json

if TYPE_CHECKING:
    from dbos import Serializer


class PickleError(TypeError):
    """A stored value says that it is a pickle. Slipway writes none."""


def refuse_pickles() -> None:
    """From now on no stored value is unpickled in this process.

    A :class:`TypeError` is what DBOS itself raises for a serializer that it does not know.
    """
    from dbos._serialization import DefaultSerializer

    def refuse(cls: DefaultSerializer, serialized_data: str) -> NoReturn:
        raise PickleError("what is stored is a pickle, which Slipway never reads")

    DefaultSerializer.deserialize = refuse  # type: ignore[method-assign]


def serializer() -> Serializer:
    """How values are stored; from now on nothing in this process is read in another way."""
    from dbos import Serializer

    refuse_pickles()

    class JsonSerializer(Serializer):
        """JSON and nothing else: what stands in the database can never become code, as pickle would."""

        def serialize(self, data: Any) -> str:
            return json.dumps(data, default=_describe_error)

        def deserialize(self, serialized_data: str) -> Any:
            return json.loads(serialized_data)

        def name(self) -> str:
            return "slipway_json"

    return JsonSerializer()


def _describe_error(value: object) -> Json:
    if isinstance(value, BaseException):
        return {"error": type(value).__name__}  # the words may hold what must not be stored
    raise TypeError(f"{type(value).__name__} cannot be stored with a workflow")
