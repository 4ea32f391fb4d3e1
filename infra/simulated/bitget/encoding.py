"""Rows and frames as Bitget writes them: numbers are strings, and an id rises without ever being the next."""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from infra.simulated.bars import Bar
from infra.simulated.bitget.naming import symbol
from infra.simulated.encoded import text
from infra.simulated.feeds import BookPush, Moment
from infra.simulated.figures import Figures, plain
from infra.simulated.quotes import Level
from infra.simulated.tape import Trades

CHECKED_LEVELS = 25  # of each side, whose texts the checksum is of
_IDS = 1_152_921_504_606_846_976
_STEP = 4  # bits: how far apart the ids of neighbours are


def trade_name(trade_id: int) -> str:
    """Return the venue's id of a trade: as long as a snowflake, rising, with gaps of varying size."""
    return str(_IDS + (trade_id << _STEP) + (zlib.crc32(b"%d" % trade_id) & (1 << _STEP) - 1))


def first_not_below(name: int) -> int:
    """Return the smallest trade id whose name is not below a number."""
    trade_id = max(0, name - _IDS) >> _STEP
    return trade_id if int(trade_name(trade_id)) >= name else trade_id + 1


def push(arg: Mapping[str, str], action: str, rows: Sequence[Any], now: Moment) -> str:
    """Return a push of a channel: `snapshot` for what stands by itself, `update` for what is added."""
    return text({"action": action, "arg": arg, "data": rows, "ts": now.told})


def trade_rows(figures: Figures, trades: Trades, *, named: bool = False) -> list[dict[str, str]]:
    """Return trades, newest first; over REST they are `named` by their symbol too."""
    told = {"symbol": symbol(figures.listing)} if named else {}
    rows = [
        {
            "ts": str(time),
            "price": figures.short_price(price),
            "size": figures.short_size(size),
            "side": "buy" if buy else "sell",
            "tradeId": trade_name(trade_id),
            **told,
        }
        for trade_id, time, price, size, buy in zip(*(column.tolist() for column in trades), strict=True)
    ]
    return rows[::-1]


def level_rows(figures: Figures, levels: Iterable[Level]) -> list[list[str]]:
    """Return book levels: price and size; a size of 0 removes the level."""
    return [[figures.short_price(level.price), figures.fixed_size(level.size) if level.size else "0"] for level in levels]


def checksum(bids: Sequence[Sequence[str]], asks: Sequence[Sequence[str]]) -> int:
    """Return the signed CRC32 over the best levels, bid and ask by turns, of the very texts that were sent."""
    levels = zip_longest(bids[:CHECKED_LEVELS], asks[:CHECKED_LEVELS], fillvalue=())
    summed = zlib.crc32(":".join(written for pair in levels for level in pair for written in level[:2]).encode())
    return summed - (1 << 32) if summed >= 1 << 31 else summed


def candle_row(figures: Figures, bar: Bar) -> list[str]:
    """Return a candle: open time, OHLC, volume in base coins, in quote currency and in USDT."""
    prices = (figures.short_price(ticks) for ticks in (bar.open, bar.high, bar.low, bar.close))
    base, quote = figures.volume(bar)
    return [str(bar.open_time), *prices, plain(base), plain(quote), plain(quote)]


class BookFrames:
    """Writes the pushes of one subscription to a whole book: a snapshot, which has no checksum, and what changes."""

    def __init__(self, figures: Figures, arg: Mapping[str, str]) -> None:
        self._figures, self._arg = figures, arg

    def __call__(self, push: BookPush, now: Moment) -> Iterator[str]:
        """Yield the frame of a push."""
        whole = [level_rows(self._figures, side[:CHECKED_LEVELS]) for side in (push.whole.bids, push.whole.asks)]
        summed = 0 if push.snapshot else checksum(*whole)
        yield book_frame(self._figures, self._arg, (push.asks, push.bids), summed, push.number, now, whole=push.snapshot)


def book_frame(
    figures: Figures,
    arg: Mapping[str, str],
    sides: tuple[Iterable[Level], Iterable[Level]],
    summed: int,
    number: int,
    now: Moment,
    *,
    whole: bool,
) -> str:
    """Return a book's frame; `sides` are asks and bids."""
    asks, bids = (level_rows(figures, side) for side in sides)
    row = {"asks": asks, "bids": bids, "checksum": summed, "seq": number, "ts": str(now.told)}
    return push(arg, "snapshot" if whole else "update", [row], now)
