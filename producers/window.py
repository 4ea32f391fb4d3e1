"""Where ids do not show what is missing: the trades that REST has not confirmed yet, and how its page compares with them."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final, NamedTuple, Self

from producers.dialect import Trade
from producers.outcome import Position

_ID: Final = attrgetter("id")
_FORGOTTEN_MS: Final = 86_400_000


class Lost(NamedTuple):
    """Trades that REST has and we have not, and the trades known around them; no `right` when they are the newest."""

    left: Trade | None
    right: Trade | None
    trades: list[Trade]


class Compared(NamedTuple):
    """What a page of REST says of the trades known.

    `unverified`: the two trades between which it does not tell, as it does not reach back so far. `upto`: the newest trade that
    it confirms. `reached`: venue time (ms) before which nothing is missing once what was lost is found; 0 when it says nothing.
    """

    lost: list[Lost]
    unverified: tuple[Trade, Trade] | None
    upto: Trade | None
    reached: int


class Window:
    """Trades by rising ids, from the last confirmed (`floor`) on; at or below it every trade is known."""

    def __init__(self, floor: Trade | None, recent: Iterable[Trade] = ()) -> None:
        self.floor = floor
        self._trades = sorted((trade for trade in recent if floor is None or trade.id > floor.id), key=_ID)
        self._late: dict[int, Trade] = {}

    @classmethod
    def resumed(cls, at: Position) -> Self:
        """The floor is the newest trade that the watermark has passed: everything before it was confirmed."""
        passed = [trade for trade in at.recent if trade.time < at.watermark]
        if passed:
            floor: Trade | None = max(passed, key=_ID)
        else:
            floor = min(at.recent, key=_ID) if at.recent else at.last
        return cls(floor, at.recent)

    @property
    def start(self) -> Trade | None:
        """The trade after which REST has anything to confirm: the last confirmed, or the first of all."""
        return self.floor or (self._trades[0] if self._trades else None)

    def append(self, trades: Sequence[Trade]) -> None:
        """Trades above all that are known."""
        self._trades.extend(trades)

    def insert(self, trades: Iterable[Trade]) -> None:
        """Trades in their places."""
        for trade in trades:
            if not self.knows(trade.id):
                insort(self._trades, trade, key=_ID)

    def remember(self, trade: Trade) -> bool:
        """A trade that others have overtaken waits for REST, which may know more of them. Returns whether it is a new one."""
        new = trade.id not in self._late
        self._late[trade.id] = trade
        return new

    @property
    def waits(self) -> bool:
        """Whether REST is to be asked about such trades."""
        return bool(self._late)

    def take_late(self) -> list[Lost]:
        """Such trades by rising ids, without REST."""
        late, self._late = sorted(self._late.values(), key=_ID), {}
        return self._lost(late)

    def knows(self, trade_id: int) -> bool:
        """Whether an id is known, or below all that is told apart."""
        if self.floor is not None and trade_id <= self.floor.id:
            return True
        at = bisect_left(self._trades, trade_id, key=_ID)
        return at < len(self._trades) and self._trades[at].id == trade_id

    def around(self, trade_id: int) -> tuple[Trade | None, Trade | None]:
        """The trades known next to an id that is not."""
        at = bisect_left(self._trades, trade_id, key=_ID)
        left = self._trades[at - 1] if at else self.floor
        return left, self._trades[at] if at < len(self._trades) else None

    def confirm(self, upto: Trade) -> None:
        """Every trade up to this one is known."""
        if self.floor is None or upto.id > self.floor.id:
            del self._trades[: bisect_right(self._trades, upto.id, key=_ID)]
            self._late = {key: trade for key, trade in self._late.items() if key > upto.id}
            self.floor = upto

    def shorten(self, most: int) -> None:
        """Where nobody confirms anything (a recording): keep only so many apart."""
        if len(self._trades) > 2 * most:
            self.confirm(self._trades[-most])

    def compare(self, page: Sequence[Trade], complete_to: int, *, reached: bool) -> Compared:
        """Hold REST's newest trades (by rising ids) against those known. What is younger than `complete_to` may be on its way."""
        floor = self.start
        if floor is not None and _behind(page, floor, complete_to):
            return Compared([], None, floor, 0)
        newest = self._trades[-1].id if self._trades else floor.id if floor else None
        told = [
            trade
            for trade in page
            if (floor is None or trade.id > floor.id)
            and ((newest is not None and trade.id <= newest) or trade.time < complete_to)
        ]
        upto = told[-1] if told else floor
        late = [trade for trade in self._late.values() if upto is not None and trade.id < upto.id]
        lost = self._lost(sorted({trade.id: trade for trade in (*late, *told)}.values(), key=_ID))
        unverified = (floor, told[0]) if not reached and floor is not None and told else None
        following = self.around(upto.id + 1)[1] if upto else next(iter(self._trades), None)
        if following is None or following.time >= complete_to:
            return Compared(lost, unverified, upto, complete_to)
        return Compared(lost, unverified, upto, upto.time if upto else 0)

    def _lost(self, told: Sequence[Trade]) -> list[Lost]:
        lost: list[Lost] = []
        for trade in told:
            if self.knows(trade.id):
                continue
            left, right = self.around(trade.id)
            if lost and lost[-1].right is right and lost[-1].left is left:
                lost[-1].trades.append(trade)
            else:
                lost.append(Lost(left, right, [trade]))
        return lost


def _behind(page: Sequence[Trade], floor: Trade, complete_to: int) -> bool:
    """Whether REST does not know yet what it has confirmed before. Of trades long ago it may have forgotten all."""
    return page[-1].id < floor.id if page else floor.time > complete_to - _FORGOTTEN_MS
