"""What execution knows of one market: its terms, the last trade seen, its clock and where its feed had a hole."""

import math
from decimal import Decimal

from msgspec import Struct

from consumers.gateway.paper import Terms, currency
from schemas.market import Gap, Trades


class Market(Struct):
    """Facts of one market. `clock` is its event time (epoch ms): the furthest watermark.

    Prices are multiples of `tick_size`, amounts (native units) of `lot_size`. A signal of a candle that opened before `gap_until`
    (epoch ms) saw an incomplete feed.
    """

    contract_size: Decimal = Decimal(1)
    inverse: bool = False
    tick_size: Decimal = Decimal(1)
    lot_size: Decimal = Decimal(1)
    last_trade_id: int = -1
    clock: int = 0
    gap_until: int = 0

    def observe(self, trades: Trades) -> None:
        """Take note of a record; its gap apart, which has a time of its own."""
        self.contract_size, self.inverse = trades.contract_size, trades.inverse
        self.tick_size, self.lot_size = trades.tick_size, trades.lot_size
        self.clock = max(self.clock, trades.watermark)
        if trades.ids:
            self.last_trade_id = max(self.last_trade_id, *trades.ids)

    def note_gap(self, gap: Gap | None, before: float = math.inf) -> None:
        """Take note of a gap, provided that it began before a time (epoch ms)."""
        if gap is not None and gap.since < before:
            self.gap_until = max(self.gap_until, gap.until)

    def terms(self, symbol: str, fee_rate: Decimal) -> Terms:
        """What the paper venue needs to know of it."""
        return Terms(self.contract_size, self.inverse, fee_rate, currency(symbol))


def is_spot(symbol: str) -> bool:
    """Whether a ccxt symbol names a spot market: a derivative names what it settles in."""
    return ":" not in symbol
