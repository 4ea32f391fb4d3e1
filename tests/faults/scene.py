"""A producer process's work on real sockets and a real broker, with simulated venues whose faults strike when a test says so."""

import asyncio
import contextlib
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, Message

from infra import topics as broker
from infra.settings import Settings
from infra.simulated.server import RunningVenue, running
from infra.simulated.venue import START_MS, SimulatedVenueConfig
from infra.simulated.venue import Venue as SimulatedVenue
from producers import app
from producers.publish import Publisher
from producers.venue import Venue
from schemas.market import DeadLetter, Notice, Trades
from tests.faults.elastic import Elastic
from tests.faults.topics import TOPICS, Published, reading
from tests.faults.verdict import Row, open_gaps

MINUTE = 60_000
MINUTES = 2  # of trading, where nobody says otherwise; the clock goes on after them
HASTE = 20.0
PACE = 6.0
BEGIN_MS = START_MS + 12 * 60 * MINUTE  # midday: one venue's REST knows the trades of the present day only
PATIENCE_S = 40.0  # real
_SWITCH_S = 0.0005  # both sides share this process: neither is to wait for the other

SYMBOLS: Mapping[str, tuple[str, ...]] = {
    "okx": ("BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC"),
    "binance": ("BNB/USDT", "XRP/USDT"),
    "binanceusdm": ("BNB/USDT:USDT", "XRP/USDT:USDT"),
    "bybit": ("BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC"),
    "bitget": ("BTC/USDT", "BTC/USDT:USDT"),
    "upbit": ("BTC/KRW", "ETH/KRW"),
    "deribit": ("BTC/USD:BTC", "ETH/USD:ETH"),
}


class Recording(Publisher):
    """The publisher, and a way to die with what it has not sent."""

    dead = False

    def die(self) -> None:
        self.dead = True
        self._producer.purge()

    async def flush(self, seconds: float) -> int:
        return 0 if self.dead else await super().flush(seconds)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if not self.dead:
            super()._delivered(error, message)


class Scene:
    """One producer, its venues, and what it has published."""

    def __init__(self, settings: Settings, simulated: RunningVenue, clock: Elastic, published: Published, minutes: int) -> None:
        self.settings, self.simulated, self.clock, self.published = settings, simulated, clock, published
        self.minutes = minutes
        """Of trading."""
        self.venues: dict[str, Venue] = {}
        self.symbols = settings.symbols()
        self.made: Counter[str] = Counter()
        """Connections by venue, as the venues count them."""
        for venue in simulated.venues.values():
            _count(venue, self.made)
        self.struck_us: dict[str, int] = {}
        """By venue, when the (last) fault began, as records are stamped."""
        self._publisher: Recording | None = None
        self._work: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start a producer where the one before it, if any, has ended."""
        publisher = self._publisher = Recording(self.settings)
        clock: Any = self.clock
        venues = [Venue(self.settings, name, symbols, publisher, clock) for name, symbols in self.symbols.items()]
        self.venues = {venue.name: venue for venue in venues}
        self._work = asyncio.create_task(app.follow(self.settings, venues, publisher, clock))

    async def kill(self) -> None:
        """End it without a word: what was not sent is lost."""
        assert self._publisher is not None
        self._publisher.die()
        await self.stop()
        self._publisher.die()

    async def stop(self) -> None:
        """End it as a process ends that is told to."""
        assert self._work is not None
        self._work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._work

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for something to hold; fails when it takes too long, or when the producer ends."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not holds():
                    if self._work is not None and self._work.done():
                        self._work.result()
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"waited in vain for {what}: {self.told()}") from None

    def told(self) -> str:
        """What the producer says of itself."""
        return "; ".join(f"{name}: {venue.tally.line()}" for name, venue in self.venues.items())

    def markets(self, names: Iterable[str] | None = None) -> list[tuple[str, str]]:
        return [(name, symbol) for name in names or self.symbols for symbol in self.symbols[name]]

    async def under_way(self, count: int = 8, names: Iterable[str] | None = None) -> None:
        """Wait for so many more live trades of each, with nothing being fetched any more."""
        markets = self.markets(names)
        before = {one: self.live(*one) for one in markets}

        def there() -> bool:
            return all(self.live(*one) >= before[one] + count and not self.fetching(*one) for one in markets)

        await self.until(there, f"{count} more live trades")

    def live(self, name: str, symbol: str) -> int:
        """How many trades came live."""
        return sum(len(record.ids) for record in self.published.records(name, symbol) if record.kind == "live")

    def fetching(self, name: str, symbol: str) -> bool:
        """Whether something is being fetched."""
        records = self.published.records(name, symbol)
        return any(gap.reason == "being fetched" for gap in open_gaps(records))

    async def strike(self, name: str, kind: str, **numbers: Any) -> None:
        """Let a fault begin, once there is a connection to suffer it."""
        sessions = self.simulated.venues[name]._sessions
        await self.until(lambda: bool(sessions), f"a connection to {name}")
        self.struck_us[name] = self.clock.received()
        await self.simulated.fault(name, kind, **numbers)

    async def ended(self, names: Iterable[str] | None = None) -> None:
        """Wait for the end of trading, and until everything up to it is published or given up."""
        end = BEGIN_MS + self.minutes * MINUTE
        markets = self.markets(names)

        def settled() -> bool:
            return all(self.watermark(*one) >= end and not self.fetching(*one) for one in markets)

        await self.until(settled, "everything up to the end of trading")
        told = [self.published.books[one] for one in markets if one in self.published.books]
        await self.until(lambda: not any(books[-1].broken for books in told), "whole books")

    def watermark(self, name: str, symbol: str) -> int:
        records = self.published.records(name, symbol)
        return records[-1].watermark if records else 0

    async def ledger(self, name: str, symbol: str) -> list[Row]:
        """What the venue has traded since its start. Where it calls two markets the same, they go by their symbols."""
        return [Row(*row) for row in await self.simulated.trades(name, self.ledger_name(name, symbol))]

    def ledger_name(self, name: str, symbol: str) -> str:
        own = self.market_id(name, symbol)
        return own if own in self.simulated.venues[name].board.listings else symbol

    def market_id(self, name: str, symbol: str) -> str:
        record: Trades = self.published.records(name, symbol)[0]
        return record.market_id

    def notices(self, name: str, *kinds: str) -> list[Notice]:
        return [notice for notice in self.published.notices if notice.venue == name and notice.kind in kinds]

    def dead(self, name: str) -> list[DeadLetter]:
        """What of a venue could not be understood."""
        return [one for one in self.published.dead if re.split(r"\W", one.source, maxsplit=1)[0] == name]

    def reconnects(self, name: str) -> int:
        """Connections that ended, for whatever reason."""
        return self.venues[name].tally.reconnects.total()


def _count(venue: SimulatedVenue, made: Counter[str]) -> None:
    connected = venue.connected

    def counted(*arguments: Any) -> Any:
        made[venue.name] += 1
        return connected(*arguments)

    venue.connected = counted  # type: ignore[method-assign]


@contextlib.asynccontextmanager
async def scene(
    kafka: str,
    prefix: str,
    state: Path,
    names: Sequence[str],
    *,
    symbols: Mapping[str, Sequence[str]] = SYMBOLS,
    haste: float = HASTE,
    minutes: int = MINUTES,
    start: bool = True,
    **config: Any,
) -> AsyncIterator[Scene]:
    """Venues whose market, watch and faults are as fast as the producer's clock: `haste` times as fast as real time."""
    wanted = SimulatedVenueConfig(
        **{"seed": 11, "pace": PACE, "start_ms": BEGIN_MS, "speed": haste, **config},
        minutes=minutes,
        venues=tuple(names),
        haste=haste,
    )
    clock = Elastic(haste, BEGIN_MS)
    sys.setswitchinterval(_SWITCH_S)
    async with clock.running(), running(wanted, clock.monotonic) as simulated:
        settings = Settings(
            kafka_bootstrap=kafka,
            prefix=prefix,
            state=state,
            venue_url=simulated.address,
            markets=tuple(f"{name}:{symbol}" for name in names for symbol in symbols[name]),
        )
        await asyncio.to_thread(broker.create, settings, TOPICS)
        try:
            async with reading(settings) as published:
                made = Scene(settings, simulated, clock, published, minutes)
                if start:
                    made.start()
                try:
                    yield made
                finally:
                    await made.stop()
        finally:
            await asyncio.to_thread(broker.delete, settings, prefix)
