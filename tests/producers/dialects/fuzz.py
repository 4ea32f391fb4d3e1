"""Hostile frames by the million: every sample of every venue, mutated, through its dialect and into an order book.

Whatever a frame holds, a dialect gives events or a FrameError, and no event holds a figure that the frame does not. `make fuzz`
runs a million cases over all processors; a slice is part of the suite. Case `n` of a seed is always the same frame.
"""

import argparse
import contextlib
import functools
import json
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from rich.progress import Progress

from producers.books import Book, record
from producers.dialect import (
    BookPushed,
    CandlePushed,
    Event,
    FrameError,
    Funded,
    Held,
    Ids,
    Marked,
    Quoted,
    Told,
    TradesPushed,
)
from producers.dialects import DIALECTS
from schemas.exact import INT64_MAX
from tests.producers.dialects.mutations import TOKEN, mutated
from tests.producers.dialects.samples import PAGES, instrument, samples

SHARED: Final = Path(__file__).parents[4] / "shared"
CHUNK: Final = 5_000
PRIVATE: Final = re.compile("account|algo_|fill|leverage_|login|order_update_|position|ws_|futures_")

_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


Figure = tuple[str, Decimal | None, bool]


def _of(*names: str, zero: tuple[str, ...] = ()) -> Callable[[Any], Iterator[Figure]]:
    return lambda event: ((name, getattr(event, name), name in zero) for name in names)


_trade, _candle = _of("price", "amount"), _of("open", "high", "low", "close", "volume", zero=("volume",))
_quote = ("bid", "bid_amount", "ask", "ask_amount")
FIGURES: Final[dict[type[Event], Callable[[Any], Iterator[Figure]]]] = {
    TradesPushed: lambda event: (figure for trade in event.trades for figure in _trade(trade)),
    BookPushed: lambda event: (
        figure for price, amount in (*event.bids, *event.asks) for figure in (("price", price, False), ("amount", amount, True))
    ),
    CandlePushed: lambda event: _candle(event.candle),
    Quoted: _of(*_quote, zero=_quote),
    Told: _of("price", "amount", zero=("amount",)),
    Marked: _of("mark", "index"),
    Held: _of("amount", zero=("amount",)),
    Funded: lambda event: iter((("rate", event.rate.copy_abs(), True),)),
}
"""Every price and amount of an event, and whether it may be zero."""


def numbers(frame: bytes) -> set[Decimal]:
    """Every number that stands in a frame, bare or as a text of its own."""
    found = set()
    for token in TOKEN.findall(frame.decode(errors="replace")):
        text = token
        if token.startswith('"'):
            try:
                text = json.loads(token, strict=False)
            except ValueError:
                continue
        if len(text) < 60 and _NUMBER.fullmatch(text):
            with contextlib.suppress(ArithmeticError):  # an exponent beyond any number
                found.add(Decimal(text).copy_abs())
    return found


def understood(venue: str, frame: bytes, page: str) -> tuple[Event, ...]:
    """What a dialect makes of a frame, or of a page over REST as ccxt hands it on. Raises FrameError."""
    if not page:
        return DIALECTS[venue].parse(frame)
    asked = instrument(venue, frame)
    try:
        answer = json.loads(frame, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        raise FrameError("ccxt says so itself") from None
    found = getattr(DIALECTS[venue], page)(asked, answer)
    if page == "trades_page":
        return (TradesPushed(asked.market_id, found),) if found else ()
    return (found,) if page == "book_page" else tuple(CandlePushed("", told.candle, None, told.closed) for told in found)


def verdict(venue: str, frame: bytes, page: str = "") -> str:
    """What became of a frame: the kinds of its events, or `refused`. Raises AssertionError for what must not be."""
    try:
        events = understood(venue, frame, page)
    except FrameError:
        return "refused"
    written: set[Decimal] | None = None
    for event in events:
        for name, value, zero in FIGURES.get(type(event), _of())(event):
            if value is None:
                continue
            written = numbers(frame) if written is None else written
            assert value.is_finite(), f"{name} {value}"
            assert value > 0 or (zero and value == 0), f"{name} {value}"
            assert value == 0 or value in written, f"{name} {value} does not stand in the frame"
        if isinstance(event, TradesPushed):
            _check_trades(venue, event)
        if isinstance(event, BookPushed):
            _check_book(venue, event)
        time = event.candle.open_time if isinstance(event, CandlePushed) else getattr(event, "time", 0)
        assert 0 <= time <= INT64_MAX, f"time {time}"
    return (f"{page}: " if page else "") + (" + ".join(sorted({type(event).__name__ for event in events})) or "nothing")


def _check_trades(venue: str, event: TradesPushed) -> None:
    numbered = DIALECTS[venue].ids(instrument(venue)) is not Ids.NAMED
    for trade in event.trades:
        assert 0 <= trade.id <= INT64_MAX, f"id {trade.id}"
        assert 0 <= trade.time <= INT64_MAX, f"time {trade.time}"
        assert trade.count >= 1, f"count {trade.count}"
        assert not numbered or 0 <= trade.first_id <= trade.id, f"first id {trade.first_id} of {trade.id}"


def _check_book(venue: str, event: BookPushed) -> None:
    book = Book(DIALECTS[venue].book_rule(instrument(venue)))
    book.apply(BookPushed(event.market_id, 0, (), (), snapshot=True, last=event.previous or 1))
    book.apply(event)
    with contextlib.suppress(ValueError):  # levels that no one scale holds
        record(instrument(venue), book, 0)


Corpus = dict[str, list[list[tuple[str, bytes]]]]
"""Of each venue, file by file so that none is rare: the page that a sample is, if any, and its text."""


def corpus(shared: Path) -> Corpus:
    """All that a venue sends: private frames too, but not what a client sends."""
    found: Corpus = {}
    for venue in DIALECTS:
        by_kind: dict[str, list[tuple[str, bytes]]] = {}
        for sample in samples(shared, venue):
            if sample.kind in PAGES or not ("request" in sample.kind or sample.kind.startswith("rest_")):
                kind = "private" if PRIVATE.match(sample.kind) else sample.kind
                by_kind.setdefault(kind, []).append((PAGES.get(sample.kind, ""), sample.text))
        found[venue] = list(by_kind.values())
    return found


def run(seed: int, begin: int, end: int, frames: Corpus) -> tuple[Counter[tuple[str, str]], list[str]]:
    """Cases `begin` to `end`: how often what came out of which venue, and what went wrong."""
    counts: Counter[tuple[str, str]] = Counter()
    failures: list[str] = []
    venues = list(frames)
    for case in range(begin, end):
        rng = random.Random(f"{seed}:{case}")
        venue = rng.choice(venues)
        page, frame = rng.choice(rng.choice(frames[venue]))
        spoiled = mutated(rng, frame)
        try:
            counts[venue, verdict(venue, spoiled, page)] += 1
        except Exception as error:  # noqa: BLE001 - anything at all is a finding
            failures.append(f"{venue} {page}, case {case}: {type(error).__name__}: {error}\n    {spoiled[:2_000]!r}")
    return counts, failures


@functools.cache
def _corpus() -> Corpus:
    return corpus(SHARED)


def _chunk(seed: int, begin: int, end: int) -> tuple[Counter[tuple[str, str]], list[str]]:
    return run(seed, begin, end, _corpus())


def main(arguments: Sequence[str]) -> int:
    """Run, show progress, print the counts; 1 when something went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    asked = parser.parse_args(arguments)
    if not SHARED.is_dir():
        sys.stdout.write(f"there are no samples at {SHARED}: put them there\n")
        return 2
    begins = range(0, asked.cases, CHUNK)
    counts: Counter[tuple[str, str]] = Counter()
    failures: list[str] = []
    with ProcessPoolExecutor(asked.processes) as pool, Progress() as progress:
        task = progress.add_task("cases", total=asked.cases)
        ends = [min(begin + CHUNK, asked.cases) for begin in begins]
        for number, (counted, failed) in enumerate(pool.map(_chunk, [asked.seed] * len(ends), begins, ends)):
            counts += counted
            failures += failed
            progress.update(task, completed=ends[number])
    for venue in DIALECTS:
        told = {outcome: count for (one, outcome), count in counts.most_common() if one == venue}
        sys.stdout.write(f"{venue}: {sum(told.values()):,}\n")
        sys.stdout.writelines(f"    {count:>9,}  {outcome}\n" for outcome, count in told.items())
    sys.stdout.writelines(f"{failure}\n" for failure in failures[:50])
    sys.stdout.write(f"{sum(counts.values()):,} cases of seed {asked.seed} as they should be, {len(failures)} not\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
