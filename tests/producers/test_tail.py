"""What was published before is read back from the ends of the partitions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from infra import topics as broker
from infra.settings import Settings
from producers import tail
from producers.columns import Columns
from producers.outcome import BEING_FETCHED, Position, Unfinished
from producers.publish import Publisher
from schemas.market import Gap, Instrument, Trades
from schemas.topics import TRADES
from tests.producers.tape import BTC, START, trade, trades

pytestmark = pytest.mark.broker


@pytest.fixture
def own(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> Iterator[Settings]:
    made = Settings(kafka_bootstrap=kafka_bootstrap, prefix=topic_prefix, state=tmp_path)
    broker.create(made, [TRADES])
    yield made
    broker.delete(made, topic_prefix)


def _named(symbol: str) -> Instrument:
    return structs.replace(BTC, symbol=symbol, market_id=symbol.replace("/", "-"))


def live(instrument: Instrument, watermark: int, *told) -> Trades:
    (record,) = Columns(instrument, "live").records(told, 1, watermark)
    return record


def beat(instrument: Instrument, watermark: int, gap: Gap | None = None) -> Trades:
    return Columns(instrument, "live").bare(1, watermark, gap=gap)


async def _publish(settings: Settings, *records) -> None:
    publisher = Publisher(settings)
    for record in records:
        await publisher.publish(record)
    assert await publisher.flush(10) == 0


async def test_an_empty_topic_knows_nobody(own: Settings):
    assert tail.positions(own, [BTC]) == {}


async def test_a_stream_stands_at_its_last_trade_and_its_last_watermark(own: Settings):
    """And at what was being fetched when it ended."""
    gap = Gap(3, 9, START + 3_000, START + 9_001, BEING_FETCHED)
    records = [live(BTC, START + 3_000, *trades(1, 3)), beat(BTC, START + 3_000, gap), live(BTC, START + 3_000, trade(9))]
    await _publish(own, *records)
    found = tail.positions(own, [BTC, _named("ETH/USDT")])
    assert found == {"BTC/USDT": Position(trade(9), START + 3_000, (*trades(1, 3), trade(9)), (Unfinished(gap),))}


async def test_a_stream_that_has_only_begun_has_a_watermark_and_no_trade(own: Settings):
    await _publish(own, beat(BTC, START))
    assert tail.positions(own, [BTC]) == {"BTC/USDT": Position(None, START)}


async def test_it_is_found_however_much_of_others_came_after(own: Settings, monkeypatch: pytest.MonkeyPatch):
    """Strides of one, four, sixteen records, among the heartbeats of others in the same partition."""
    monkeypatch.setattr(tail, "_FIRST_STRIDE", 1)
    named = [_named(f"COIN{number}/USDT") for number in range(60)]
    partition = tail.partition_of(b"okx|BTC/USDT", 12)
    near = [one for one in named if tail.partition_of(f"okx|{one.symbol}".encode(), 12) == partition]
    assert len(near) > 2
    told = [live(BTC, START + 7_000, *trades(1, 7))]
    for number, one in enumerate(near, start=10):
        told.append(live(one, START + number * 1000, trade(number)))
        told += [beat(one, START + number * 1000 + at) for at in range(1, 9)]
    await _publish(own, *told)
    expected = {one.symbol: (trade(number), START + number * 1000 + 8) for number, one in enumerate(near, start=10)}
    found = tail.positions(own, [BTC, *near])
    assert {symbol: (at.last, at.watermark) for symbol, at in found.items()} == {
        "BTC/USDT": (trade(7), START + 7_000),
        **expected,
    }
