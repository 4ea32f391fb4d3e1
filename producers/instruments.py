"""A venue's instruments: loaded through ccxt, kept on disk, asked for again on a timer and when the venue lists something.

A start works from the disk while REST is down. A market keeps the symbol under which it is followed: when ccxt calls it something
else one day, that is told, and the new name is taken when it is asked for.
"""

import asyncio
import difflib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from infra.settings import UserError
from producers.clock import Clock
from producers.dialect import Dialect
from producers.failures import RestError, line, patiently
from producers.rest import Rest
from schemas.market import Instrument, Notice, NoticeKind

START_S: Final = 10.0  # how long a venue that does not answer is asked again, at the start
PERIOD_S: Final = 3600.0
_SPACING_S: Final = 30.0  # between two refreshes, however many listings are announced

_log = logging.getLogger(__name__)

Key = tuple[str, str]
"""Type and the venue's own name: some venues call a spot market and a swap the same."""


class Loaded(Struct, frozen=True):
    """The instruments of the symbols that were asked for, in their order. `missing`: near matches by symbol.

    `undescribed`: why, by symbol. `age_s`: how old what is known is, when the venue did not answer; None when it did.
    """

    found: tuple[Instrument, ...]
    missing: dict[str, tuple[str, ...]]
    undescribed: dict[str, str]
    age_s: float | None
    notices: tuple[Notice, ...]

    def checked(self, venue: str) -> tuple[Instrument, ...]:
        """The instruments; raises UserError for the first symbol that has none."""
        for symbol, near in self.missing.items():
            raise UserError(f"{venue} has no market {symbol!r}" + (f"; near are {', '.join(near)}" if near else ""))
        for symbol, reason in self.undescribed.items():
            raise UserError(f"{venue} does not describe {symbol}: {reason}")
        return self.found


class Listing(Struct, frozen=True):
    """What a venue lists, as of a venue time (epoch ms), and what of it cannot be described, by symbol."""

    instruments: dict[Key, Instrument]
    undescribed: dict[str, str]


class _Kept(Struct, frozen=True):
    """The file: from where, when it was written (epoch s), and what is listed there."""

    where: str
    written: float
    instruments: tuple[Instrument, ...]


class Instruments:
    """One venue's, for as long as the process runs."""

    def __init__(self, rest: Rest, dialect: Dialect, file: Path, clock: Clock | None = None) -> None:
        self._rest = rest
        self._dialect = dialect
        self._file = file
        self._clock = clock or Clock()
        self._known: dict[Key, Instrument] = {}
        self._followed: tuple[str, ...] = ()
        self._asked = asyncio.Event()
        self.entries: dict[str, dict[str, Any]] = {}
        """The venue's own entries of what is followed, by market id; none while it has not answered."""

    async def load(self, symbols: Sequence[str]) -> Loaded:
        """What is known of these symbols. Raises UserError when the venue does not answer and nothing is on disk."""
        self._followed = tuple(dict.fromkeys(symbols))
        kept = self._read()
        self._known = {key(one): one for one in kept.instruments} if kept else {}
        age_s: float | None = None
        notices: tuple[Notice, ...] = ()
        undescribed: dict[str, str] = {}
        try:
            async for attempt in patiently(START_S, self._clock):
                with attempt:
                    _, notices, undescribed = await self._update()
        except RestError as error:
            if kept is None:
                where = self._rest.where
                raise UserError(f"no answer from {where}: {error}; check the network or TAPEFLOW_VENUE_URL") from None
            age_s = max(0.0, time.time() - kept.written)
            _log.warning("%s: %s; going on with its instruments as of %s ago", self._rest.where, error, _age(age_s))
        named = {one.symbol: one for one in self._known.values()}
        found = tuple(named[symbol] for symbol in self._followed if symbol in named)
        lost = [symbol for symbol in self._followed if symbol not in named]
        reasons = {symbol: undescribed[symbol] for symbol in lost if symbol in undescribed}
        missing = {symbol: _near(symbol, named) for symbol in lost if symbol not in undescribed}
        return Loaded(found, missing, reasons, age_s, notices)

    async def refresh(self) -> tuple[Instrument | Notice, ...]:
        """Ask again: what has become different about the symbols that were loaded, and what is new. Raises RestError."""
        changed, notices, _ = await self._update()
        return *(one for one in changed if one.symbol in self._followed), *notices

    def ask(self) -> None:
        """The venue has announced something: refresh soon."""
        self._asked.set()

    async def serve(self, publish: Callable[[Instrument | Notice], Awaitable[None]]) -> None:
        """Refresh every hour and when asked to, and publish what has changed, until cancelled."""
        while True:
            await self._clock.sleep(_SPACING_S)
            try:
                async with self._clock.timeout(PERIOD_S - _SPACING_S):
                    await self._asked.wait()
            except TimeoutError:
                pass
            self._asked.clear()
            try:
                for record in await self.refresh():
                    await publish(record)
            except RestError as error:
                _log.warning("%s: instruments not refreshed: %s", self._rest.where, error)

    async def _update(self) -> tuple[tuple[Instrument, ...], tuple[Notice, ...], dict[str, str]]:
        observed = await self._rest.time()
        markets = await self._rest.markets()
        listing = await asyncio.to_thread(described, self._dialect, markets)
        if not listing.instruments:
            raise RestError(f"{self._rest.where} lists no markets")
        listed, renamed = pinned(self._known, listing.instruments, self._followed)
        self.entries = {one["id"]: one["info"] for symbol, one in markets.items() if symbol in self._followed}
        before = self._known
        self._known, changed = compared(before, listed, observed, self._followed)
        await asyncio.to_thread(self._write)
        notices = [self._notice("renamed", message, symbol) for symbol, message in renamed]
        if before:
            fresh = [one.symbol for name, one in self._known.items() if name not in before]
            notices += [self._notice("listed", f"{symbol} is listed", symbol) for symbol in fresh]
        for notice in notices:
            _log.info("%s: %s", notice.venue, notice.message)
        return changed, tuple(notices), listing.undescribed

    def _notice(self, code: str, message: str, symbol: str) -> Notice:
        kind: NoticeKind = "listing" if code == "listed" else "other"
        return Notice(self._dialect.name, self._clock.received(), kind, code, message, symbol)

    def _read(self) -> _Kept | None:
        try:
            kept = msgspec.json.decode(self._file.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            _log.warning("%s cannot be used: %s", self._file, error)
            return None
        return kept if kept.where == self._rest.where else None

    def _write(self) -> None:
        """A full disk must not end what works without it."""
        fresh = self._file.with_suffix(".new")
        kept = _Kept(self._rest.where, time.time(), tuple(self._known.values()))
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(msgspec.json.encode(kept))
            fresh.replace(self._file)
        except OSError as error:
            _log.warning("the instruments cannot be kept in %s: %s", self._file, error)


def key(instrument: Instrument) -> Key:
    """What a market is known by, whatever ccxt calls it."""
    return instrument.type, instrument.market_id


def described(dialect: Dialect, markets: Mapping[str, Mapping[str, Any]]) -> Listing:
    """The instruments of ccxt's markets. One that makes no sense is left out, and named."""
    found: dict[Key, Instrument] = {}
    undescribed: dict[str, str] = {}
    for symbol, market in markets.items():
        try:
            instrument = dialect.instrument(market)
        except (LookupError, TypeError, ValueError, ArithmeticError) as error:
            undescribed[symbol] = line(error)
        else:
            found[key(instrument)] = instrument
    return Listing(found, undescribed)


def pinned(
    known: Mapping[Key, Instrument], listed: Mapping[Key, Instrument], followed: Iterable[str]
) -> tuple[dict[Key, Instrument], list[tuple[str, str]]]:
    """What is listed, each market that is followed under the symbol it had; and for each whose name is new, symbol and message.

    A market whose new symbol is asked for, and whose old one is not, takes the new one. No symbol names two markets.
    """
    wanted = set(followed)
    kept = {name: one.symbol for name, one in known.items() if one.symbol in wanted}
    taken = set(kept.values())
    found: dict[Key, Instrument] = {}
    renamed = []
    for name, one in listed.items():
        before = known[name].symbol if name in known else one.symbol
        if name in kept:
            found[name] = structs.replace(one, symbol=kept[name])
            if before != one.symbol:
                told = f"ccxt calls {before} {one.symbol} now; it stays {before} here until TAPEFLOW_MARKETS says otherwise"
                renamed.append((before, told))
        elif one.symbol not in taken:
            found[name] = one
            if before != one.symbol and one.symbol in wanted:
                renamed.append((one.symbol, f"{before} is called {one.symbol} from now on; its past stays under {before}"))
    return found, renamed


def compared(
    before: Mapping[Key, Instrument], listed: Mapping[Key, Instrument], observed: int, followed: Iterable[str]
) -> tuple[dict[Key, Instrument], tuple[Instrument, ...]]:
    """What is known now, and what of it has changed.

    What is as before keeps its `valid_from`. What is new is valid from its listing, what has changed or is listed no more from
    when that was observed. What is gone is remembered where it is followed.
    """
    wanted = set(followed)
    known: dict[Key, Instrument] = {}
    changed = []
    for name, one in listed.items():
        old = before.get(name)
        if old is not None and structs.replace(one, valid_from=old.valid_from) == old:
            known[name] = old
            continue
        known[name] = one if old is None else structs.replace(one, valid_from=observed)
        changed.append(known[name])
    for name, one in before.items():
        if name not in listed and one.symbol in wanted:
            known[name] = structs.replace(one, active=False, valid_from=observed) if one.active else one
            if one.active:
                changed.append(known[name])
    return known, tuple(changed)


def _near(symbol: str, symbols: Iterable[str]) -> tuple[str, ...]:
    return tuple(difflib.get_close_matches(symbol, symbols, n=3, cutoff=0.3))


def _age(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"
