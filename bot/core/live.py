"""Collections that are read anew at each use, for what a reload of the configuration may change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, overload

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")
ItemT = TypeVar("ItemT")


class LiveMapping(Mapping[KeyT, ValueT]):
    """A mapping as it is now.

    Args:
        read: gives it.
    """

    def __init__(self, read: Callable[[], Mapping[KeyT, ValueT]]) -> None:
        self._read = read

    def __getitem__(self, key: KeyT) -> ValueT:
        return self._read()[key]

    def __iter__(self) -> Iterator[KeyT]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


class LiveSequence(Sequence[ItemT]):
    """A sequence as it is now.

    Args:
        read: gives it.
    """

    def __init__(self, read: Callable[[], Sequence[ItemT]]) -> None:
        self._read = read

    @overload
    def __getitem__(self, index: int) -> ItemT: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ItemT]: ...

    def __getitem__(self, index: Any) -> Any:
        return self._read()[index]

    def __len__(self) -> int:
        return len(self._read())
