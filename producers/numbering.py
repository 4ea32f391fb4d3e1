"""Numbers for trades that have only names, so that ids rise in the order of the market and are found again after a restart."""

from collections.abc import Iterable, Sequence
from typing import Final

from producers.dialect import Trade

EPOCH_MS: Final = 1_577_836_800_000  # 2020-01-01
_DIGEST_BITS: Final = 14
_PLACES: Final = 1 << 10  # trades of one millisecond


def number(time: int, place: int, digest: int) -> int:
    """The id of the trade that came as `place` (from 0) of its millisecond; `digest` is `schemas.ids.name_id` of its name.

    >>> number(EPOCH_MS + 1, 0, 5) < number(EPOCH_MS + 1, 1, 2) < number(EPOCH_MS + 2, 0, 1)
    True
    """
    return (time - EPOCH_MS) << 24 | place << _DIGEST_BITS | digest & (1 << _DIGEST_BITS) - 1


def first_of(time: int) -> int:
    """Below every id of that millisecond and above all before it."""
    return ((time - EPOCH_MS) << 24) - 1


class Numbering:
    """Which numbers were given to which names, back to a time (`since`, epoch ms) before which nobody asks."""

    def __init__(self, published: Iterable[Trade] = ()) -> None:
        self._given: dict[int, dict[int, Trade]] = {}  # by time and digest
        self._published: dict[int, list[Trade]] = {}  # by time: of their digests only the end is known
        for trade in published:
            self._published.setdefault(trade.time, []).append(trade)

    def numbered(self, trades: Sequence[Trade]) -> list[Trade]:
        """The same trades, in the same order, with their numbers instead of digests."""
        return [self._numbered(trade) for trade in trades]

    def forget(self, since: int) -> None:
        """Times before `since` will not be asked for again."""
        for known in (self._given, self._published):
            for time in [time for time in known if time < since]:
                del known[time]

    def _numbered(self, trade: Trade) -> Trade:
        given = self._given.setdefault(trade.time, {})
        found = given.get(trade.id)
        if found is None:
            found = given[trade.id] = self._recognised(trade) or self._new(trade, len(given))
        return found

    def _recognised(self, trade: Trade) -> Trade | None:
        published = self._published.get(trade.time, [])
        found = next((known for known in published if _same(known, trade)), None)
        if found is not None:
            published.remove(found)
        return found

    def _new(self, trade: Trade, given: int) -> Trade:
        place = min(given + len(self._published.get(trade.time, ())), _PLACES - 1)
        chosen = number(trade.time, place, trade.id)
        return Trade(chosen, chosen, trade.time, trade.price, trade.amount, trade.taker_buy, trade.count)


def _same(published: Trade, trade: Trade) -> bool:
    """Whether a trade read back from what was published is this one: of its name only 14 bits were kept."""
    mask = (1 << _DIGEST_BITS) - 1
    return (published.id & mask, published.price, published.amount, published.taker_buy) == (
        trade.id & mask,
        trade.price,
        trade.amount,
        trade.taker_buy,
    )
