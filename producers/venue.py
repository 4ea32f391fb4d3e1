"""One venue, from its instruments to its feeds. It knows of no other venue, so that none stops another."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

from platformdirs import user_state_path

from infra.settings import Settings
from producers import tail
from producers.clock import Clock
from producers.continuity import Stream
from producers.dialect import Kind
from producers.dialects import DIALECTS
from producers.failures import RestError
from producers.feed import Edges, Feed
from producers.instruments import Instruments, Loaded
from producers.lines import lines
from producers.publish import Publisher
from producers.rates import Pace
from producers.repair import Fetcher
from producers.rest import Rest
from producers.session import Session
from producers.tally import Tally
from schemas.market import Instrument, Notice

_ASK_TIME_S: Final = 60.0
_SNAPSHOTS: Final = 2  # books fetched at a time
_FLUSH_S: Final = 10.0
_LOCAL_UNIT_MS: Final = 1.0  # a simulated venue may be connected to as fast as it likes

_log = logging.getLogger(__name__)


class Venue:
    """Runs until it fails, and may be run again: what is counted goes on."""

    def __init__(self, settings: Settings, name: str, symbols: Sequence[str], publisher: Publisher, clock: Clock) -> None:
        self.name = name
        self.tally = Tally()
        self.sessions: list[Session] = []
        self.feeds: list[Feed] = []
        self.started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when its feeds run for the first time; whoever runs it says when that failed."""
        self._settings = settings
        self._symbols = symbols
        self._publisher = publisher
        self._clock = clock
        self._dialect = DIALECTS[name]
        self._missing: set[str] = set()

    async def run(self) -> None:
        """Until cancelled. Raises an ExceptionGroup; of UserError when there is nothing to be followed."""
        self.sessions, self.feeds = [], []
        if self.started.done():  # what is on its way to the broker has to be there before anybody reads where streams were left
            await self._publisher.flush(_FLUSH_S)
        address = self._settings.venue_address(self.name)
        folder = user_state_path("tapeflow") if address is None else self._settings.state
        unit_ms = _LOCAL_UNIT_MS if address is not None else 60_000 / self._dialect.limits.connects_per_minute
        connects = Pace(folder / "rates.sqlite", f"{address or self.name} connects", unit_ms)
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            stack.callback(connects.close)
            rest = await stack.enter_async_context(Rest(self._settings, self.name, clock=self._clock))
            listed = Instruments(rest, self._dialect, self._settings.state / "instruments" / f"{self.name}.json", self._clock)
            edges = Edges(
                dialect=self._dialect,
                hosts=self._dialect.hosts if address is None else ("ws" + address.removeprefix("http"),),
                rest=rest,
                fetcher=Fetcher(rest, self._dialect, self._clock),
                publisher=self._publisher,
                clock=self._clock,
                connects=connects,
                snapshots=asyncio.Semaphore(_SNAPSHOTS),
                listed=listed.ask,
            )
            instruments = await self._load(listed)
            await self._follow(instruments, edges, group)
            group.create_task(listed.serve(lambda record: self._refreshed(record, edges, group)))
            group.create_task(self._ask_time(rest))
            if not self.started.done():
                self.started.set_result(None)

    async def _load(self, listed: Instruments) -> tuple[Instrument, ...]:
        """The instruments that there are. A symbol that is not among them is told, and stops nobody."""
        loaded = await listed.load(self._symbols)
        if not loaded.found:
            loaded.checked(self.name)
        for notice in (*loaded.notices, *self._lacking(loaded)):
            await self._publisher.publish(notice)
        for instrument in loaded.found:
            await self._publisher.publish(instrument)
        return loaded.found

    def _lacking(self, loaded: Loaded) -> list[Notice]:
        near = {symbol: f"; near are {', '.join(found)}" if found else "" for symbol, found in loaded.missing.items()}
        reasons = {symbol: f"{self.name} has no market {symbol!r}{near[symbol]}" for symbol in near}
        reasons |= {symbol: f"{self.name} does not describe {symbol}: {why}" for symbol, why in loaded.undescribed.items()}
        self._missing = set(reasons)
        for reason in reasons.values():
            _log.error("%s; it is followed as soon as it is listed", reason)
        received = self._clock.received()
        return [Notice(self.name, received, "refused", "unlisted", why, symbol) for symbol, why in reasons.items()]

    async def _refreshed(self, record: Instrument | Notice, edges: Edges, group: asyncio.TaskGroup) -> None:
        """Something about the instruments is new; one that was asked for in vain is followed from now on."""
        await self._publisher.publish(record)
        if isinstance(record, Instrument) and record.symbol in self._missing:
            self._missing.discard(record.symbol)
            await self._follow((record,), edges, group)

    async def _follow(self, instruments: Sequence[Instrument], edges: Edges, group: asyncio.TaskGroup) -> None:
        """Everything that the venue tells of these, each stream where it was left."""
        known = await asyncio.to_thread(tail.positions, self._settings, instruments)
        for line in lines(self._dialect, instruments):
            carried = {channel.market_id for channel in line.channels if channel.kind is Kind.TRADES}
            streams = {
                one.market_id: Stream(
                    one,
                    self._dialect.ids(one),
                    self._dialect.recent_trades(one),
                    "live",
                    known.get(one.symbol),
                    self.tally.counts,
                    self._clock.now(),
                    self._dialect.margin_ms,
                )
                for one in line.instruments
                if one.market_id in carried
            }
            session = Session(self._dialect, line, streams, f"{self.name}#{len(self.sessions)}", self.tally)
            feed = Feed(session, edges)
            self.sessions.append(session)
            self.feeds.append(feed)
            group.create_task(feed.run())

    async def _ask_time(self, rest: Rest) -> None:
        """Keep the estimate of the venue's clock fresh."""
        while True:
            await self._clock.sleep(_ASK_TIME_S)
            sent = self._clock.received() // 1000
            try:
                self.tally.offset.asked(await rest.time(), sent, self._clock.received() // 1000)
            except RestError as error:
                _log.warning("%s: does not tell its time: %s", self.name, error)
