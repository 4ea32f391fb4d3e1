"""Faults on demand: what can be broken while a venue runs.

Some strike once what is connected now; the others hold for `seconds` of the venue's watch, or until they are cleared.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FaultKind(StrEnum):
    """What goes wrong. `count` and `seconds` are of the fault; what has no use for them says nothing of them.

    Once, to the connections and streams there are now:
    `disconnect` drops every connection. `notice` announces the end of each connection, as the venue does, and ends it
    after `seconds`. `garbage` sends what the venue never sends, `binary` bytes that are no text, `huge` a frame of `count`
    kilobytes. `skip` withholds the next `count` trades (of an `instrument`, or of each) from the websocket and keeps them
    in REST; `duplicate` sends the last `count` trades again; `reorder` sends the next `count` trades last first;
    `book_break` leaves out the next `count` changes of a book.

    For `seconds`:
    `silence` accepts connections and requests and says nothing at all, and what it did not say is lost;
    `heartbeats_only` does so too, but answers and sends heartbeats. `stale` begins every new subscription to trades with
    `count` trades that are hours old. `rate_limit` answers every request with 429 and `Retry-After`, and refuses
    connections where the venue does so; `server_error` answers with the venue's 5xx. `maintenance` is the venue's own way
    to be closed. `slow_drip` lets `count` bytes a hundredth of a second through on each connection; `half_open` leaves the
    connections of now without a sign of life though their sockets stay open, and resets them at its end. `clock_skew` puts
    the clock that the venue stamps its messages with off by `count` milliseconds, or back where that is below zero;
    the trades' own times stay what they are.
    """

    DISCONNECT = "disconnect"
    NOTICE = "notice"
    GARBAGE = "garbage"
    BINARY = "binary"
    HUGE = "huge"
    SKIP = "skip"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    BOOK_BREAK = "book_break"
    SILENCE = "silence"
    HEARTBEATS_ONLY = "heartbeats_only"
    STALE = "stale"
    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    MAINTENANCE = "maintenance"
    SLOW_DRIP = "slow_drip"
    HALF_OPEN = "half_open"
    CLOCK_SKEW = "clock_skew"


ONCE: Final = frozenset(FaultKind) - {
    FaultKind.SILENCE,
    FaultKind.HEARTBEATS_ONLY,
    FaultKind.STALE,
    FaultKind.RATE_LIMIT,
    FaultKind.SERVER_ERROR,
    FaultKind.MAINTENANCE,
    FaultKind.SLOW_DRIP,
    FaultKind.HALF_OPEN,
    FaultKind.CLOCK_SKEW,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `seconds` are the venue's, no `instrument` (the venue's own name) means all of them."""

    kind: FaultKind
    count: int = 1
    seconds: float = 1.0
    instrument: str | None = None


class Faults:
    """Which lasting faults a venue suffers. Every time is in seconds of its watch."""

    def __init__(self) -> None:
        self._until: dict[FaultKind, tuple[float, Fault]] = {}

    def begin(self, fault: Fault, seconds: float) -> None:
        """Let a lasting fault begin; it replaces one of its kind that holds already."""
        self._until[fault.kind] = (seconds + fault.seconds, fault)

    def holding(self, kind: FaultKind, seconds: float) -> Fault | None:
        """Return the fault of that kind that holds at a time."""
        until, fault = self._until.get(kind, (0.0, None))
        return fault if seconds < until else None

    def left(self, kind: FaultKind, seconds: float) -> float:
        """How long a fault of that kind still holds; 0 when none does."""
        until, _ = self._until.get(kind, (seconds, None))
        return max(0.0, until - seconds)

    def any_of(self, kinds: tuple[FaultKind, ...], seconds: float) -> bool:
        """Whether one of several kinds holds."""
        return any(self.holding(kind, seconds) is not None for kind in kinds)

    def clear(self) -> None:
        """End all of them."""
        self._until.clear()
