"""The back door answers in JSON and refuses what makes no sense."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from infra.simulated.server import application
from infra.simulated.venue import START_MS, SimulatedVenueConfig, Venue


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = application(Venue(SimulatedVenueConfig(instruments=2)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://venue") as one:
        yield one


async def test_the_ledger_begins_empty_while_the_clock_is_held(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/control/ledger")).json()
    assert answer["now"] == START_MS
    assert set(answer["instruments"]) == {"BTC-USDT", "ETH-USDT"}
    entry = answer["instruments"]["BTC-USDT"]
    assert (entry["trades"], entry["first_id"]) == (0, None)
    assert entry["history_last_id"] - entry["history_first_id"] + 1 == entry["history_trades"]


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/control/ledger/trades?instId=NO-SUCH", None, 404),
        ("POST", "/control/fault", {"kind": "earthquake"}, 422),
        ("POST", "/control/fault", {"kind": "skip", "count": 0}, 422),
        ("POST", "/control/fault", {"kind": "skip", "instrument": "NO-SUCH"}, 404),
        ("POST", "/control/clock", {"speed": 0}, 422),
        ("POST", "/control/clock", {"state": "hold"}, 422),
    ],
)
async def test_what_makes_no_sense_is_refused(client: httpx.AsyncClient, method: str, path: str, sent: Any, status: int) -> None:
    assert (await client.request(method, path, json=sent)).status_code == status


async def test_a_fault_without_connections_strikes_nobody(client: httpx.AsyncClient) -> None:
    answer = await client.post("/control/fault", json={"kind": "disconnect"})
    assert answer.json() == {"connections": 0}
