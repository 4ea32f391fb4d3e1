"""Rows and frames as Bybit writes them: numbers are strings with the places of their step, times are in milliseconds.

Trades of contracts are named by UUIDs, those of spot by numbers; neither shows by itself whether one is missing.
"""

import uuid
import zlib
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from infra.simulated.bars import Bar
from infra.simulated.bybit.naming import symbol
from infra.simulated.encoded import text
from infra.simulated.feeds import BookPush, Moment
from infra.simulated.figures import Figures, plain, prices_before
from infra.simulated.listing import Contract, Listing
from infra.simulated.quotes import Level
from infra.simulated.tape import Tape, Trades

MOST_TRADES = 1024  # in one message
_SPOT_NAMES = 2_290_000_000_000_000_000
_NAMES = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
_UPDATE_MS = 1_700_000_000_000  # from when on updates of books are counted


def trade_name(listing: Listing, trade_id: int) -> str:
    """Return how the venue names a trade: a UUID of contracts, a number that rises irregularly of spot."""
    if listing.contract is Contract.SPOT:
        return str(_SPOT_NAMES + (trade_id << 4) + (zlib.crc32(b"%d" % trade_id) & 15))
    return str(uuid.uuid5(_NAMES, f"{listing.name}#{trade_id}"))


def cross_sequence(trade_id: int) -> int:
    """Return the sequence number of a trade: it never falls, has gaps, and neighbours may share one."""
    return 50_000_000_000 + trade_id // 2 * 7


def trade_frames(figures: Figures, tape: Tape, trades: Trades, now: Moment) -> Iterator[str]:
    """Yield the `publicTrade` messages of trades, those of one millisecond together."""
    name = symbol(figures.listing)
    rows = list(zip(*(column.tolist() for column in trades), prices_before(tape, trades), strict=True))
    for _, together in groupby(rows, key=lambda row: row[1]):
        data = [_trade(figures, name, row) for row in together]
        for first in range(0, len(data), MOST_TRADES):
            part = data[first : first + MOST_TRADES]
            yield text({"topic": f"publicTrade.{name}", "type": "snapshot", "ts": max(now.told, data[0]["T"]), "data": part})


def _trade(figures: Figures, name: str, row: tuple[int, int, int, int, int, int]) -> dict[str, Any]:
    trade_id, time, price, size, buy, before = row
    trade: dict[str, Any] = {
        "T": time,
        "s": name,
        "S": "Buy" if buy else "Sell",
        "v": figures.fixed_size(size),
        "p": figures.fixed_price(price),
        "i": trade_name(figures.listing, trade_id),
        "BT": False,
        "seq": cross_sequence(trade_id),
    }
    if figures.listing.contract is not Contract.SPOT:
        trade["L"] = tick_direction(price, before, bought=bool(buy))
    return trade


def tick_direction(price: int, before: int, *, bought: bool) -> str:
    """Return where a price went from the one before it; where it stayed, the side that took it decides."""
    if price == before:
        return "ZeroPlusTick" if bought else "ZeroMinusTick"
    return "PlusTick" if price > before else "MinusTick"


def trade_rows(figures: Figures, trades: Trades) -> list[dict[str, Any]]:
    """Return rows of `GET /v5/market/recent-trade`, newest first."""
    rows = [
        {
            "execId": trade_name(figures.listing, trade_id),
            "symbol": symbol(figures.listing),
            "price": figures.fixed_price(price),
            "size": figures.fixed_size(size),
            "side": "Buy" if buy else "Sell",
            "time": str(time),
            "isBlockTrade": False,
            "isRPITrade": False,
            "seq": str(cross_sequence(trade_id)),
        }
        for trade_id, time, price, size, buy in zip(*(column.tolist() for column in trades), strict=True)
    ]
    return rows[::-1]


class BookFrames:
    """Writes the pushes of one subscription to a book. Their number `u` goes up by one: what was left out shows in it."""

    def __init__(self, figures: Figures, topic: str) -> None:
        self._figures, self._topic = figures, topic
        self._update, self._state = 0, -1

    def __call__(self, push: BookPush, now: Moment) -> Iterator[str]:
        """Yield the frame of a push."""
        if push.snapshot:
            self._update = update_of(push.number)
        else:
            self._update += 1 if push.previous == self._state else 2
        self._state = push.number
        kind = "snapshot" if push.snapshot else "delta"
        yield book_frame(self._figures, self._topic, kind, (push.asks, push.bids), self._update, now)


def book_frame(
    figures: Figures, topic: str, kind: str, sides: tuple[Iterable[Level], Iterable[Level]], update: int, now: Moment
) -> str:
    """Return a book's frame, `snapshot` or `delta`; `sides` are asks and bids."""
    data = book_data(figures, sides, update, now.ms)
    return text({"topic": topic, "type": kind, "ts": now.told, "data": data, "cts": now.told})


def book_data(figures: Figures, sides: tuple[Iterable[Level], Iterable[Level]], update: int, number: int) -> dict[str, Any]:
    """Return what a book says on the websocket and over REST alike; a size of 0 removes a level."""
    asks, bids = (
        [[figures.fixed_price(level.price), figures.fixed_size(level.size) if level.size else "0"] for level in side]
        for side in sides
    )
    return {"s": symbol(figures.listing), "b": bids, "a": asks, "u": update, "seq": 50_000_000_000 + number}


def _levels(figures: Figures, side: Iterable[Level]) -> list[list[str]]:
    return [[figures.fixed_price(level.price), figures.fixed_size(level.size) if level.size else "0"] for level in side]


def update_of(number: int) -> int:
    """Return the number of an update that tells the whole book of a market time: it rises faster than by one a push."""
    return max(2, (number - _UPDATE_MS) // 4)


def candle(figures: Figures, bar: Bar, interval: str, length: int, now: Moment) -> dict[str, Any]:
    """Return the row of a `kline` message."""
    opening, high, low, close = (figures.fixed_price(ticks) for ticks in (bar.open, bar.high, bar.low, bar.close))
    traded, turnover = volumes(figures, bar)
    return {
        "start": bar.open_time,
        "end": bar.open_time + length - 1,
        "interval": interval,
        "open": opening,
        "close": close,
        "high": high,
        "low": low,
        "volume": traded,
        "turnover": turnover,
        "confirm": bar.open_time + length <= now.ms,
        "timestamp": now.told,
    }


def kline_row(figures: Figures, bar: Bar) -> list[str]:
    """Return a row of `GET /v5/market/kline`: open time, OHLC, volume and turnover."""
    prices = (figures.fixed_price(ticks) for ticks in (bar.open, bar.high, bar.low, bar.close))
    return [str(bar.open_time), *prices, *volumes(figures, bar)]


def volumes(figures: Figures, bar: Bar) -> tuple[str, str]:
    """Return volume in native units and turnover in the other currency: of inverse contracts that is the base coin."""
    base, quote = figures.volume(bar)
    return figures.fixed_size(bar.lots), plain(base if figures.listing.contract is Contract.INVERSE else quote)
