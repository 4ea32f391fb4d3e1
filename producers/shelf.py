"""The order books of one connection: begun again when they break, and told on a change, at most ten times a second each."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from producers import books
from producers.books import Status
from producers.dialect import BookPushed, Dialect
from schemas.market import Book, Instrument

TOLD_EVERY_S: Final = 0.1
PATIENCE_S: Final = 10.0  # how long a snapshot may take
LONGEST_WAIT_S: Final = 60.0
REFRESH_S: Final = 5.0  # between two snapshots of a book that the market is about to leave
SOUND_S: Final = 60.0  # a book that lived so long and breaks is begun again at once
_MOST_TRIES: Final = 10
LOST: Final = "the connection was lost"


class _Kept(Struct):
    """One book, how it is doing, and what was told of it; `pushed` counts the changes since. `fetched`: it begins over REST."""

    instrument: Instrument
    book: books.Book
    fetched: bool
    tries: int = 0
    live_since: float = 0.0
    refresh_at: float = 0.0
    changes: int = 0
    told: float = float("-inf")
    received: int = 0
    pushed: int = 0


class Shelf:
    """Times are seconds of a clock that never runs back, `received` epoch microseconds."""

    def __init__(self, dialect: Dialect, instruments: Iterable[Instrument]) -> None:
        self._dialect = dialect
        self._instruments: Mapping[str, Instrument] = {one.market_id: one for one in instruments}
        self._kept: dict[str, _Kept] = {}
        self._begin_at: dict[str, float] = {}
        self._changed: set[str] = set()
        self._overtaken: set[str] = set()
        self.dropped = 0
        """Changes that were overtaken by newer ones before they were told."""

    def granted(self, market_id: str, now: float) -> None:
        """The venue is going to tell of a book: it begins with a snapshot, which some give over REST only."""
        kept = self._kept.get(market_id) or self._begin(market_id)
        kept.book.restart()
        self._begin_at[market_id] = now if kept.fetched else now + PATIENCE_S

    def pushed(self, event: BookPushed, received: int, now: float, *, fetched: bool = False) -> None:
        """A snapshot or a change came; `fetched` over REST."""
        kept = self._kept.get(event.market_id) or self._begin(event.market_id)
        book, before = kept.book, kept.book.status
        status = book.apply(event, fetched=fetched)
        kept.received = received
        if status is Status.LIVE:
            self._begin_at.pop(event.market_id, None)
            kept.live_since = kept.live_since if before is Status.LIVE else now
            if kept.fetched and book.narrow and now >= kept.refresh_at:
                kept.refresh_at = now + REFRESH_S
                self._begin_at[event.market_id] = now
        elif status is Status.BROKEN and before is not Status.BROKEN:
            kept.tries = kept.tries if now - kept.live_since <= SOUND_S else 0
            self._begin_at[event.market_id] = now + (_wait(kept) if kept.tries else 0.0)
            kept.tries = min(kept.tries + 1, _MOST_TRIES)
        if book.changes != kept.changes and status is not Status.WAITING:
            kept.pushed += 1
            self._changed.add(event.market_id)

    def failed(self, market_id: str, now: float) -> None:
        """The snapshot could not be fetched, or does not fit: later again."""
        kept = self._kept.get(market_id)
        if kept is not None and kept.book.status is Status.WAITING:
            self._begin_at[market_id] = now + _wait(kept)
            kept.tries = min(kept.tries + 1, _MOST_TRIES)

    def begin_again(self, now: float) -> tuple[list[str], list[str]]:
        """What is to be fetched over REST now, and what is to be subscribed to anew. To be asked after `due`."""
        fetch: list[str] = []
        subscribe: list[str] = []
        for market_id in [one for one, at in self._begin_at.items() if now >= at]:
            kept = self._kept[market_id]
            if kept.fetched:
                fetch.append(market_id)
                del self._begin_at[market_id]  # until there is an answer
            else:
                subscribe.append(market_id)
                kept.tries = min(kept.tries + (kept.book.status is Status.WAITING), _MOST_TRIES)
                self._begin_at[market_id] = now + PATIENCE_S + _wait(kept)
            if kept.book.status is Status.LIVE:
                kept.book.keep()
            else:
                kept.book.restart()
        return fetch, subscribe

    def due(self, now: float, *, all_of_them: bool) -> list[Book]:
        """The books that have changed since the last time and were not told of just now; those too that waited for that.

        A break is told at once.
        """
        made: list[Book] = []
        for market_id in self._changed | self._overtaken if all_of_them else self._changed:
            kept = self._kept[market_id]
            if now - kept.told < TOLD_EVERY_S and kept.book.status is not Status.BROKEN:
                self._overtaken.add(market_id)
                continue
            self._overtaken.discard(market_id)
            made.append(_record(kept))
            self.dropped += max(0, kept.pushed - 1)
            kept.told, kept.changes, kept.pushed = now, kept.book.changes, 0
        self._changed.clear()
        return made

    def lost(self, received: int) -> list[Book]:
        """The connection is gone: no book that was told is to be taken for current any longer."""
        live = [kept for kept in self._kept.values() if kept.book.status is Status.LIVE]
        told = [_broken(kept, received, LOST) for kept in live]
        for kept in live:
            kept.book.restart()
        return told

    def _begin(self, market_id: str) -> _Kept:
        instrument = self._instruments[market_id]
        fetched = self._dialect.book_request(instrument) is not None
        kept = self._kept[market_id] = _Kept(instrument, books.Book(self._dialect.book_rule(instrument)), fetched)
        return kept


def _wait(kept: _Kept) -> float:
    return float(min(LONGEST_WAIT_S, 2.0**kept.tries))


def _record(kept: _Kept) -> Book:
    try:
        return books.record(kept.instrument, kept.book, kept.received)
    except ValueError as error:  # levels that no one scale holds
        return _broken(kept, kept.received, str(error))


def _broken(kept: _Kept, received: int, reason: str) -> Book:
    instrument = kept.instrument
    return Book(instrument.venue, instrument.symbol, kept.book.time, received, kept.book.sequence, broken=reason)
