"""The producer process on a real broker and simulated venues: killed or told to stop, its successor goes on where it was."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from infra import topics as broker
from infra.settings import Settings
from infra.simulated.server import RunningVenue, running
from infra.simulated.venue import SimulatedVenueConfig
from producers.dialects import DIALECTS
from producers.tail import positions
from schemas import topics
from schemas.market import Instrument, Trades
from tests.producers.kafka import PUBLISHED, records
from tests.producers.live import instruments, ledger, unexplained, until, verify

pytestmark = pytest.mark.broker

MARKETS = {"okx": ["BTC/USDT", "BTC/USD:BTC"], "binance": ["ETH/USDT"]}
RUN = "from infra.settings import load_settings; from producers.app import run; run(load_settings())"
USER_ERROR = "infra.settings.UserError: "


@pytest.fixture
def own(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> Iterator[Settings]:
    made = Settings(kafka_bootstrap=kafka_bootstrap, prefix=topic_prefix, state=tmp_path)
    broker.create(made, PUBLISHED)
    yield made
    broker.delete(made, topic_prefix)


@pytest.fixture
async def venues() -> AsyncIterator[RunningVenue]:
    async with running(SimulatedVenueConfig(seed=11, venues=("okx", "binance"))) as both:
        yield both


@asynccontextmanager
async def producer(settings: Settings, venue: RunningVenue, markets: Sequence[str], **more: str) -> AsyncIterator:
    """The process; what it says is in `producer.log`. It is killed at the end if it still runs."""
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP": str(settings.kafka_bootstrap),
        "TAPEFLOW_PREFIX": settings.prefix,
        "TAPEFLOW_STATE": str(settings.state),
        "TAPEFLOW_MARKETS": ",".join(markets),
        "TAPEFLOW_VENUE_URL": venue.address,
        **more,
    }
    with (settings.state / "producer.log").open("ab") as output:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", RUN, env=environment, stderr=output)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def log(settings: Settings) -> str:
    return (settings.state / "producer.log").read_text()


async def reached(settings: Settings, instrument: Instrument, more: int) -> None:
    """Wait until so many more trades of an instrument are on the broker than are now."""

    def last() -> int:
        found = positions(settings, [instrument]).get(instrument.symbol)
        return found.last.id if found and found.last else 0

    begun = await asyncio.to_thread(last)

    async def there() -> bool:
        now = await asyncio.to_thread(last)
        return now > 0 and (begun == 0 or now >= begun + more)

    await until(there)


def told(settings: Settings, instrument: Instrument) -> list[Trades]:
    return [one for one in records(settings, topics.TRADES) if (one.venue, one.symbol) == (instrument.venue, instrument.symbol)]


async def test_every_trade_is_on_the_broker_once_and_in_order_though_the_process_is_killed(
    own: Settings, venues: RunningVenue, tmp_path: Path
):
    markets = [f"{name}:{symbol}" for name, symbols in MARKETS.items() for symbol in symbols]
    listed = [one for name in MARKETS for one in await instruments(venues, name, MARKETS[name], tmp_path)]
    async with producer(own, venues, markets):
        await until((own.state / "run" / "producer.ready").exists)
        for one in listed:
            await reached(own, one, 30)
    async with producer(own, venues, markets) as process:
        for one in listed:
            await reached(own, one, 30)
        await venues.clock(state="pause")
        traded = {one: await ledger(venues, one.venue, one) for one in listed}

        async def all_there() -> bool:
            return not any([unexplained(await asyncio.to_thread(told, own, one), traded[one]) for one in listed])

        await until(all_there)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await process.wait() == 0
    for one in listed:
        found = told(own, one)
        verify(found, traded[one])
        assert [record.kind for record in found].count("history") == 1
    assert {one.symbol for one in records(own, topics.INSTRUMENTS)} == {"BTC/USDT", "BTC/USD:BTC", "ETH/USDT"}
    assert {one.symbol for one in records(own, topics.QUOTES)} == {"BTC/USDT", "BTC/USD:BTC", "ETH/USDT"}
    assert {one.symbol for one in records(own, topics.BOOKS)} == {"BTC/USDT", "BTC/USD:BTC", "ETH/USDT"}
    assert {one.symbol for one in records(own, topics.MARK)} == {"BTC/USD:BTC"}
    assert records(own, topics.DEAD_LETTERS) == []
    assert "stopped: okx: trades" in log(own)


async def test_a_broken_symbol_and_a_venue_that_is_down_stop_nobody_else(own: Settings, venues: RunningVenue, tmp_path: Path):
    (btc,) = await instruments(venues, "okx", ["BTC/USDT"], tmp_path)
    await venues.fault("binance", "server_error", seconds=600)
    async with producer(own, venues, ["okx:BTC/USDT", "okx:NOPE/USDT", "binance:ETH/USDT"]):
        await reached(own, btc, 30)
        await until(lambda: "binance: no answer from" in log(own))
        await venues.clear("binance")
        (eth,) = await instruments(venues, "binance", ["ETH/USDT"], tmp_path / "other")
        await reached(own, eth, 30)
    assert "okx has no market 'NOPE/USDT'" in log(own)
    (notice,) = [one for one in records(own, topics.NOTICES) if one.kind == "refused"]
    assert (notice.venue, notice.symbol, notice.code) == ("okx", "NOPE/USDT", "unlisted")


async def test_when_nothing_can_be_followed_the_cause_is_said_in_one_line(own: Settings, venues: RunningVenue):
    async with producer(own, venues, ["okx:BTC/EUR"]) as process:
        assert await process.wait() != 0
    last = log(own).rstrip().rpartition("\n")[2]
    assert last.startswith(USER_ERROR + "okx has no market 'BTC/EUR'; near are")


async def test_metrics_are_served_where_they_are_asked_for(
    own: Settings, venues: RunningVenue, tmp_path: Path, unused_tcp_port: int
):
    (btc,) = await instruments(venues, "okx", ["BTC/USDT"], tmp_path)
    async with producer(own, venues, ["okx:BTC/USDT"], TAPEFLOW_METRICS_PORT=str(unused_tcp_port)):
        await reached(own, btc, 10)
        async with httpx.AsyncClient() as client:
            shown = (await client.get(f"http://127.0.0.1:{unused_tcp_port}/metrics")).text
    assert 'tapeflow_trades_total{venue="okx"}' in shown
    assert 'tapeflow_messages_total{kind="trades",venue="okx"}' in shown
    assert 'tapeflow_connections{venue="okx"} 2.0' in shown


def test_every_dialect_is_registered_under_its_own_name():
    assert all(name == dialect.name for name, dialect in DIALECTS.items())
