"""Keeps DBOS from reading pickles, which are programs.

A serializer of our own is not enough: each stored row names the one that it was written by, and DBOS 3.4 takes its
own for a row that says ``py_pickle``, whatever it was given. So whoever can write into the workflow database could
have the bot run what they like.
"""

from __future__ import annotations

from typing import NoReturn


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
