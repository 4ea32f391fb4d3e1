"""The back door answers in JSON, for each venue by itself, and refuses what makes no sense."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from infra.simulated.server import application
from infra.simulated.venue import START_MS, SimulatedVenueConfig, open_venues


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = application(open_venues(SimulatedVenueConfig(instruments=2, venues=("okx", "binance"))))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://venue") as one:
        yield one


@pytest.mark.parametrize(("venue", "names"), [("okx", {"BTC-USDT", "ETH-USDT"}), ("binance", {"BTCUSDT", "ETHUSDT"})])
async def test_the_ledger_begins_empty_while_the_clock_is_held(client: httpx.AsyncClient, venue: str, names: set[str]) -> None:
    answer = (await client.get(f"/control/{venue}/ledger")).json()
    assert answer["now"] == START_MS
    assert set(answer["instruments"]) == names
    entry = answer["instruments"][min(names)]
    assert (entry["trades"], entry["first_id"]) == (0, None)
    assert entry["history_last_id"] - entry["history_first_id"] + 1 == entry["history_trades"]


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/control/okx/ledger/trades?instrument=NO-SUCH", None, 404),
        ("GET", "/control/mtgox/ledger", None, 404),
        ("GET", "/mtgox/api/v5/public/time", None, 404),
        ("POST", "/control/okx/fault", {"kind": "earthquake"}, 422),
        ("POST", "/control/okx/fault", {"kind": "skip", "count": 0}, 422),
        ("POST", "/control/okx/fault", {"kind": "clock_skew", "count": -5}, 200),
        ("POST", "/control/okx/fault", {"kind": "skip", "instrument": "BTCUSDT"}, 404),
        ("POST", "/control/okx/clock", {"speed": 0}, 422),
        ("POST", "/control/okx/clock", {"state": "hold"}, 422),
    ],
)
async def test_what_makes_no_sense_is_refused(client: httpx.AsyncClient, method: str, path: str, sent: Any, status: int) -> None:
    assert (await client.request(method, path, json=sent)).status_code == status


async def test_a_fault_without_connections_strikes_nobody(client: httpx.AsyncClient) -> None:
    answer = await client.post("/control/okx/fault", json={"kind": "disconnect"})
    assert answer.json() == {"connections": 0}


async def test_each_venue_has_a_clock_and_faults_of_its_own(client: httpx.AsyncClient) -> None:
    clock = (await client.post("/control/okx/clock", json={"state": "stop", "speed": 10})).json()
    assert clock == {"now": START_MS, "start": START_MS, "speed": 10.0, "state": "stop"}
    assert (await client.get("/control/binance/clock")).json()["state"] == "hold"
    await client.post("/control/okx/fault", json={"kind": "server_error", "seconds": 60})
    assert (await client.get("/okx/api/v5/public/time")).status_code == 500
    assert (await client.get("/binance/api/v3/time")).status_code == 200
    await client.delete("/control/okx/fault")
    assert (await client.get("/okx/api/v5/public/time")).status_code == 200


async def test_trades_of_the_ledger_come_in_pages(client: httpx.AsyncClient) -> None:
    """What is told as one is one row, by the venue's id of it."""
    for state in ({"speed": 6_000_000.0}, {"state": "run"}):
        await client.post("/control/binance/clock", json=state)
    clock = (await client.post("/control/binance/clock", json={"state": "pause"})).json()
    assert clock["now"] > START_MS
    path = "/control/binance/ledger/trades"
    rows = (await client.get(path, params={"instrument": "BTCUSDT", "limit": 3})).json()["trades"]
    rows += (await client.get(path, params={"instrument": "BTCUSDT", "limit": 2, "skip": 3})).json()["trades"]
    first = (await client.get("/control/binance/ledger")).json()["instruments"]["BTCUSDT"]["first_id"]
    assert [row[0] for row in rows] == list(range(first, first + 5))
    assert {row[4] for row in rows} <= {"buy", "sell"}
    query = {"symbol": "BTCUSDT", "fromId": first, "limit": 5}
    told = (await client.get("/binance/api/v3/aggTrades", params=query)).json()
    assert [[one["a"], one["T"], float(one["p"]), float(one["q"])] for one in told] == [
        [number, time, float(price), float(amount)] for number, time, price, amount, _ in rows
    ]
