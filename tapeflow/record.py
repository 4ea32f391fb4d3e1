"""`tapeflow record`: what venues send, frame by frame, into files; and on the screen how it goes."""

import asyncio
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table

from infra.settings import Settings, UserError
from producers import listed
from producers.record import CONNECTIONS, Connections, RecordedVenue
from producers.recorder import Recorder

_SHOWN_S: Final = 1.0
_TOLD_S: Final = 10.0  # where there is no screen


@dataclass(frozen=True)
class Recording:
    """What the command line asks for; sizes in bytes, 0 seconds for no end."""

    settings: Settings
    out: Path
    seconds: int
    most: int
    rotate: int

    def run(self, console: Console) -> None:
        """Record until the time is over, Ctrl-C or SIGTERM. Raises UserError."""
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot write to {self.out}: {error.strerror}") from None
        begun = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        connections = Connections(self.out / CONNECTIONS)
        share = self.most // len(self.settings.symbols())
        venues = []
        try:
            for name in self.settings.symbols():
                recorder = Recorder(self.out, name, begun, self.rotate, share)
                venues.append(RecordedVenue(self.settings, name, recorder, connections, begun))
            asyncio.run(self._until_told(venues, console))
        except ExceptionGroup as errors:
            told, _ = errors.split(UserError)
            if told is None:
                raise
            raise _first(told) from None
        finally:
            for venue in venues:
                venue.recorder.close()
            connections.end(time.time_ns() // 1000)
        for venue in venues:
            console.print(f"{venue.name}: {_told(venue)}", soft_wrap=True)

    async def _until_told(self, venues: list[RecordedVenue], console: Console) -> None:
        work = asyncio.create_task(self._work(venues, console))
        loop = asyncio.get_running_loop()
        for told in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(told, work.cancel)
        with suppress(asyncio.CancelledError):
            await work

    async def _work(self, venues: list[RecordedVenue], console: Console) -> None:
        symbols = self.settings.symbols()
        with console.status("asking for the instruments"):
            loaded = await asyncio.gather(*(venue.load(symbols[venue.name]) for venue in venues))
        instruments = [one for found, _ in loaded for one in found]
        entries = {venue.name: found for venue, (_, found) in zip(venues, loaded, strict=True)}
        listed.add(self.out / listed.NAME, instruments, entries)
        with suppress(TimeoutError):
            async with asyncio.timeout(self.seconds or None), asyncio.TaskGroup() as group:
                for venue, (found, _) in zip(venues, loaded, strict=True):
                    group.create_task(venue.run(found))
                await _show(venues, console)


async def _show(venues: list[RecordedVenue], console: Console) -> None:
    if not console.is_terminal:
        while True:
            await asyncio.sleep(_TOLD_S)
            for venue in venues:
                console.print(f"{venue.name}: {_told(venue)}", soft_wrap=True)
    before = {venue.name: (time.monotonic(), 0) for venue in venues}
    with Live(console=console, auto_refresh=False) as live:
        while True:
            live.update(_table(venues, before), refresh=True)
            await asyncio.sleep(_SHOWN_S)


def _table(venues: list[RecordedVenue], before: dict[str, tuple[float, int]]) -> RenderableType:
    """`before`: when each venue was looked at last, and its frames then."""
    table = Table("venue", "frames", "a second", "written", "trades", "gaps", "reconnects", "not understood")
    for venue in venues:
        now, (then, frames) = time.monotonic(), before[venue.name]
        before[venue.name] = now, venue.recorder.frames
        rate = (venue.recorder.frames - frames) / max(0.001, now - then)
        tally, counts = venue.tally, venue.tally.counts
        written = f"{venue.recorder.written / 1e6:.1f} MB"
        numbers = (counts.trades, counts.gaps - counts.closed, sum(tally.reconnects.values()), tally.dead_letters)
        table.add_row(venue.name, f"{venue.recorder.frames:,}", f"{rate:,.0f}", written, *map(str, numbers))
    return table


def _told(venue: RecordedVenue) -> str:
    causes = ", ".join(f"{cause} {count}" for cause, count in sorted(venue.tally.reconnects.items())) or "none"
    counts = venue.tally.counts
    told = f"{venue.recorder.frames:,} frames, {venue.recorder.written / 1e6:.1f} MB, {counts.trades:,} trades"
    return f"{told}, gaps {counts.gaps - counts.closed}, reconnects: {causes}"


def _first(errors: BaseExceptionGroup[UserError]) -> UserError:
    found = errors.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
