"""Faults on demand: what can be broken while the venue runs."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What goes wrong.

    `disconnect` drops every connection; `silence` accepts connections and says nothing for `seconds` of real time but
    answers heartbeats, and what it did not say is lost; `garbage` sends a cut frame, a frame of an unknown channel and
    a binary frame; `duplicate` sends the last `count` trades again; `skip` withholds the next `count` trades from the
    websocket and keeps them in REST; `notice` announces the end of the connection and ends it after `seconds`.
    """

    DISCONNECT = "disconnect"
    SILENCE = "silence"
    GARBAGE = "garbage"
    DUPLICATE = "duplicate"
    SKIP = "skip"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `count` is of trades an instrument, `seconds` are real, no `instrument` means all of them."""

    kind: FaultKind
    count: int = 1
    seconds: float = 1.0
    instrument: str | None = None


class Silence:
    """Until when the whole venue is silent; `monotonic` gives real seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until = float("-inf")

    def begin(self, seconds: float) -> None:
        """Be silent from now on, for so long."""
        self._until = self._monotonic() + seconds

    def __bool__(self) -> bool:
        return self._monotonic() < self._until
