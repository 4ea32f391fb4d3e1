"""Bitget's market by its names: `BTCUSDT` is one instrument among the spot ones and another among the futures."""

from collections.abc import Mapping

from infra.simulated.bars import MINUTE
from infra.simulated.bitget.naming import inst_type, symbol
from infra.simulated.board import Board
from infra.simulated.market import Market

_HOUR, _DAY = 60 * MINUTE, 24 * 60 * MINUTE
_CHINA = 16 * _HOUR  # bars of 6 hours and more open at UTC+8 midnights, so 16 hours into a UTC day, unless named `utc`
_MONDAY = 4 * _DAY  # the epoch was a Thursday
_LONG: Mapping[str, tuple[int, int]] = {
    **{f"{count}Hutc": (count * _HOUR, 0) for count in (6, 12)},
    **{f"{count}Dutc": (count * _DAY, 0) for count in (1, 3)},
    "1Wutc": (7 * _DAY, _MONDAY),
}
_MINUTES = (1, 3, 5, 15, 30)

# Candles by name: how long they are, and how long after the epoch one of them opens. Spot has names of its own over REST.
PERIODS: Mapping[str, tuple[int, int]] = {
    **{f"{count}m": (count * MINUTE, 0) for count in _MINUTES},
    **{f"{count}H": (count * _HOUR, 0) for count in (1, 2, 4)},
    **{f"{count}H": (count * _HOUR, _CHINA) for count in (6, 12)},
    **{f"{count}D": (count * _DAY, _CHINA) for count in (1, 3)},
    "1W": (7 * _DAY, _MONDAY - 8 * _HOUR),
    **_LONG,
}
SPOT_PERIODS: Mapping[str, tuple[int, int]] = {
    **{f"{count}min": (count * MINUTE, 0) for count in _MINUTES},
    **{f"{count}h": (count * _HOUR, 0) for count in (1, 4)},
    **{f"{count}h": (count * _HOUR, _CHINA) for count in (6, 12)},
    **{f"{count}day": (count * _DAY, _CHINA) for count in (1, 3)},
    "1week": (7 * _DAY, _MONDAY - 8 * _HOUR),
    **_LONG,
}


class Boards:
    """One board, whose names are ccxt's because they are unique, and the way to them from Bitget's own."""

    def __init__(self, market: Market) -> None:
        self.board = Board(market, {listing.name: listing for listing in market.listings})
        self.names = {(inst_type(listing), symbol(listing)): listing.name for listing in market.listings}


def opening(period: tuple[int, int], time_ms: int) -> int:
    """Return when the candle of that length and offset that holds a time opened."""
    length, offset = period
    return (time_ms - offset) // length * length + offset
