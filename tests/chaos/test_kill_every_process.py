"""Kill -9 of every process, inside processing and between produce and commit: what is stored equals an undisturbed run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from infra import topics as broker
from infra.settings import Settings
from infra.simulated.listing import listings
from sql.migrate import migrate
from tapeflow.lag import Lags
from tests.chaos.market_run import PARTS, Doom, MarketRun, contents_by_id, simulated_venue, wait_until

LONG = os.environ.get("CHAOS") == "long"
MINUTES, SPEED, ROUNDS = (1440, 240, 4) if LONG else (180, 240, 1)
MARKETS = tuple(f"okx:{listing.name}" for listing in listings(24))

# Each part in the middle of a record's outputs, and after they and the changelog were acknowledged but before the offsets were
# committed; those with state also before it is flushed. The producer has no offsets: it dies between two records of a burst.
DOOMS = {
    "producer": [Doom("produce", 4000), Doom("produce", 1500)],
    "pipeline": [Doom("produce", 9000), Doom("commit", 4), Doom("flush", 9)],
    "sequencer": [Doom("produce", 900), Doom("commit", 5)],
    "execution": [Doom("produce", 40), Doom("commit", 6), Doom("flush", 5)],
    "storage": [Doom("commit", 7), Doom("commit", 4)],
    "api": [Doom("read", 60)],
}

STORED = {
    "candles": "SELECT symbol, timeframe, open_time, open, high, low, close, volume, quote_volume, taker_buy_volume, trades,"
    " status, revision, source FROM v_candles WHERE open_time < %(end)s ORDER BY 1, 2, 3",
    "signals": "SELECT id, timeframe, open_time, candle_revision, indicator_revision, side, rule, parameters, strength, price,"
    " indicators FROM signals WHERE time <= %(end)s ORDER BY 1",
    "orders": "SELECT client_order_id, revision, status, amount, price, filled, average, time FROM orders ORDER BY 1",
    "fills": "SELECT id, client_order_id, price, amount, fee, trade_id, time FROM fills ORDER BY 1",
    "positions": "SELECT id, revision, status, realized, fees, exit_reason, time FROM positions ORDER BY 1",
    "refusals": "SELECT id, cause, reason, time FROM refusals ORDER BY 1",
}


@contextmanager
def finished(
    settings: Settings, database: str, prefix: str, folder: Path, dooms: dict[str, list[Doom]]
) -> Iterator[tuple[MarketRun, Settings]]:
    """A run of the market to its end, everything stored, with or without deaths."""
    folder.mkdir()
    with simulated_venue(folder, seed=11, instruments=len(MARKETS), speed=SPEED, minutes=MINUTES) as url:
        own = settings.model_copy(
            update={
                "database_url": database,
                "prefix": prefix,
                "state": folder / "state",
                "venue_url": url,
                "markets": MARKETS,
                "api_port": 0,
                "rsi_oversold": 40,  # wider zones: more signals in less market
                "rsi_overbought": 60,
            }
        )
        broker.create(own)
        migrate(database)
        planned = {part: list(deaths) for part, deaths in dooms.items()}
        run = MarketRun(own, url, MINUTES, folder, planned, broker.admin(own), Lags(own))
        try:
            for part in PARTS:
                run.start(part)
            wait_until(lambda: run.bury() or run.over(), "the end of the market", seconds=MINUTES * 60 / SPEED + 200)
            yield run, own
        finally:
            run.stop()
            broker.delete(own, prefix)


def rows(database: str, start_ms: int) -> dict[str, list[tuple[Any, ...]]]:
    """What is stored of the market's time, table by table."""
    end = start_ms + MINUTES * 60_000
    with psycopg.connect(database) as connection:
        connection.execute("SET timezone = 'UTC'")
        statement = "SELECT to_timestamp(%s / 1000.0)"
        closes = connection.execute(statement, (end,)).fetchone()
        assert closes
        return {table: connection.execute(query.encode(), {"end": closes[0]}).fetchall() for table, query in STORED.items()}


@contextmanager
def another_database(url: str) -> Iterator[str]:
    """A second empty database beside the test's own."""
    name = url.rpartition("/")[2] + "_killed"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        yield f"{url.rpartition('/')[0]}/{name}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.mark.chaos
@pytest.mark.timeout(900 if not LONG else 6000)
def test_killed_at_every_step_it_stores_what_an_undisturbed_run_stores(
    settings: Settings, database_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    """Candles, signals, orders, fills, positions and refusals are equal; no id was ever published with two contents."""
    dooms = {part: planned * ROUNDS for part, planned in DOOMS.items()}
    with finished(settings, database_url, f"{topic_prefix}calm.", tmp_path / "calm", {}) as (run, calm):
        start = clock_start(run)
        expected = rows(database_url, start)
        traded = sum(row["trades"] for row in run.ledger().values())
        assert doubled(calm) == {}
    with (
        another_database(database_url) as other,
        finished(settings, other, f"{topic_prefix}killed.", tmp_path / "killed", dooms) as (run, killed),
    ):
        found = rows(other, start)
        assert doubled(killed) == {}
        assert trades_stored(other) == sum(row["trades"] for row in run.ledger().values()) == traded

    assert {part: sum(death.part == part for death in run.deaths) for part in PARTS} == {part: len(dooms[part]) for part in PARTS}
    assert len(expected["candles"]) >= 1000
    assert len(expected["signals"]) >= 200
    assert len(expected["orders"]) >= 100
    for table, lines in expected.items():
        assert first_difference(lines, found[table]) is None, table


def clock_start(run: MarketRun) -> int:
    """When the market opened, epoch ms."""
    return int(httpx.get(f"{run.venue_url}/control/okx/clock", timeout=30).json()["start"])


def trades_stored(database: str) -> int:
    """Rows of trades; each id once is what the table's own key says."""
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM trades").fetchone()
    assert row
    return int(row[0])


def doubled(settings: Settings) -> dict[Any, int]:
    """Ids that were published with more than one content, and with how many."""
    return {key: len(contents) for key, contents in contents_by_id(settings).items() if len(contents) > 1}


def first_difference(expected: list[Any], found: list[Any]) -> tuple[int, Any, Any] | None:
    """Where two lists part, and how; None when they do not."""
    for at, (left, right) in enumerate(zip_longest(expected, found)):
        if left != right:
            return at, left, right
    return None
