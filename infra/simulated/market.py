"""The market: every instrument's trades, made as the clock asks for them and never twice.

What an instrument trades depends on the seed and its name alone: not on the other instruments, nor on when, how often
or by whom it was asked. Trades are made in stretches of 20 market minutes, in order, and each stretch in one go.
"""

import math
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from infra.simulated.listing import Listing
from infra.simulated.quotes import Quote, quote_after
from infra.simulated.tape import Ints, Tape, Trades
from infra.simulated.walk import minutes

MINUTE = 60_000
STRETCH = 20  # minutes made at a time; a bursty market has one burst in each of 60 / bursts of them
_SWEEP = 0.12  # share of orders that take several resting ones: trades of the same millisecond
_BURST_MS = 1000

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Maker = Iterator[Trades]
QuoteSource = Callable[[int], Quote | None]


class Market:
    """Instruments and their tapes. `makers` yield, for each instrument, trades in order, without end or until theirs."""

    def __init__(self, start_ms: int, makers: dict[Listing, Maker], quotes: dict[Listing, QuoteSource]) -> None:
        self.start_ms = start_ms
        self.listings = tuple(makers)
        self._makers = makers
        self._quotes = quotes
        self._tapes = {listing: Tape() for listing in makers}
        self._alone = threading.Lock()  # a ledger may be read while the venue serves

    def tape(self, listing: Listing, now_ms: int) -> Tape:
        """Return the tape of an instrument, complete through `now_ms`. It may hold later trades too: ask by time."""
        tape = self._tapes[listing]
        with self._alone:
            while tape.through(now_ms) == len(tape):
                batch = next(self._makers[listing], None)
                if batch is None:
                    break
                tape.append(batch)
        return tape

    def quote(self, listing: Listing, now_ms: int) -> Quote | None:
        """Return the best bid and ask at a time; None before anything was traded."""
        recorded = self._quotes.get(listing)
        if recorded is not None and (quote := recorded(now_ms)) is not None:
            return quote
        tape = self.tape(listing, now_ms)
        known = tape.through(now_ms)
        if not known:
            return None
        last = tape.slice(known - 1, known)
        return quote_after(listing, int(last.prices[0]), bool(last.buys[0]), now_ms)


def random_market(
    seed: int, listings: Sequence[Listing], start_ms: int, history: int = 500, length: int | None = None, salt: str = ""
) -> Market:
    """Make a market that opened `history` minutes before `start_ms` and trades for `length` minutes after it.

    What is listed under the same name in two markets trades differently in each if they are of different `salt`.
    """
    opened, closes = start_ms - history * MINUTE, None if length is None else start_ms + length * MINUTE
    return Market(start_ms, {one: trades_of(seed, one, opened, closes, salt) for one in listings}, {})


def trades_of(seed: int, listing: Listing, opened: int, closes: int | None = None, salt: str = "") -> Maker:
    """Yield the trades of one instrument, 20 minutes at a time, from `opened` until before `closes`."""
    seeds = [seed, zlib.crc32(listing.name.encode()), *([zlib.crc32(salt.encode())] if salt else [])]
    dice = np.random.Generator(np.random.PCG64(seeds))
    walk = minutes(listing.temper, _one_by_one(dice))
    next_id = 100_000_000 + int(dice.random() * 800_000_000)
    ticks = float(listing.price / listing.tick)
    level, begins = 0.0, opened
    burst_every = 60 // STRETCH // listing.temper.bursts if listing.temper.bursts else 0
    stretch = 0
    while closes is None or begins < closes:
        levels = [level, *(next(walk) for _ in range(STRETCH))]
        level = levels[-1]
        times = _times(dice, listing.temper.rate, burst=bool(burst_every) and stretch % burst_every == 0)
        made = _stretch(dice, listing, ticks, levels, times)
        made = made._replace(times=made.times + begins, ids=made.ids + next_id)
        if closes is not None:
            made = Trades(*(column[made.times < closes] for column in made))
        next_id += len(made.ids)
        begins += STRETCH * MINUTE
        stretch += 1
        yield made


def _times(dice: np.random.Generator, rate: float, *, burst: bool) -> Ints:
    """Return when orders meet within a stretch, in milliseconds from its start: a Poisson stream, and a burst."""
    length = STRETCH * MINUTE
    expected = rate * STRETCH
    gaps = -np.log1p(-dice.random(int(expected + 8 * math.sqrt(expected) + 20))) * MINUTE / rate
    times = np.cumsum(gaps)
    times = times[times < length]
    if burst:
        begins = dice.random() * (length - _BURST_MS)
        times = np.sort(np.concatenate([times, begins + dice.random(1000) * _BURST_MS]))
    return times.astype(np.int64)


def _stretch(dice: np.random.Generator, listing: Listing, ticks: float, levels: list[float], times: Ints) -> Trades:
    """Price and size the orders of one stretch; some sweep several prices within their millisecond."""
    sweeps = np.where(dice.random(len(times)) < _SWEEP, 2 + (dice.random(len(times)) * 3).astype(np.int64), 1)
    rank = np.arange(int(sweeps.sum())) - np.repeat(np.cumsum(sweeps) - sweeps, sweeps)
    middle = ticks * np.exp(np.interp(times, np.arange(len(levels)) * MINUTE, levels))
    slope = np.diff(levels)[times // MINUTE] / (listing.temper.jolt / 4)
    buys = dice.random(len(times)) < 0.5 + 0.35 * np.clip(slope, -1.0, 1.0)
    jitter = (dice.random(len(times)) - 0.5) * 0.0001 * middle
    touched = np.where(buys, np.ceil(middle + jitter), np.floor(middle + jitter))
    prices = np.repeat(touched, sweeps) + rank // listing.temper.stack * np.where(np.repeat(buys, sweeps), 1, -1)
    sizes = listing.lots * 0.05 + listing.lots * (-np.log1p(-dice.random(len(rank)))) ** 1.5
    return Trades(
        ids=np.arange(len(rank), dtype=np.int64),
        times=np.repeat(times, sweeps),
        prices=np.maximum(prices, 1).astype(np.int64),
        sizes=np.maximum(sizes, 1).astype(np.int64),
        buys=np.repeat(buys, sweeps).astype(np.int64),
    )


def _one_by_one(dice: np.random.Generator) -> Callable[[], float]:
    return lambda: float(dice.random())
