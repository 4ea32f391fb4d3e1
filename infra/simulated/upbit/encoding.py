"""Rows as Upbit writes them: numbers are JSON numbers, dates and times are texts, an id is a time and a counter.

Every row of the websocket comes in four forms: with long names or short ones (`SIMPLE`), alone or in a list (`JSON_LIST`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from infra.simulated.bars import DAY, Bar
from infra.simulated.figures import Figures
from infra.simulated.quotes import Level, Quote
from infra.simulated.tape import Tape, Trades

FORMATS = ("DEFAULT", "SIMPLE", "JSON_LIST", "SIMPLE_LIST")
COUNTERS = 10_000  # ids within a millisecond
_KOREA = timedelta(hours=9)
_NUMBERS = msgspec.json.Encoder(decimal_format="number")

# The short names: of every row, and those which differ by its type.
_SHORT: Mapping[str, str] = {
    "type": "ty", "code": "cd", "timestamp": "tms", "stream_type": "st", "ask_bid": "ab", "trade_timestamp": "ttms",
    "trade_price": "tp", "trade_volume": "tv", "prev_closing_price": "pcp", "change": "c", "change_price": "cp",
    "sequential_id": "sid", "best_ask_price": "bap", "best_ask_size": "bas", "best_bid_price": "bbp", "best_bid_size": "bbs",
    "opening_price": "op", "high_price": "hp", "low_price": "lp", "signed_change_price": "scp", "change_rate": "cr",
    "signed_change_rate": "scr", "acc_trade_volume": "atv", "acc_trade_volume_24h": "atv24h", "acc_trade_price": "atp",
    "acc_trade_price_24h": "atp24h", "acc_ask_volume": "aav", "acc_bid_volume": "abv", "highest_52_week_price": "h52wp",
    "highest_52_week_date": "h52wdt", "lowest_52_week_price": "l52wp", "lowest_52_week_date": "l52wdt", "trade_status": "ts",
    "market_state": "ms", "market_state_for_ios": "msfi", "is_trading_suspended": "its", "delisting_date": "dd",
    "market_warning": "mw", "total_ask_size": "tas", "total_bid_size": "tbs", "orderbook_units": "obu", "ask_price": "ap",
    "bid_price": "bp", "ask_size": "as", "bid_size": "bs", "level": "lv", "candle_date_time_utc": "cdttmu",
    "candle_date_time_kst": "cdttmk", "candle_acc_trade_volume": "catv", "candle_acc_trade_price": "catp", "trade_time": "ttm",
}  # fmt: skip
_DATE: Mapping[str, str] = {"trade": "td", "ticker": "tdt"}


def written(row: dict[str, Any], form: str) -> bytes:
    """Return a row as one frame in one of the FORMATS."""
    if form.startswith("SIMPLE"):
        row = _shortened(row, {**_SHORT, "trade_date": _DATE.get(row["type"], "td")})
    return body([row] if form.endswith("LIST") else row)


def body(message: Any) -> bytes:
    """Return JSON in which decimals are numbers with all their digits."""
    return _NUMBERS.encode(message)


def sequential_ids(tape: Tape, trades: Trades) -> list[int]:
    """Return the ids of trades of a tape: their milliseconds, and how many of that millisecond came before."""
    every = tape.slice(0, len(tape))
    counters = np.searchsorted(every.ids, trades.ids) - np.searchsorted(every.times, trades.times)
    ids: list[int] = (trades.times * COUNTERS + counters).tolist()
    return ids


def sequential_id(tape: Tape, tape_id: int) -> int:
    """Return the id of one trade of a tape."""
    place = tape.position(tape_id)
    return sequential_ids(tape, tape.slice(place, place + 1))[0]


def position(tape: Tape, sequential_id: int) -> int:
    """Return how many trades of a tape have a smaller id."""
    time, counter = divmod(sequential_id, COUNTERS)
    return min(tape.before(time) + counter, tape.before(time + 1))


def closing_price(tape: Tape, now_ms: int) -> int:
    """Return the last price of the day before, in ticks; on the market's first day the first there was."""
    position = max(0, tape.before(now_ms // DAY * DAY) - 1)
    return int(tape.slice(position, position + 1).prices[0])


def change(figures: Figures, price: int, closing: int) -> dict[str, Any]:
    """Return how a price stands to the day before."""
    word = "EVEN" if price == closing else "RISE" if price > closing else "FALL"
    return {"prev_closing_price": figures.price(closing), "change": word, "change_price": figures.price(abs(price - closing))}


def trade_pushes(figures: Figures, code: str, tape: Tape, trades: Trades, quote: Quote, now_ms: int) -> Iterator[dict[str, Any]]:
    """Yield the websocket's row of each trade."""
    best = {
        "best_ask_price": figures.price(quote.ask.price),
        "best_ask_size": figures.size(quote.ask.size),
        "best_bid_price": figures.price(quote.bid.price),
        "best_bid_size": figures.size(quote.bid.size),
    }
    closing = closing_price(tape, now_ms)
    columns = zip(sequential_ids(tape, trades), *(column.tolist() for column in trades[1:]), strict=True)
    for name, time, price, size, buy in columns:
        date, clock = _date_and_time(time)
        yield {
            "type": "trade",
            "code": code,
            "timestamp": max(now_ms, time),
            "trade_date": date,
            "trade_time": clock,
            "trade_timestamp": time,
            "trade_price": figures.price(price),
            "trade_volume": figures.size(size),
            "ask_bid": "BID" if buy else "ASK",
            **change(figures, price, closing),
            "sequential_id": name,
            **best,
        }


def trade_rows(figures: Figures, code: str, tape: Tape, trades: Trades) -> list[dict[str, Any]]:
    """Return rows of `GET /v1/trades/ticks`, newest first."""
    closing = closing_price(tape, int(trades.times[-1])) if len(trades.times) else 0
    columns = zip(sequential_ids(tape, trades), *(column.tolist() for column in trades[1:]), strict=True)
    rows = []
    for name, time, price, size, buy in columns:
        date, clock = _date_and_time(time)
        rows.append(
            {
                "market": code,
                "trade_date_utc": date,
                "trade_time_utc": clock,
                "timestamp": time,
                "trade_price": figures.price(price),
                "trade_volume": figures.size(size),
                "prev_closing_price": figures.price(closing),
                "change_price": figures.price(price - closing),
                "ask_bid": "BID" if buy else "ASK",
                "sequential_id": name,
            }
        )
    return rows[::-1]


def book_row(figures: Figures, asks: Sequence[Level], bids: Sequence[Level], now_ms: int) -> dict[str, Any]:
    """Return a whole book, as the websocket and REST alike say it; both name the instrument differently."""
    units = [
        {
            "ask_price": figures.price(ask.price),
            "bid_price": figures.price(bid.price),
            "ask_size": figures.size(ask.size),
            "bid_size": figures.size(bid.size),
        }
        for ask, bid in zip(asks, bids, strict=False)
    ]
    totals = (sum((unit[side] for unit in units), Decimal(0)) for side in ("ask_size", "bid_size"))
    total_ask, total_bid = totals
    return {"timestamp": now_ms, "total_ask_size": total_ask, "total_bid_size": total_bid, "orderbook_units": units}


def candle_row(figures: Figures, bar: Bar, last_ms: int) -> dict[str, Any]:
    """Return a candle, as the websocket and REST alike say it. `last_ms` is of its last trade."""
    traded = figures.volume(bar)
    return {
        "candle_date_time_utc": _moment(bar.open_time),
        "candle_date_time_kst": _moment(bar.open_time, _KOREA),
        "opening_price": figures.price(bar.open),
        "high_price": figures.price(bar.high),
        "low_price": figures.price(bar.low),
        "trade_price": figures.price(bar.close),
        "timestamp": last_ms,
        "candle_acc_trade_price": traded.quote,
        "candle_acc_trade_volume": traded.base,
    }


def ticker_row(figures: Figures, last: Trades, closing: int, today: Bar, day: Bar) -> dict[str, Any]:
    """Return what the websocket and REST alike say of a ticker: of its last trade, of the UTC day, of the last 24 hours.

    There is no year of trading to look back on: the extremes of 52 weeks are those of the 24 hours.
    """
    price, time = int(last.prices[-1]), int(last.times[-1])
    date, clock = _date_and_time(time)
    since, before = figures.volume(today), figures.volume(day)
    rate = Decimal(round((price - closing) / closing, 10)).quantize(Decimal("1e-10"))
    moved = change(figures, price, closing)
    return {
        "trade_date": date.replace("-", ""),
        "trade_time": clock.replace(":", ""),
        "trade_timestamp": time,
        "opening_price": figures.price(today.open),
        "high_price": figures.price(today.high),
        "low_price": figures.price(today.low),
        "trade_price": figures.price(price),
        **moved,
        "change_rate": abs(rate),
        "signed_change_price": figures.price(price - closing),
        "signed_change_rate": rate,
        "trade_volume": figures.size(int(last.sizes[-1])),
        "acc_trade_price": since.quote,
        "acc_trade_price_24h": before.quote,
        "acc_trade_volume": since.base,
        "acc_trade_volume_24h": before.base,
        "highest_52_week_price": figures.price(day.high),
        "highest_52_week_date": date,
        "lowest_52_week_price": figures.price(day.low),
        "lowest_52_week_date": date,
    }


def korean(time_ms: int) -> tuple[str, str]:
    """Return the date and the time of day in Seoul, without signs between: `20181122`, `194543`."""
    moment = datetime.fromtimestamp(time_ms / 1000, UTC) + _KOREA
    return f"{moment:%Y%m%d}", f"{moment:%H%M%S}"


def _shortened(row: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    def short(value: Any) -> Any:
        return [_shortened(one, names) for one in value] if isinstance(value, list) else value

    return {names[name]: short(value) for name, value in row.items()}


def _date_and_time(time_ms: int) -> tuple[str, str]:
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return f"{moment:%Y-%m-%d}", f"{moment:%H:%M:%S}"


def _moment(time_ms: int, shift: timedelta = timedelta(0)) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC) + shift:%Y-%m-%dT%H:%M:%S}"
