"""The producer process on a real broker and the simulated venue: killed or told to stop, its successor goes on where it was."""

import asyncio
import os
import signal
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from infra import topics as broker
from infra.settings import Settings
from infra.simulated.server import RunningVenue
from producers.dialects import DIALECTS
from producers.tail import positions
from schemas import topics
from schemas.market import Trades
from tests.producers.kafka import PUBLISHED, records
from tests.producers.live import instruments, until

pytestmark = pytest.mark.broker

SYMBOLS = ["BTC/USDT", "ETH/USDT", "BTC/USDT:USDT", "BTC/USD:BTC"]
RUN = "from infra.settings import load_settings; from producers.app import run; run(load_settings())"


@pytest.fixture
def own(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> Iterator[Settings]:
    made = Settings(kafka_bootstrap=kafka_bootstrap, prefix=topic_prefix, state=tmp_path)
    broker.create(made, PUBLISHED)
    yield made
    broker.delete(made, topic_prefix)


async def _start(
    settings: Settings, venue: RunningVenue, log: Path, symbols: list[str] | None = None
) -> asyncio.subprocess.Process:
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP": str(settings.kafka_bootstrap),
        "TAPEFLOW_PREFIX": settings.prefix,
        "TAPEFLOW_STATE": str(settings.state),
        "TAPEFLOW_SYMBOLS": ",".join(symbols or SYMBOLS),
        "TAPEFLOW_VENUE_URL": venue.url,
    }
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(sys.executable, "-c", RUN, env=environment, stderr=output)


async def _reached(settings: Settings, venue: RunningVenue, more: int) -> None:
    """Wait until so many more trades of the first symbol are on the broker than are now."""
    listed = await instruments(venue, SYMBOLS[:1])

    def last() -> int:
        found = positions(settings, listed).get(listed[0].market_id)
        return found.last.id if found and found.last else 0

    begun = await asyncio.to_thread(last)

    async def there() -> bool:
        now = await asyncio.to_thread(last)
        return now > 0 and (begun == 0 or now >= begun + more)

    await until(there)


async def test_every_trade_is_on_the_broker_once_and_in_order_though_the_process_is_killed(
    own: Settings, venue: RunningVenue, tmp_path: Path
):
    log = tmp_path / "producer.log"
    process = await _start(own, venue, log)
    try:
        await until((own.state / "run" / "producer.ready").exists)
        await _reached(own, venue, 0)
        await _reached(own, venue, 50)
        process.kill()
        await process.wait()
        process = await _start(own, venue, log)
        await _reached(own, venue, 50)
        await venue.clock(state="pause")
        ledger = await venue.ledger()
        listed = await instruments(venue, SYMBOLS)

        async def all_there() -> bool:
            found = await asyncio.to_thread(positions, own, listed)
            return all(found[name].last.id == ledger[name]["last_id"] for name in found)

        await until(all_there)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    by_market = defaultdict(list)
    for record in records(own, topics.TRADES):
        by_market[record.market_id].append(record)
    assert len(by_market) == len(SYMBOLS)
    for market_id, told in by_market.items():
        assert isinstance(told[0], Trades)
        first, last = ledger[market_id]["first_id"], ledger[market_id]["last_id"]
        assert [trade_id for record in told for trade_id in record.ids] == list(range(first, last + 1))
        assert [record.kind for record in told].count("history") == 1
        assert not [record.gap for record in told if record.gap]
        assert all(earlier.watermark <= later.watermark for earlier, later in pairwise(told))
        assert all(time >= earlier.watermark for earlier, later in pairwise(told) for time in later.times)
    assert {one.symbol for one in records(own, topics.INSTRUMENTS)} == set(SYMBOLS)
    assert records(own, topics.DEAD_LETTERS) == []
    assert "stopped: trades" in log.read_text()


async def test_a_symbol_that_the_venue_does_not_have_is_said_at_the_start(own: Settings, venue: RunningVenue, tmp_path: Path):
    log = tmp_path / "producer.log"
    process = await _start(own, venue, log, ["BTC/EUR"])
    assert await process.wait() != 0
    assert "okx has no market 'BTC/EUR'; near are" in log.read_text()


def test_every_dialect_is_registered_under_its_own_name():
    assert all(name == dialect.name for name, dialect in DIALECTS.items())
