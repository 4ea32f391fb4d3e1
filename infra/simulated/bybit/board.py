"""Bybit's market by its names: a name such as `BTCUSDT` is one instrument among the spot ones and another among the linear."""

from collections.abc import Mapping

from infra.simulated.bars import MINUTE
from infra.simulated.board import Board
from infra.simulated.bybit.naming import category, symbol
from infra.simulated.market import Market

_HOUR, _DAY = 60 * MINUTE, 24 * 60 * MINUTE
_MONDAY = 4 * _DAY  # the epoch was a Thursday

# Intervals of candles by name: how long they are, and how long after the epoch one of them opens.
INTERVALS: Mapping[str, tuple[int, int]] = {
    **{str(minutes): (minutes * MINUTE, 0) for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)},
    "D": (_DAY, 0),
    "W": (7 * _DAY, _MONDAY),
}


class Boards:
    """One board, whose names are ccxt's because they are unique, and the way to them from Bybit's own."""

    def __init__(self, market: Market) -> None:
        self.board = Board(market, {listing.name: listing for listing in market.listings})
        self.names = {(category(listing), symbol(listing)): listing.name for listing in market.listings}


def opening(interval: str, time_ms: int) -> int:
    """Return when the candle of that interval that holds a time opened."""
    length, offset = INTERVALS[interval]
    return (time_ms - offset) // length * length + offset
