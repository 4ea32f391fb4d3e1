"""The merge: the same rows in any order, any number of times, in any company, give the same tables."""

import re
from decimal import Decimal
from hashlib import sha256
from itertools import permutations
from typing import Any

import msgspec
import psycopg
import pytest

from consumers.storage.database import Database, OutageError, Refused
from infra.settings import UserError
from schemas.codec import Record
from tests.consumers.storage.records import (
    BTC,
    FILL,
    INSTRUMENT,
    ONE_OF_EACH,
    ORDER,
    POSITION,
    SIGNAL,
    T0,
    US,
    candle,
    everything,
    held,
    staged,
    table_of,
    trades,
)  # fmt: skip

pytestmark = pytest.mark.database

LONG = "".join(sha256(bytes([number])).hexdigest() for number in range(200))  # what does not compress


@pytest.fixture
def database(database_url: str) -> Database:
    """The sink's own, over an empty database."""
    database = Database(database_url)
    yield database
    database.close()


def test_numbers_and_times_are_exact(database: Database, database_url: str) -> None:
    """From 19 digits before the point to 18 behind it, times to the millisecond, `received` to the microsecond."""
    assert database.store(staged(*ONE_OF_EACH)) == []
    (trade,) = held(database_url, "SELECT venue, symbol, trade_id, to_ms(time) AS time, price::text, amount::text FROM v_trades")
    assert trade == dict(zip(("venue", "symbol"), BTC, strict=True)) | {
        "trade_id": 7,
        "time": T0 + 7,
        "price": "0.000000454",
        "amount": "1000000000000000",
    }
    (stored,) = held(
        database_url,
        "SELECT to_ms(open_time) AS open_time, open::text, high::text, low::text, volume::text, to_us(received) AS received"
        " FROM candles",
    )
    assert stored == {
        "open_time": T0,
        "open": "1.50",
        "high": "1000000000000000",
        "low": "0.000000454",
        "volume": "1234567890123456789.000000000000000001",
        "received": US,
    }
    (signal,) = held(database_url, "SELECT parameters, indicators, strength FROM signals")
    assert signal == {"parameters": {"oversold": "30"}, "indicators": {"rsi_14": 30.1}, "strength": 0.1}


@pytest.mark.parametrize("record", ONE_OF_EACH, ids=lambda record: type(record).__name__)
def test_a_redelivered_record_changes_nothing(database: Database, database_url: str, record: Record) -> None:
    """Not in the same batch, not in the next, not from a process that has just started."""
    database.store(staged(record))
    once = everything(database_url)
    assert len(once[table_of(record).name]) == 1
    database.store(staged(record))
    database.store(staged(record, record))
    again = Database(database_url)
    again.store(staged(record))
    again.close()
    assert everything(database_url) == once


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
@pytest.mark.parametrize("together", [True, False], ids=["one batch", "a batch each"])
def test_the_highest_revision_of_a_candle_stays(database: Database, database_url: str, order: Any, together: bool) -> None:
    """In whichever order revisions come; each of the others is in the history, once."""
    revisions = [candle(revision) for revision in order]
    for batch in [revisions] if together else [[revision] for revision in revisions]:
        assert database.store(staged(*batch)) == []
    assert held(database_url, "SELECT revision, close FROM candles") == [{"revision": 2, "close": Decimal("3.5")}]
    assert held(database_url, "SELECT revision, close FROM candle_revisions ORDER BY revision") == [
        {"revision": 0, "close": Decimal("1.5")},
        {"revision": 1, "close": Decimal("2.5")},
    ]


@pytest.mark.parametrize(("record", "table"), [(ORDER, "orders"), (POSITION, "positions")], ids=["order", "position"])
@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_the_newest_state_stays(database: Database, database_url: str, record: Record, table: str, order: Any) -> None:
    """Of orders and positions only the highest revision is kept."""
    states = [msgspec.structs.replace(record, revision=revision, amount=Decimal(revision)) for revision in order]
    database.store(staged(*states[:2]))
    database.store(staged(*states[2:]))
    assert held(database_url, f"SELECT revision, amount FROM {table}") == [{"revision": 2, "amount": Decimal(2)}]


def test_the_first_arrival_of_a_trade_stays(database: Database, database_url: str) -> None:
    """A repair that fetches what had arrived alive leaves it as it was, in one batch and in the next."""
    database.store(staged(trades(1, 2), trades(2, 3, kind="repair"), first=10))
    database.store(staged(trades(3, 4, kind="repair"), first=12))
    rows = held(database_url, "SELECT trade_id, kind, arrival, arrival_index FROM trades ORDER BY trade_id")
    assert [tuple(row.values()) for row in rows] == [
        (1, "live", 10, 0),
        (2, "live", 10, 1),
        (3, "repair", 11, 1),
        (4, "repair", 12, 1),
    ]


def test_the_same_trade_id_in_two_markets_is_two_trades(database: Database, database_url: str) -> None:
    """Ids are a market's own."""
    database.store(staged(trades(1), trades(1, symbol="ETH/USDT")))
    assert held(database_url, "SELECT symbol, market_id FROM v_trades ORDER BY symbol") == [
        {"symbol": "BTC/USDT", "market_id": "BTC-USDT"},
        {"symbol": "ETH/USDT", "market_id": "ETH-USDT"},
    ]


def test_a_market_is_known_before_it_is_described(database: Database, database_url: str) -> None:
    """The first record that names it makes it, the first that knows the venue's own name adds that, its own tells the rest."""
    states = []
    for record in (SIGNAL, trades(1), INSTRUMENT):
        database.store(staged(record))
        states += held(database_url, "SELECT id, market_id, tick_size::text FROM instruments")
    assert [tuple(state.values()) for state in states] == [(1, None, None), (1, "BTC-USDT", None), (1, "BTC-USDT", "0.1")]


def test_the_newest_description_of_a_market_stays(database: Database, database_url: str) -> None:
    """An older one that comes late changes nothing; of two from the same moment the later one sent counts."""
    older = msgspec.structs.replace(INSTRUMENT, tick_size=Decimal(5), valid_from=T0 - 1)
    corrected = msgspec.structs.replace(INSTRUMENT, tick_size=Decimal("0.01"))
    database.store(staged(INSTRUMENT, corrected, older))
    database.store(staged(older))
    assert held(database_url, "SELECT tick_size, to_ms(valid_from) AS since FROM instruments") == [
        {"tick_size": Decimal("0.01"), "since": T0}
    ]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (candle(open_time=T0 + 60_000, high=Decimal(1)), r'^candles: new row for relation "candles" violates check constraint'),
        (candle(open_time=2**62), "^candles: interval out of range|^candles: timestamp out of range"),
        (candle(open_time=T0 + 60_000, timeframe="1\x00m"), "^candles: .*NUL"),
        (candle(open_time=T0 + 60_000, timeframe=LONG), "^candles: index row"),
        (msgspec.structs.replace(FILL, id="f2", amount=Decimal(0)), '^fills: .*"fills_amount_check": Failing row contains .f2,'),
        (trades(5, 6, amounts=(1, -1)), '^trades: .*"trades_amount_check"'),
    ],
    ids=[
        "broken constraint",
        "time out of range",
        "no text",
        "index entry too long",
        "another table",
        "one of a record's trades",
    ],
)
def test_a_refused_row_drops_nothing_else(database: Database, database_url: str, bad: Record, reason: str) -> None:
    """Its neighbours are stored, in its own table and in the others; it is told with the record it came from, and why."""
    records = [*(candle(open_time=T0 + minute * 60_000) for minute in range(2, 40)), bad, candle(), FILL, trades(1, 2)]
    (refused,) = database.store(staged(*records))
    assert isinstance(refused, Refused)
    assert refused.origin.offset == records.index(bad)
    assert re.search(reason, refused.reason)
    counted = held(
        database_url,
        "SELECT (SELECT count(*) FROM candles) c, (SELECT count(*) FROM fills) f,"
        " (SELECT array_agg(trade_id ORDER BY trade_id) FROM trades) t",
    )
    assert counted == [{"c": 39, "f": 1, "t": [1, 2, 5] if bad.__class__.__name__ == "Trades" else [1, 2]}]


def test_a_lost_connection_stores_nothing_and_can_be_tried_again(database: Database, database_url: str) -> None:
    """The whole transaction is gone with it; the next try connects anew."""
    database.store(staged(trades(1)))
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tapeflow storage'")
    with pytest.raises(OutageError):
        database.store(staged(candle(), trades(2)))
    assert held(database_url, "SELECT count(*) FROM trades") == [{"count": 1}]
    assert database.store(staged(candle(), trades(2))) == []
    assert held(database_url, "SELECT count(*) FROM trades") == [{"count": 2}]


def test_a_database_that_only_reads_is_an_outage(database: Database, database_url: str) -> None:
    """As a standby is until it has taken over."""
    database.store(staged(trades(1)))
    database.connect().execute("SET default_transaction_read_only = on")
    with pytest.raises(OutageError, match="read-only"):
        database.store(staged(trades(2)))
    assert database.store(staged(trades(2))) == []


def test_tables_that_cannot_be_made_are_the_users_to_mend(database_url: str) -> None:
    """A table of somebody else's in the place of ours is told by the migration's name."""
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE trades ()")
    with pytest.raises(UserError, match=r"^0002_market\.sql could not be applied: relation \"trades\" already exists"):
        Database(database_url).connect()
