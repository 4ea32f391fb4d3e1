"""What may be forgotten when there is too much of it: of all that came between two looks, the newest of each key is kept."""

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """The newest value of each key since `take`."""

    def __init__(self) -> None:
        self._found: dict[Hashable, T] = {}

    def put(self, key: Hashable, value: T) -> int:
        """Replace what there is of this key; returns how many values that drops."""
        dropped = int(key in self._found)
        self._found[key] = value
        return dropped

    def take(self) -> list[T]:
        """All of them, each key at the place where it came first."""
        found = list(self._found.values())
        self._found.clear()
        return found
