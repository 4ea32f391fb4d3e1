"""The paper venue: resting orders against the trades the market really made.

Every order fills whole, on one trade of the tape, in log order:

- a **market** order on the first trade whose time is at least the order's time plus a latency of 5 to 50 ms of event time
  (taken from the order's id, so a replay has the same), at that trade's price; not at all once a trade has passed `until`;
- a **stop** on the first trade at or beyond its trigger, at that trade's price: a gap through the stop is paid in full;
- a **limit** on the first trade at or beyond its price, at its own price: never better than asked.

Stops and limits rest at the venue, so latency is none of theirs. The size of the trade that fills is not looked at:
orders are small beside the market. Which trades came in one record makes no difference. Notional and fees are exact
decimals; an inverse contract's division is rounded half-even to 12 places once.
"""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from schemas import exact, ids
from schemas.market import Trades
from schemas.trading import Fill, Order

LATENCY_MS: Final = (5, 50)
_INVERSE_PLACES: Final = Decimal("1E-12")

Column = npt.NDArray[np.int64]


class Resting(Struct, frozen=True):
    """An open order. A market order fills on trades of times in [since, until], epoch ms; others look at prices only."""

    order: Order
    since: int
    until: int | None = None


@dataclass(frozen=True)
class Tape:
    """Trades in log order: columns of equal length, prices in units of 10**-price_scale, times in epoch ms."""

    ids: Column
    times: Column
    prices: Column
    price_scale: int


_EMPTY: Column = np.array([], dtype=np.int64)
NOTHING = Tape(_EMPTY, _EMPTY, _EMPTY, 0)


@dataclass(frozen=True)
class Terms:
    """What an amount of 1 is worth and what a fill costs: `fee_rate` of the notional, in `currency`."""

    contract_size: Decimal
    inverse: bool
    fee_rate: Decimal
    currency: str


def tape(trades: Trades, after_id: int) -> Tape:
    """The trades of a record that were not seen before: ids rise, so one that is not above all before it is known."""
    arrived = np.array(trades.ids, dtype=np.int64)
    seen = np.maximum.accumulate(np.concatenate((np.array([after_id], dtype=np.int64), arrived)))[:-1]
    new = arrived > seen
    times, prices = (np.array(column, dtype=np.int64) for column in (trades.times, trades.prices))
    return Tape(arrived[new], times[new], prices[new], trades.price_scale)


def split(tape: Tape, at: Sequence[int]) -> list[Tape]:
    """The tape cut at rising times (epoch ms): one part more than times, each in log order.

    A trade of exactly such a time is in the part after it.
    """
    if not at:
        return [tape]
    part = np.searchsorted(np.array(at, dtype=np.int64), tape.times, side="right")
    chosen = (part == number for number in range(len(at) + 1))
    return [Tape(tape.ids[rows], tape.times[rows], tape.prices[rows], tape.price_scale) for rows in chosen]


def currency(symbol: str) -> str:
    """What a market settles in, by its ccxt symbol: the settle currency of a derivative, else the quote.

    >>> currency("BTC/USDT"), currency("BTC/USDT:USDT"), currency("BTC/USD:BTC-241227")
    ('USDT', 'USDT', 'BTC')
    """
    pair, _, settle = symbol.partition(":")
    return settle.partition("-")[0] or pair.rpartition("/")[2]


def latency(client_order_id: str) -> int:
    """Milliseconds of event time that a market order needs to the venue: 5 to 50, always the same for one id."""
    low, high = LATENCY_MS
    return low + zlib.crc32(client_order_id.encode()) % (high - low + 1)


def rest(order: Order, until: int | None = None) -> Resting:
    """The order as it lies at the venue; `until` (epoch ms) bounds a market order."""
    return Resting(order, order.time + latency(order.client_order_id), until)


def notional(price: Decimal, amount: Decimal, terms: Terms) -> Decimal:
    """Worth of `amount` native units at `price`: quote units, or base units for an inverse contract."""
    face = exact.EXACT.multiply(amount, terms.contract_size)
    if not terms.inverse:
        return exact.EXACT.multiply(face, price).normalize(exact.EXACT)
    worth = exact.EXACT.divide(face, price).quantize(_INVERSE_PLACES, ROUND_HALF_EVEN, exact.EXACT)
    return worth.normalize(exact.EXACT)


def match(resting: tuple[Resting, ...], tape: Tape, start: int, terms: Terms) -> tuple[int, tuple[Fill, ...]]:
    """The first trade from index `start` on that fills anything: its index and its fills, in the order the orders rest.

    The length of the tape and no fills when nothing happens.
    """
    hits = [_first_hit(one, tape, start) for one in resting]
    at = min(hits, default=len(tape.ids))
    if at == len(tape.ids):
        return at, ()
    return at, tuple(_fill(one.order, tape, at, terms) for one, hit in zip(resting, hits, strict=True) if hit == at)


def _first_hit(resting: Resting, tape: Tape, start: int) -> int:
    """Index of the first trade from `start` on that fills the order, or the length of the tape."""
    hit = _hits(resting, tape, start)
    first = int(hit.argmax()) if hit.size else 0
    return start + first if hit.size and hit[first] else len(tape.ids)


def _hits(resting: Resting, tape: Tape, start: int) -> npt.NDArray[np.bool_]:
    order = resting.order
    if order.price is None:
        times = tape.times[start:]
        due = times >= resting.since
        if resting.until is None:
            return due
        # Times need not rise as ids do; the first trade past the end is the end, in whatever record the next one comes.
        return due & (np.maximum.accumulate(times) <= resting.until)
    prices: npt.NDArray[Any] = tape.prices[start:]
    level = order.price.scaleb(tape.price_scale, exact.EXACT)
    # A sell stop and a buy limit wait for the price to fall, a buy stop and a sell limit for it to rise.
    if (order.side == "sell") == (order.type == "stop"):
        return prices <= math.floor(level)
    return prices >= math.ceil(level)


def _fill(order: Order, tape: Tape, at: int, terms: Terms) -> Fill:
    traded = exact.from_scaled(int(tape.prices[at]), tape.price_scale)
    price = order.price if order.type == "limit" and order.price is not None else traded
    trade_id = int(tape.ids[at])
    return Fill(
        id=ids.fill_id(order.client_order_id, trade_id),
        client_order_id=order.client_order_id,
        venue=order.venue,
        symbol=order.symbol,
        account=order.account,
        strategy=order.strategy,
        leg=order.leg,
        side=order.side,
        price=price,
        amount=order.amount,
        fee=exact.EXACT.multiply(notional(price, order.amount, terms), terms.fee_rate).normalize(exact.EXACT),
        fee_currency=terms.currency,
        trade_id=trade_id,
        time=int(tape.times[at]),
    )
