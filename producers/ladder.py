"""What is done about streams that the venue does not tell though it trades: more each time that it is found out."""

from collections.abc import Collection
from typing import Final, Literal

from msgspec import Struct

_NAMED: Final = 3
_RECONNECT: Final = 2  # the rung on which a connection is made anew; on the next one it leads elsewhere, then it is left in peace


class Step(Struct, frozen=True):
    """What to do about these instruments of one connection, at a rung of the ladder."""

    act: Literal["resubscribe", "reconnect", "next host"]
    market_ids: tuple[str, ...]
    rung: int

    @property
    def named(self) -> str:
        """Some of them, for people."""
        more = len(self.market_ids) - _NAMED
        return ", ".join(self.market_ids[:_NAMED]) + (f" and {more} more" if more > 0 else "")


class Ladder:
    """Of one session. One deaf instrument ends the connection that it shares with others twice at most."""

    def __init__(self) -> None:
        self._rungs: dict[str, int] = {}
        self._deaf: set[str] = set()

    @property
    def waiting(self) -> bool:
        """Whether there is anything to be done."""
        return bool(self._deaf)

    def found(self, market_id: str, rung: int) -> None:
        """How often in a row REST knew trades of an instrument that we were not sent."""
        if rung > self._rungs.get(market_id, 0):
            self._deaf.add(market_id)
        self._rungs[market_id] = rung

    def step(self, carried: Collection[str]) -> Step | None:
        """What to do now on a connection that carries these instruments; None when it has told all that it should."""
        here = tuple(sorted(self._deaf.intersection(carried)))
        if not here:
            return None
        self._deaf.difference_update(here)
        rung = max(self._rungs[market_id] for market_id in here)
        if rung == _RECONNECT or (rung < _RECONNECT and 1 < len(carried) < 2 * len(here)):
            return Step("reconnect", here, rung)
        return Step("next host" if rung == _RECONNECT + 1 else "resubscribe", here, rung)
