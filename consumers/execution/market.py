"""What execution knows of one market: its terms, the last trade seen, its clock and where its feed had a hole."""

import math
from decimal import Decimal
from typing import Final

from msgspec import Struct

from consumers.gateway.paper import Terms, currency
from schemas.market import Gap, Trades

_KEPT: Final = 64  # gaps: of more, the oldest is forgotten


class Market(Struct):
    """Facts of one market. `clock` is its event time (epoch ms): the furthest watermark.

    Prices are multiples of `tick_size`, amounts (native units) of `lot_size`. `gaps` of the feed are [since, until)
    in epoch ms, by the id that they begin after.
    """

    contract_size: Decimal = Decimal(1)
    inverse: bool = False
    tick_size: Decimal = Decimal(1)
    lot_size: Decimal = Decimal(1)
    last_trade_id: int = -1
    clock: int = 0
    gaps: dict[int, tuple[int, int]] = {}

    @property
    def gap_until(self) -> int:
        """A signal of a candle that opened before this time (epoch ms) saw an incomplete feed."""
        return max((until for _, until in self.gaps.values()), default=0)

    def observe(self, trades: Trades) -> None:
        """Take note of a record; its gap apart, which has a time of its own."""
        self.contract_size, self.inverse = trades.contract_size, trades.inverse
        self.tick_size, self.lot_size = trades.tick_size, trades.lot_size
        self.clock = max(self.clock, trades.watermark)

    def note_gap(self, gap: Gap | None, before: float = math.inf) -> None:
        """Take note of a gap, provided that it began before a time (epoch ms)."""
        if gap is None or gap.since >= before:
            return
        others = {after: times for after, times in self.gaps.items() if after != gap.after_id}
        if gap.open:
            others[gap.after_id] = (gap.since, gap.until)
        self.gaps = dict(list(others.items())[-_KEPT:])

    def terms(self, symbol: str, fee_rate: Decimal) -> Terms:
        """What the paper venue needs to know of it."""
        return Terms(self.contract_size, self.inverse, fee_rate, currency(symbol))


def is_spot(symbol: str) -> bool:
    """Whether a ccxt symbol names a spot market: a derivative names what it settles in."""
    return ":" not in symbol
