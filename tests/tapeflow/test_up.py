"""`tapeflow up`: stopped and started again it goes on where it stopped, and nothing is missing in between."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from infra.embedded import found
from infra.settings import Settings
from tests.chaos.market_run import simulated_venue, wait_until
from tests.infra import processes
from tests.tapeflow.command import ROOT, tapeflow

SYMBOLS = ("BTC/USDT", "ETH/USDT")


@contextmanager
def up(state: Path, venue: str, port: int) -> Iterator[str]:
    """The whole system as a user starts it; gives the API's address. It has to end within ten seconds of Ctrl-C."""
    variables = {
        "TAPEFLOW_STATE": str(state),
        "TAPEFLOW_VENUE_URL": venue,
        "TAPEFLOW_MARKETS": ",".join(f"okx:{symbol}" for symbol in SYMBOLS),
        "TAPEFLOW_API_PORT": str(port),
    }
    with (state.parent / "up.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tapeflow", "up"], cwd=ROOT, env=os.environ | variables, stdout=log, stderr=log
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: process.poll() is not None or answers(f"{address}/health/ready"), "the API", 90)
        assert process.poll() is None, (state.parent / "up.log").read_text()
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)


def answers(address: str) -> bool:
    """Whether somebody says yes."""
    try:
        return httpx.get(address, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def newest_candle(address: str) -> int:
    """Open time of the newest stored minute of the first symbol, 0 before there is one."""
    asked = httpx.get(
        f"{address}/v1/candles", params={"venue": "okx", "symbol": SYMBOLS[0], "timeframe": "1m", "limit": 1}, timeout=10
    )
    items = asked.json().get("items", []) if asked.status_code == 200 else []
    return int(items[0]["open_time"]) if items else 0


def stored(state: Path) -> dict[str, list[int]]:
    """Trade ids by market, in order, of the database that runs on a state directory."""
    address = found(Settings(state=state)).database_url
    assert address
    with psycopg.connect(address) as connection:
        return dict(
            connection.execute(
                "SELECT market_id, array_agg(trade_id ORDER BY trade_id) FROM v_trades GROUP BY market_id"
            ).fetchall()
        )


@pytest.mark.timeout(300)
def test_the_next_start_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    """What was traded while nothing ran is fetched; candles of that time are complete; commands need the token."""
    state = tmp_path / "state"
    state.mkdir()
    with socket_port() as port, simulated_venue(tmp_path, seed=5, instruments=2, speed=60, minutes=100_000) as venue:
        with up(state, venue, port) as api:
            wait_until(lambda: newest_candle(api) >= 1_767_571_200_000 + 3 * 60_000, "three minutes of market", 60)
            body = {"venue": "okx", "symbol": SYMBOLS[0]}
            assert httpx.post(f"{api}/v1/strategies/rsi-trend/stop", json=body).status_code == 401
            token = (state / "token").read_text().strip()
            assert (state / "token").stat().st_mode & 0o777 == 0o600
            asked = httpx.post(f"{api}/v1/strategies/rsi-trend/stop", json=body, headers={"Authorization": f"Bearer {token}"})
            assert asked.status_code == 202
            before = newest_candle(api)
            second = tapeflow("up", TAPEFLOW_STATE=state, TAPEFLOW_VENUE_URL=venue)
            assert (second.returncode, second.stderr.count("\n")) == (2, 1)
            assert "already runs" in second.stderr
            assert json.loads(tapeflow("status", "--json", TAPEFLOW_STATE=state).stdout)["parts"]["pipeline"] is True
        assert processes.on(state) == []
        assert json.loads(tapeflow("status", "--json", TAPEFLOW_STATE=state).stdout)["parts"]["pipeline"] is False
        with up(state, venue, port) as api:
            wait_until(lambda: newest_candle(api) >= before + 20 * 60_000, "twenty more minutes of market", 60)
            ids = stored(state)
            query = {"venue": "okx", "symbol": SYMBOLS[0], "timeframe": "1m", "limit": 500, "from": before}
            candles = httpx.get(f"{api}/v1/candles", params=query, timeout=10).json()["items"]
    assert sorted(ids) == ["BTC-USDT", "ETH-USDT"]
    for market, known in ids.items():
        assert known == list(range(known[0], known[-1] + 1)), market
    assert {candle["status"] for candle in candles} == {"complete"}
    assert sorted(candle["open_time"] for candle in candles) == list(range(before, candles[0]["open_time"] + 1, 60_000))


@contextmanager
def socket_port() -> Iterator[int]:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    yield int(port)
