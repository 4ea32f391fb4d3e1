"""What Upbit shows of its market: the UTC day so far, closing prices, candles (there is none without a trade)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

from infra.simulated.bars import DAY, MINUTE, Bar, bar_of, joined
from infra.simulated.board import Board
from infra.simulated.listing import Listing
from infra.simulated.market import Market
from infra.simulated.tape import Tape, Trades
from infra.simulated.upbit.encoding import candle_row, closing_price, korean, ticker_row
from infra.simulated.upbit.naming import code

_WEEK = 7 * DAY
_MONDAY = 4 * DAY  # the epoch was a Thursday
UNITS = (1, 3, 5, 10, 15, 30, 60, 240)  # minutes of a candle
# Candles of the websocket by name: how long they are.
CANDLES: Mapping[str, int] = {"candle.1s": 1000, **{f"candle.{unit}m": unit * MINUTE for unit in UNITS}}


class Today(NamedTuple):
    """The UTC day so far as one bar, and how many lots of it takers bought."""

    bar: Bar
    bought: int


class DaySoFar:
    """The UTC day of one instrument, summed once a minute and completed by the trades since."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._minute = -1
        self._summed: Today | None = None

    def at(self, tape: Tape, now_ms: int) -> Today | None:
        """Return the day that holds a time, as far as it has come; None when nothing was traded in it."""
        minute, day = now_ms // MINUTE * MINUTE, now_ms // DAY * DAY
        since = tape.before(minute)
        if minute != self._minute:
            self._minute, self._summed = minute, self._sum(tape.slice(tape.before(day), since), day)
        current = self._sum(tape.slice(since, tape.through(now_ms)), day)
        if self._summed is None or current is None:
            return self._summed or current
        return Today(joined(self._summed.bar, current.bar), self._summed.bought + current.bought)

    def _sum(self, trades: Trades, day: int) -> Today | None:
        if not len(trades.ids):
            return None
        return Today(bar_of(trades, self._listing, day), int(np.dot(trades.sizes, trades.buys)))


class UpbitBoard:
    """A board with Upbit's own figures beside."""

    def __init__(self, market: Market) -> None:
        self.board = Board(market, {code(listing): listing for listing in market.listings})
        self._days = {name: DaySoFar(listing) for name, listing in self.board.listings.items()}

    def ticker(self, name: str, now_ms: int) -> dict[str, Any] | None:
        """Return what every ticker says, but for names; None before anything was traded within a day."""
        tape, day = self.board.tape(name, now_ms), self.board.day(name, now_ms)
        if day is None:
            return None
        known = tape.through(now_ms)
        closing, today = closing_price(tape, now_ms), self._days[name].at(tape, now_ms)
        flat = Bar(now_ms // DAY * DAY, closing, closing, closing, closing, 0, 0, 0.0)
        last = tape.slice(known - 1, known)
        return ticker_row(self.board.figures[name], last, closing, flat if today is None else today.bar, day)

    def pushed_ticker(self, name: str, now_ms: int, told_ms: int) -> dict[str, Any] | None:
        """Return the websocket's row."""
        row = self.ticker(name, now_ms)
        if row is None:
            return None
        figures, tape = self.board.figures[name], self.board.tape(name, now_ms)
        today = self._days[name].at(tape, now_ms)
        total, bought = (0, 0) if today is None else (today.bar.lots, today.bought)
        known = tape.through(now_ms)
        return {
            "type": "ticker",
            "code": name,
            **row,
            "ask_bid": "BID" if int(tape.slice(known - 1, known).buys[0]) else "ASK",
            "acc_ask_volume": figures.size(total - bought),
            "acc_bid_volume": figures.size(bought),
            "trade_status": None,
            "market_state": "ACTIVE",
            "market_state_for_ios": None,
            "is_trading_suspended": False,
            "delisting_date": None,
            "market_warning": "NONE",
            "timestamp": told_ms,
        }

    def ticker_row(self, name: str, now_ms: int, told_ms: int) -> dict[str, Any] | None:
        """Return the row of `GET /v1/ticker`."""
        row = self.ticker(name, now_ms)
        if row is None:
            return None
        date, clock = korean(row["trade_timestamp"])
        return {"market": name, **row, "trade_date_kst": date, "trade_time_kst": clock, "timestamp": told_ms}

    def bars(self, name: str, first_open: int, last_open: int, length: int, now_ms: int) -> list[Bar]:
        """Return bars that hold trades, oldest first."""
        return [bar for bar in self.board.bars(name, first_open, last_open, length, now_ms) if bar.lots]

    def candles(self, name: str, length: int, before_ms: int, count: int, now_ms: int) -> list[dict[str, Any]]:
        """Return the newest candles that opened before a time, newest first."""
        tape, offset = self.board.tape(name, now_ms), _MONDAY if length == _WEEK else 0
        high = min(tape.through(now_ms), tape.before(-(-(before_ms - offset) // length) * length + offset))
        opens = np.unique((tape.slice(0, high).times - offset) // length)[-count:] * length + offset
        figures, listing = self.board.figures[name], self.board.listings[name]
        rows = []
        for opened in opens.tolist():
            trades = tape.slice(tape.before(opened), min(high, tape.before(opened + length)))
            rows.append({"market": name, **candle_row(figures, bar_of(trades, listing, opened), int(trades.times[-1]))})
        return rows[::-1]

    def candle(self, name: str, bar: Bar, length: int, now_ms: int) -> dict[str, Any]:
        """Return what the websocket says of a bar that holds trades, but for its names."""
        tape = self.board.tape(name, now_ms)
        last = min(tape.through(now_ms), tape.before(bar.open_time + length)) - 1
        return candle_row(self.board.figures[name], bar, int(tape.slice(last, last + 1).times[0]))

    def closing(self, name: str, time_ms: int, now_ms: int) -> int:
        """Return the closing price, in ticks, of the day before a time."""
        return closing_price(self.board.tape(name, now_ms), time_ms)


def moment(written: str) -> int | None:
    """Return the epoch ms of an ISO date and time, UTC unless it says otherwise; None when it is none."""
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
