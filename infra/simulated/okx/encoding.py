"""Rows and frames as OKX writes them: every number a string without superfluous zeros, times in milliseconds."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from infra.simulated.bars import DAY, MINUTE, Bar
from infra.simulated.listing import Contract, Listing
from infra.simulated.okx.naming import inst_id, inst_type
from infra.simulated.quotes import Level, Quote
from infra.simulated.tape import Tape, Trades

SEQUENCE_STEP = 3  # `seqId` orders messages and need not be contiguous


class Numbers:
    """Writes one instrument's prices (in ticks) and sizes (in lots)."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.inst_id = inst_id(listing)
        self.inst_type = inst_type(listing)
        self._tick, self._tick_places = _whole(listing.tick)
        self._lot, self._lot_places = _whole(listing.lot)

    def price(self, ticks: int) -> str:
        """Write a price: 305, in ticks of 0.1, is `30.5`."""
        return decimal_text(ticks * self._tick, self._tick_places)

    def size(self, lots: int) -> str:
        """Write a size in the instrument's own unit: base coins for spot, contracts otherwise."""
        return decimal_text(lots * self._lot, self._lot_places)

    def volumes(self, bar: Bar) -> tuple[str, str, str]:
        """Write `vol`, `volCcy` and `volCcyQuote` of a candle.

        `vol` is in base coins (spot) or contracts; `volCcy` in quote currency (spot) or base coins (contracts);
        `volCcyQuote` in quote currency. OKX rounds the base coins of inverse contracts to four places.
        """
        listing = self.listing
        vol = self.size(bar.lots)
        if listing.contract is Contract.INVERSE:
            base = float(listing.lot * listing.contract_size / listing.tick) * bar.inverse
            return vol, _plain(Decimal(f"{base:.4f}")), _plain(bar.lots * listing.lot * listing.contract_size)
        size = listing.lot * listing.contract_size
        quote = _plain(bar.tick_lots * listing.tick * size)
        return (vol, quote, quote) if listing.contract is Contract.SPOT else (vol, _plain(bar.lots * size), quote)


def decimal_text(units: int, places: int) -> str:
    """Write units of 10^-places without trailing zeros: (302360, 1) is `30236`."""
    if not places:
        return str(units)
    digits = str(units).rjust(places + 1, "0")
    fraction = digits[-places:].rstrip("0")
    return f"{digits[:-places]}.{fraction}" if fraction else digits[:-places]


def trade_frames(numbers: Numbers, trades: Trades) -> list[str]:
    """Return one `trades` frame a trade: written out by hand, for a burst is thousands of them."""
    name = numbers.inst_id
    head = f'{{"arg":{{"channel":"trades","instId":"{name}"}},"data":[{{"instId":"{name}","tradeId":"'
    price, size = numbers.price, numbers.size
    return [
        f'{head}{trade_id}","px":"{price(px)}","sz":"{size(sz)}","side":"{"buy" if buy else "sell"}","ts":"{ts}",'
        f'"count":"1","source":"0","seqId":{trade_id * SEQUENCE_STEP}}}]}}'
        for trade_id, ts, px, sz, buy in zip(*(column.tolist() for column in trades), strict=True)
    ]


def trade_rows(numbers: Numbers, trades: Trades) -> list[dict[str, str]]:
    """Return rows of `GET /api/v5/market/trades`, newest first."""
    rows = [
        {
            "instId": numbers.inst_id,
            "side": "buy" if buy else "sell",
            "sz": numbers.size(sz),
            "px": numbers.price(px),
            "tradeId": str(trade_id),
            "ts": str(ts),
        }
        for trade_id, ts, px, sz, buy in zip(*(column.tolist() for column in trades), strict=True)
    ]
    return rows[::-1]


def ticker_row(numbers: Numbers, tape: Tape, quote: Quote, day: Bar, now_ms: int) -> dict[str, str]:
    """Return the row of a ticker, on the websocket and over REST alike."""
    known = tape.through(now_ms)
    last = tape.slice(known - 1, known)
    vol, vol_currency, _ = numbers.volumes(day)
    return {
        "instType": numbers.inst_type,
        "instId": numbers.inst_id,
        "last": numbers.price(int(last.prices[0])),
        "lastSz": numbers.size(int(last.sizes[0])),
        "askPx": numbers.price(quote.ask.price),
        "askSz": numbers.size(quote.ask.size),
        "bidPx": numbers.price(quote.bid.price),
        "bidSz": numbers.size(quote.bid.size),
        "open24h": numbers.price(day.open),
        "high24h": numbers.price(day.high),
        "low24h": numbers.price(day.low),
        "sodUtc0": numbers.price(_first_price(tape, now_ms // DAY * DAY, known)),
        "sodUtc8": numbers.price(_first_price(tape, (now_ms + 8 * 60 * MINUTE) // DAY * DAY - 8 * 60 * MINUTE, known)),
        "volCcy24h": vol_currency,
        "vol24h": vol,
        "ts": str(now_ms),
    }


def candle_row(numbers: Numbers, bar: Bar, *, closed: bool) -> list[str]:
    """Return a candle: open time, OHLC, three volumes, and whether it is closed."""
    prices = (numbers.price(ticks) for ticks in (bar.open, bar.high, bar.low, bar.close))
    return [str(bar.open_time), *prices, *numbers.volumes(bar), "1" if closed else "0"]


def level_rows(numbers: Numbers, levels: Sequence[Level]) -> list[list[str]]:
    """Return book levels: price, size, a figure no longer used, number of orders."""
    return [[numbers.price(level.price), numbers.size(level.size), "0", str(level.orders)] for level in levels]


def push(channel: str, row: Any, instrument: str | None = None) -> str:
    """Return the frame that pushes one row of a channel."""
    arg = {"channel": channel} if instrument is None else {"channel": channel, "instId": instrument}
    return text({"arg": arg, "data": [row]})


def text(message: Any) -> str:
    """Return JSON without blanks, as OKX sends it."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


def _first_price(tape: Tape, since_ms: int, known: int) -> int:
    """Return the first price of a day, or the last before it when nothing was traded yet."""
    first = min(tape.before(since_ms), known - 1)
    return int(tape.slice(first, first + 1).prices[0])


def _whole(step: Decimal) -> tuple[int, int]:
    """Split a step into whole units and their decimal places: 0.05 is (5, 2)."""
    places = max(0, -int(step.normalize().as_tuple().exponent))
    return int(step.scaleb(places)), places


def _plain(value: Decimal) -> str:
    written = f"{value:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written
