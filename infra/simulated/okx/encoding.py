"""Rows and frames as OKX writes them: every number a string without superfluous zeros, times in milliseconds."""

from collections.abc import Mapping, Sequence
from typing import Any

from infra.simulated.bars import DAY, MINUTE, Bar
from infra.simulated.encoded import text
from infra.simulated.feeds import BookPush
from infra.simulated.figures import Figures, plain
from infra.simulated.listing import Contract
from infra.simulated.marks import FUNDING_MS, next_funding
from infra.simulated.okx.naming import inst_id, inst_type
from infra.simulated.quotes import Level, Quote
from infra.simulated.tape import Tape, Trades

SEQUENCE_STEP = 3  # `seqId` orders messages and need not be contiguous


def trade_frames(figures: Figures, trades: Trades, channel: str = "trades") -> list[str]:
    """Return one frame a trade: written out by hand, for a burst is thousands of them.

    Those of `trades-all` have neither a count nor a number.
    """
    name = inst_id(figures.listing)
    head = f'{{"arg":{{"channel":"{channel}","instId":"{name}"}},"data":[{{"instId":"{name}","tradeId":"'
    price, size, single = figures.short_price, figures.short_size, channel != "trades"
    return [
        f'{head}{trade_id}","px":"{price(px)}","sz":"{size(sz)}","side":"{"buy" if buy else "sell"}",'
        + (
            f'"source":"0","ts":"{ts}"}}]}}'
            if single
            else f'"ts":"{ts}","count":"1","source":"0","seqId":{trade_id * SEQUENCE_STEP}}}]}}'
        )
        for trade_id, ts, px, sz, buy in zip(*(column.tolist() for column in trades), strict=True)
    ]


def trade_rows(figures: Figures, trades: Trades) -> list[dict[str, str]]:
    """Return rows of `GET /api/v5/market/trades`, newest first."""
    rows = [
        {
            "instId": inst_id(figures.listing),
            "side": "buy" if buy else "sell",
            "sz": figures.short_size(sz),
            "px": figures.short_price(px),
            "tradeId": str(trade_id),
            "ts": str(ts),
        }
        for trade_id, ts, px, sz, buy in zip(*(column.tolist() for column in trades), strict=True)
    ]
    return rows[::-1]


def ticker_row(figures: Figures, tape: Tape, quote: Quote, day: Bar, now_ms: int, told_ms: int) -> dict[str, str]:
    """Return the row of a ticker, on the websocket and over REST alike."""
    known = tape.through(now_ms)
    last = tape.slice(known - 1, known)
    vol, vol_currency, _ = volumes(figures, day)
    return {
        "instType": inst_type(figures.listing),
        "instId": inst_id(figures.listing),
        "last": figures.short_price(int(last.prices[0])),
        "lastSz": figures.short_size(int(last.sizes[0])),
        "askPx": figures.short_price(quote.ask.price),
        "askSz": figures.short_size(quote.ask.size),
        "bidPx": figures.short_price(quote.bid.price),
        "bidSz": figures.short_size(quote.bid.size),
        "open24h": figures.short_price(day.open),
        "high24h": figures.short_price(day.high),
        "low24h": figures.short_price(day.low),
        "sodUtc0": figures.short_price(_first_price(tape, now_ms // DAY * DAY, known)),
        "sodUtc8": figures.short_price(_first_price(tape, (now_ms + 8 * 60 * MINUTE) // DAY * DAY - 8 * 60 * MINUTE, known)),
        "volCcy24h": vol_currency,
        "vol24h": vol,
        "ts": str(told_ms),
    }


def volumes(figures: Figures, bar: Bar) -> tuple[str, str, str]:
    """Write `vol`, `volCcy` and `volCcyQuote` of a candle.

    `vol` is in base coins (spot) or contracts; `volCcy` in quote currency (spot) or base coins (contracts);
    `volCcyQuote` in quote currency. OKX rounds the base coins of inverse contracts to four places.
    """
    listing, volume = figures.listing, figures.volume(bar)
    vol, quote = figures.short_size(bar.lots), plain(volume.quote)
    if listing.contract is Contract.SPOT:
        return vol, quote, quote
    return vol, plain(round(volume.base, 4) if listing.contract is Contract.INVERSE else volume.base), quote


def candle_row(figures: Figures, bar: Bar, *, closed: bool) -> list[str]:
    """Return a candle: open time, OHLC, three volumes, and whether it is closed."""
    prices = (figures.short_price(ticks) for ticks in (bar.open, bar.high, bar.low, bar.close))
    return [str(bar.open_time), *prices, *volumes(figures, bar), "1" if closed else "0"]


def level_rows(figures: Figures, levels: Sequence[Level]) -> list[list[str]]:
    """Return book levels: price, size, a figure no longer used, number of orders."""
    return [[figures.short_price(level.price), figures.short_size(level.size), "0", str(level.orders)] for level in levels]


def push(arg: Mapping[str, str], *rows: Any, **more: str) -> str:
    """Return the frame that pushes rows of a channel."""
    return text({"arg": arg, **more, "data": rows})


def book_row(figures: Figures, push: BookPush, told_ms: int) -> dict[str, Any]:
    """Return the row of `books`. The checksum is 0 since OKX no longer takes one."""
    return {
        "asks": level_rows(figures, push.asks),
        "bids": level_rows(figures, push.bids),
        "ts": str(told_ms),
        "checksum": 0,
        "seqId": push.number * SEQUENCE_STEP,
        "prevSeqId": push.previous * SEQUENCE_STEP if push.previous >= 0 else -1,
    }


def funding_row(figures: Figures, rate: float, now_ms: int, told_ms: int) -> dict[str, str]:
    """Return the row of `funding-rate`, on the websocket and over REST alike."""
    due = next_funding(now_ms)
    return {
        "formulaType": "withRate",
        "fundingRate": f"{rate:.16f}",
        "fundingTime": str(due),
        "impactValue": "10000.0000000000000000",
        "instId": inst_id(figures.listing),
        "instType": inst_type(figures.listing),
        "interestRate": "0.0001000000000000",
        "maxFundingRate": "0.015",
        "method": "current_period",
        "minFundingRate": "-0.015",
        "nextFundingRate": "",
        "nextFundingTime": str(due + FUNDING_MS),
        "premium": f"{rate / 2:.16f}",
        "settFundingRate": f"{rate:.16f}",
        "settState": "settled",
        "ts": str(told_ms),
    }


def interest_row(figures: Figures, lots: int, price: int, told_ms: int) -> dict[str, str]:
    """Return the row of `open-interest`: in contracts and in base coins at a price in ticks."""
    listing = figures.listing
    size = figures.size(lots) * listing.contract_size
    base = size / figures.price(price) if listing.contract is Contract.INVERSE else size
    return {
        "instType": inst_type(listing),
        "instId": inst_id(listing),
        "oi": figures.short_size(lots),
        "oiCcy": plain(round(base, 8)),
        "ts": str(told_ms),
    }


def status_row(began_ms: int, ends_ms: int, told_ms: int) -> dict[str, str]:
    """Return the row of `status`: maintenance that has begun."""
    return {
        "begin": str(began_ms),
        "end": str(ends_ms),
        "env": "1",
        "href": "",
        "maintType": "1",
        "preOpenBegin": "",
        "scheDesc": "",
        "serviceType": "0",
        "state": "ongoing",
        "system": "unified",
        "title": "Trading system upgrade",
        "ts": str(told_ms),
    }


def _first_price(tape: Tape, since_ms: int, known: int) -> int:
    """Return the first price of a day, or the last before it when nothing was traded yet."""
    first = min(tape.before(since_ms), known - 1)
    return int(tape.slice(first, first + 1).prices[0])
