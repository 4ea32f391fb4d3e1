"""Bybit, Bitget, Upbit and Deribit over real sockets: what a client receives is the ledger, and faults do what they say."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from infra.simulated.bars import MINUTE
from infra.simulated.server import RunningVenue, running
from infra.simulated.venue import START_MS, SimulatedVenueConfig

MINUTES = 4


@dataclass(frozen=True)
class Stream:
    """How one venue is asked for the trades of one instrument, and what of its frames names them."""

    venue: str
    name: str
    path: str
    request: Any
    ids: Callable[[Any], list[Any]]
    recent: str
    rest_ids: Callable[[Any], list[Any]]


def rows(field: str, key: str, *, newest_first: bool = False) -> Callable[[Any], list[Any]]:
    """The ids in the rows of a list; nothing of other messages."""

    def ids(message: Any) -> list[Any]:
        found = message.get(field) if isinstance(message, dict) else None
        told = [row[key] for row in found if isinstance(row, dict) and key in row] if isinstance(found, list) else []
        return told[::-1] if newest_first else told

    return ids


def deribit_ids(message: Any) -> list[Any]:
    params = message.get("params", {})
    return [row["trade_seq"] for row in params["data"]] if str(params.get("channel", "")).startswith("trades.") else []


STREAMS = {
    "bybit spot": Stream(
        "bybit",
        "BTC/USDT",
        "/v5/public/spot",
        {"op": "subscribe", "args": ["publicTrade.BTCUSDT"]},
        rows("data", "i"),
        "/v5/market/recent-trade?category=spot&symbol=BTCUSDT",
        lambda answer: [row["execId"] for row in answer["result"]["list"]],
    ),
    "bybit linear": Stream(
        "bybit",
        "BTC/USDT:USDT",
        "/v5/public/linear",
        {"op": "subscribe", "args": ["publicTrade.BTCUSDT"]},
        rows("data", "i"),
        "/v5/market/recent-trade?category=linear&symbol=BTCUSDT&limit=1000",
        lambda answer: [row["execId"] for row in answer["result"]["list"]],
    ),
    "bitget": Stream(
        "bitget",
        "BTC/USDT:USDT",
        "/v2/ws/public",
        {"op": "subscribe", "args": [{"instType": "USDT-FUTURES", "channel": "trade", "instId": "BTCUSDT"}]},
        rows("data", "tradeId", newest_first=True),
        "/api/v2/mix/market/fills-history?symbol=BTCUSDT&productType=USDT-FUTURES&limit=1000",
        lambda answer: [row["tradeId"] for row in answer["data"]],
    ),
    "upbit": Stream(
        "upbit",
        "KRW-BTC",
        "/websocket/v1",
        [{"ticket": "t"}, {"type": "trade", "codes": ["KRW-BTC"]}],
        lambda message: [message["sequential_id"]] if message.get("sequential_id") else [],
        "/v1/trades/ticks?market=KRW-BTC&count=500",
        lambda answer: [row["sequential_id"] for row in answer],
    ),
    "deribit": Stream(
        "deribit",
        "BTC-PERPETUAL",
        "/ws/api/v2",
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "public/subscribe",
            "params": {"channels": ["trades.BTC-PERPETUAL.100ms"]},
        },
        deribit_ids,
        "/api/v2/public/get_last_trades_by_instrument?instrument_name=BTC-PERPETUAL&count=1000",
        lambda answer: [row["trade_seq"] for row in answer["result"]["trades"]],
    ),
}


@asynccontextmanager
async def opened(stream: Stream) -> AsyncIterator[RunningVenue]:
    config = SimulatedVenueConfig(venues=(stream.venue,), speed=300.0, minutes=MINUTES)
    async with running(config) as venue, asyncio.timeout(60):
        yield venue


@asynccontextmanager
async def connected(venue: RunningVenue, stream: Stream) -> AsyncIterator[ClientConnection]:
    async with websockets.connect(f"{venue.ws_address}/{stream.venue}{stream.path}") as websocket:
        await websocket.send(json.dumps(stream.request))
        yield websocket


async def received(websocket: ClientConnection, stream: Stream, until: Any) -> list[Any]:
    """The ids that come, in their order, through one of them."""
    found: list[Any] = []
    while until not in found:
        found += stream.ids(json.loads(await websocket.recv()))
    return found


async def ended(websocket: ClientConnection) -> None:
    """Read until the connection is closed, which raises."""
    while True:
        await websocket.recv()


def ledger_of(venue: RunningVenue, stream: Stream) -> list[Any]:
    """The ids of all the trades there will have been once trading has ended, oldest first."""
    exchange, end = venue.venues[stream.venue].exchange, START_MS + MINUTES * MINUTE
    tape = exchange.told(stream.name, end)
    trades = tape.slice(tape.before(START_MS), tape.through(end))
    return [exchange.trade_id(stream.name, one) for one in trades.ids.tolist()]


async def asked(venue: RunningVenue, stream: Stream) -> list[Any]:
    """The ids that REST gives, oldest first."""
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{venue.address}/{stream.venue}{stream.recent}")
    return sorted(stream.rest_ids(answer.raise_for_status().json()), key=str)


@pytest.mark.parametrize("named", STREAMS)
async def test_what_a_client_receives_is_the_ledger(named: str) -> None:
    stream = STREAMS[named]
    async with opened(stream) as venue, connected(venue, stream) as websocket:
        ledger = ledger_of(venue, stream)
        live = await received(websocket, stream, ledger[-1])
        assert live[live.index(ledger[0]) :] == ledger
        assert [row[0] for row in await venue.trades(stream.venue, stream.name)] == ledger
        newest = ledger[-60:] if named == "bybit spot" else ledger
        assert set(ledger) & set(await asked(venue, stream)) == set(newest)


@pytest.mark.parametrize("named", STREAMS)
async def test_skipped_trades_are_missing_on_the_websocket_alone_and_repeated_ones_come_twice(named: str) -> None:
    stream = STREAMS[named]
    async with opened(stream) as venue:
        await venue.clock(stream.venue, state="pause")
        async with connected(venue, stream) as websocket:
            assert json.loads(await websocket.recv())
            assert await venue.fault(stream.venue, "skip", count=5, instrument=stream.name) == 1
            await venue.clock(stream.venue, state="run")
            ledger = ledger_of(venue, stream)
            live = set(await received(websocket, stream, ledger[-1]))
            missing = [one for one in ledger if one not in live]
            assert missing == ledger[:5]
            assert await venue.fault(stream.venue, "duplicate", count=3, instrument=stream.name) == 1
            assert await received(websocket, stream, ledger[-1]) == ledger[-3:]
            assert named == "bybit spot" or set(missing) <= set(await asked(venue, stream))


@pytest.mark.parametrize("named", STREAMS)
async def test_a_new_subscription_may_begin_with_what_is_hours_old(named: str) -> None:
    stream = STREAMS[named]
    async with opened(stream) as venue:
        await venue.fault(stream.venue, "stale", count=10, seconds=60)
        async with connected(venue, stream) as websocket:
            before = await received(websocket, stream, ledger_of(venue, stream)[0])
            assert len(before) > 10


@pytest.mark.parametrize("named", STREAMS)
async def test_garbage_and_the_end_of_a_connection_reach_the_client(named: str) -> None:
    stream = STREAMS[named]
    async with opened(stream) as venue, connected(venue, stream) as websocket:
        garbage = set(venue.venues[stream.venue].exchange.garbage)
        await venue.fault(stream.venue, "garbage")
        frames: set[Any] = set()
        while not garbage <= frames:
            frames.add(await websocket.recv())
        await venue.fault(stream.venue, "disconnect")
        with pytest.raises(websockets.ConnectionClosed):
            await ended(websocket)


@pytest.mark.parametrize("named", STREAMS)
async def test_in_maintenance_connections_end_and_come_back_when_it_is_over(named: str) -> None:
    stream = STREAMS[named]
    async with opened(stream) as venue:
        async with connected(venue, stream) as websocket:
            await venue.fault(stream.venue, "maintenance", seconds=3600)
            with pytest.raises(websockets.ConnectionClosed):
                await ended(websocket)
        with pytest.raises(websockets.InvalidStatus, match="503"):
            await websockets.connect(f"{venue.ws_address}/{stream.venue}{stream.path}")
        await venue.clear(stream.venue)
        async with connected(venue, stream) as websocket:
            assert json.loads(await websocket.recv())
