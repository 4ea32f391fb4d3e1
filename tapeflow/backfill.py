"""`tapeflow backfill`: a venue's past into a file, with what is missing in it told at the end."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from infra.settings import Settings, UserError
from producers import backfill
from producers.backfill_journal import Journal, Span, Wanted, begun
from producers.dialect import FrameError
from producers.dialects import DIALECTS
from producers.instruments import Instruments
from producers.rest import Rest, RestError
from schemas.market import Instrument

HOLES: Final = 3
_PATIENCE_S: Final = 900.0  # how long a request waits for its turn: nobody else waits for a backfill
_SHOWN: Final = 10


@dataclass(frozen=True)
class Backfill:
    """What the command line asks for."""

    venue: str
    symbol: str
    since: str
    until: str | None
    timeframe: str | None
    out: Path | None

    def run(self, settings: Settings, console: Console) -> int:
        """Fetch it, write it, tell what is missing; returns the exit code. Raises UserError."""
        if self.venue not in DIALECTS:
            raise UserError(f"unknown venue {self.venue!r}; there are {', '.join(DIALECTS)}")
        since = moment(self.since, "--from")
        until = None if self.until is None else moment(self.until, "--to")
        out = self.out or Path(
            f"{self.venue}-{self.symbol.replace('/', '-').replace(':', '-')}-{self._what}-{self.since[:10]}.csv.gz"
        )
        if not out.absolute().parent.is_dir():
            raise UserError(f"there is no folder {out.absolute().parent} to write {out.name} to")
        old = begun(_journal(out))
        if out.exists() and old is None:
            raise UserError(f"{out} is there already; remove it, or name another --out")
        if old is not None and (until is None or until > old.until):
            until = old.until  # which was now, then
        try:
            return asyncio.run(self._run(settings, console, since, until, out))
        except KeyboardInterrupt:
            console.print(f"stopped; the same command goes on from here ({_journal(out)})", soft_wrap=True)
            raise
        except (RestError, FrameError) as error:
            raise UserError(f"{self.venue} does not answer: {error}; the same command goes on from here") from None

    @property
    def _what(self) -> str:
        return self.timeframe or "trades"

    async def _run(self, settings: Settings, console: Console, since: int, until: int | None, out: Path) -> int:
        dialect = DIALECTS[self.venue]
        async with Rest(settings, self.venue, _PATIENCE_S) as rest:
            if self.timeframe is not None and self.timeframe not in rest.timeframes:
                raise UserError(f"{self.venue} has no candles of {self.timeframe!r}; there are {', '.join(rest.timeframes)}")
            file = settings.state / "instruments" / f"{self.venue}.json"
            (instrument,) = (await Instruments(rest, dialect, file).load([self.symbol])).checked(self.venue)
            step = rest.timeframes[self.timeframe] if self.timeframe else 1
            span = _span(since, until, step, await rest.time())
            wanted = Wanted(self.venue, self.symbol, span.since, span.until, self.timeframe)
            with Journal(_journal(out), wanted) as journal:
                holes = await self._fetch(rest, instrument, journal, step, console)
                journal.write(out)
                count = journal.count()
                if not holes:
                    journal.remove()
        console.print(f"{out}: {count:,} {'candles' if self.timeframe else 'trades'}", soft_wrap=True)
        _tell(holes, _journal(out), console)
        return HOLES if holes else 0

    async def _fetch(self, rest: Rest, instrument: Instrument, journal: Journal, step: int, console: Console) -> Sequence[Span]:
        wanted, dialect = journal.wanted, DIALECTS[self.venue]
        total = wanted.until - wanted.since
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            if self.timeframe and not journal.left():
                journal.forget(backfill.missing_candles(journal, step))
            left = sum(span.until - span.since for span in journal.left())
            task = bar.add_task(f"{self.venue}:{self.symbol} {self._what}", total=total, completed=total - left)

            def progress(done: int) -> None:
                bar.update(task, advance=done)

            if self.timeframe:
                await backfill.candles(rest, journal, progress)
                return backfill.missing_candles(journal, step)
            await backfill.trades(rest, dialect, instrument, journal, progress)
            return backfill.missing_trades(journal, dialect.ids(instrument))


def moment(text: str, option: str) -> int:
    """Epoch ms of a date or time as ISO 8601 writes it; UTC where it names no zone. Raises UserError."""
    try:
        found = datetime.fromisoformat(text)
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise UserError(f"{option} {text!r} is no time: write it as 2026-01-31 or 2026-01-31T12:00 (UTC)") from None


def _span(since: int, until: int | None, step: int, now: int) -> Span:
    """What is over already, in whole candles. Raises UserError when there is nothing of it."""
    span = Span(-(-since // step) * step, min(now if until is None else until, now) // step * step)
    if span.since >= span.until:
        raise UserError(f"there is nothing between --from {_shown(since)} and --to {_shown(now if until is None else until)}")
    return span


def _tell(holes: Sequence[Span], journal: Path, console: Console) -> None:
    if not holes:
        return
    missing = sum(span.until - span.since for span in holes)
    console.print(f"missing: {len(holes)} holes, {missing / 60_000:,.0f} minutes; the venue did not give them:", soft_wrap=True)
    for span in holes[:_SHOWN]:
        console.print(f"  {_shown(span.since)} to {_shown(span.until)}", soft_wrap=True)
    if len(holes) > _SHOWN:
        console.print(f"  and {len(holes) - _SHOWN} more", soft_wrap=True)
    console.print(f"the same command asks for them again; {journal} remembers the rest", soft_wrap=True)


def _shown(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _journal(out: Path) -> Path:
    return out.with_name(f"{out.name}.journal")
