"""Trades that came before the feed was complete up to their time: they wait for what may still come before them."""

import numpy as np
from msgspec import Struct

from consumers.gateway.paper import Tape
from schemas.market import Trades

Row = tuple[int, int, int, int]
"""Id, time (epoch ms), price and the decimal places of the price."""


class Waiting(Struct):
    """A market's trades of times that its watermark has not reached, by rising ids.

    A repair brings trades after later ones, and where ids do not show what is missing the watermark follows behind. Matched as
    they came, orders would depend on when a producer was restarted.
    """

    rows: list[Row] = []

    def idle(self, trades: Trades, clock: int) -> bool:
        """Whether nothing waits and nothing has to: every trade of a record is of a time that is complete."""
        return not self.rows and (not trades.times or max(trades.times) <= clock)

    def due(self, trades: Trades, known: int, clock: int) -> Tape:
        """The trades up to `clock` that were not told before, by rising ids; of the record, those above `known`. Others wait."""
        rows = {row[0]: row for row in self.rows}
        for trade_id, time, price in zip(trades.ids, trades.times, trades.prices, strict=True):
            if trade_id > known:
                rows.setdefault(trade_id, (trade_id, time, price, trades.price_scale))
        ordered = [rows[trade_id] for trade_id in sorted(rows)]
        self.rows = [row for row in ordered if row[1] > clock]
        return _tape([row for row in ordered if row[1] <= clock], trades.price_scale)


def _tape(rows: list[Row], price_scale: int) -> Tape:
    scale = max((row[3] for row in rows), default=price_scale)
    ids, times, prices = (
        np.array(column, dtype=np.int64)
        for column in (
            [row[0] for row in rows],
            [row[1] for row in rows],
            [row[2] * 10 ** (scale - row[3]) for row in rows],
        )
    )
    return Tape(ids, times, prices, scale)
