"""Real clients over real sockets: what they receive is the ledger, in order, whatever goes wrong."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode

from infra.settings import UserError
from infra.simulated.bars import MINUTE
from infra.simulated.connection import framed
from infra.simulated.server import RunningVenue, running, serve
from infra.simulated.venue import START_MS, SimulatedVenueConfig


@pytest.fixture
async def venue() -> AsyncIterator[RunningVenue]:
    async with running(SimulatedVenueConfig(speed=600.0)) as one:
        yield one


async def subscribe(websocket: ClientConnection, *args: tuple[str, str]) -> None:
    """Subscribe and read every acknowledgement; data may not come between them."""
    wanted = [{"channel": channel, "instId": name} for channel, name in args]
    await websocket.send(json.dumps({"op": "subscribe", "args": wanted}))
    replies = [json.loads(await websocket.recv()) for _ in wanted]
    assert [(reply["event"], reply["arg"]) for reply in replies] == [("subscribe", arg) for arg in wanted]


async def pushes(websocket: ClientConnection) -> AsyncIterator[tuple[str, Any]]:
    """Yield the channel and the row of each frame."""
    async for text in websocket:
        message = json.loads(text)
        yield message["arg"]["channel"], message["data"][0]


async def trades_until(websocket: ClientConnection, time: int) -> list[dict[str, Any]]:
    """Return the trades up to the first ticker at or after a market time."""
    rows: list[dict[str, Any]] = []
    async for channel, row in pushes(websocket):
        if channel == "trades":
            rows.append(row)
        elif int(row["ts"]) >= time:
            return rows
    raise AssertionError("the connection ended first")


@pytest.mark.parametrize(("speed", "minutes"), [(300.0, 5), (7200.0, 60)])
async def test_what_a_client_receives_is_the_ledger(speed: float, minutes: int) -> None:
    """Eight instruments on one connection, also with bursts of a thousand trades within eight real milliseconds."""
    async with running(SimulatedVenueConfig(speed=speed, minutes=minutes)) as venue:
        names = list(venue.venues["okx"].board.listings)
        received: dict[str, list[list[Any]]] = {name: [] for name in names}
        ended: set[str] = set()
        async with websockets.connect(f"{venue.ws_address}/okx/ws/v5/public") as websocket:
            await subscribe(websocket, *((channel, name) for name in names for channel in ("trades", "tickers")))
            async for channel, row in pushes(websocket):
                if channel == "trades":
                    facts = [int(row["tradeId"]), int(row["ts"]), row["px"], row["sz"], row["side"]]
                    received[row["instId"]].append(facts)
                elif int(row["ts"]) >= START_MS + minutes * MINUTE:
                    ended.add(row["instId"])
                if len(ended) == len(names):
                    break
        ledger = await venue.ledger("okx")
        for name in names:
            snapshot, *live = received[name]
            assert snapshot[0] == ledger[name]["history_last_id"]
            assert live == await venue.trades("okx", name)
            assert len(live) == ledger[name]["trades"]
            assert [row[0] for row in live[:1]] == [ledger[name]["first_id"]][: len(live)]


async def test_a_held_clock_starts_with_the_first_subscription_to_trades(venue: RunningVenue) -> None:
    async with websockets.connect(f"{venue.ws_address}/okx/ws/v5/public") as websocket:
        await subscribe(websocket, ("tickers", "BTC-USDT"))
        assert (await venue.clock()) == {"now": START_MS, "start": START_MS, "speed": 600.0, "state": "hold"}
        await subscribe_after_data(websocket, "trades")
        async for channel, row in pushes(websocket):
            if channel == "trades" and int(row["ts"]) >= START_MS:
                break
    assert (await venue.clock())["state"] == "run"


async def subscribe_after_data(websocket: ClientConnection, channel: str) -> None:
    """Subscribe on a connection that is pushing already."""
    await websocket.send(json.dumps({"op": "subscribe", "args": [{"channel": channel, "instId": "BTC-USDT"}]}))
    while json.loads(await websocket.recv()).get("event") != "subscribe":
        pass


async def test_a_paused_clock_pushes_nothing_and_a_stopped_one_never_again(venue: RunningVenue) -> None:
    async with websockets.connect(f"{venue.ws_address}/okx/ws/v5/public") as websocket:
        await subscribe(websocket, ("trades", "BTC-USDT"), ("tickers", "BTC-USDT"))
        await trades_until(websocket, START_MS + MINUTE)
        paused = await venue.clock(state="pause")
        await websocket.send("ping")
        while await websocket.recv() != "pong":
            pass
        assert (await venue.clock())["now"] == paused["now"]
        await venue.clock(state="run", speed=60)
        await trades_until(websocket, paused["now"] + 1)
        stopped = await venue.clock(state="stop")
        assert stopped["speed"] == 60
        with pytest.raises(Exception, match="409"):
            await venue.clock(state="run")


async def test_two_clients_receive_the_same_trades(venue: RunningVenue) -> None:
    address, args = f"{venue.ws_address}/okx/ws/v5/public", (("trades", "BTC-USDT"), ("tickers", "BTC-USDT"))
    async with websockets.connect(address) as one, websockets.connect(address) as other:
        await subscribe(one, *args)
        await subscribe(other, *args)
        both = await asyncio.gather(*(trades_until(each, START_MS + 5 * MINUTE) for each in (one, other)))
        ids = [[int(row["tradeId"]) for row in rows if int(row["ts"]) < START_MS + 5 * MINUTE] for rows in both]
        common = max(ids[0][0], ids[1][0])
        assert [one for one in ids[0] if one >= common] == [one for one in ids[1] if one >= common]
        assert len(ids[1]) > 50


async def test_a_disconnect_drops_every_client_and_lets_them_return(venue: RunningVenue) -> None:
    async with websockets.connect(f"{venue.ws_address}/okx/ws/v5/public") as one:
        async with websockets.connect(f"{venue.ws_address}/okx/ws/v5/business") as other:
            await subscribe(one, ("trades", "BTC-USDT"))
            assert await venue.fault("okx", "disconnect") == 2
            with pytest.raises(websockets.ConnectionClosed):
                await other.recv()
        with pytest.raises(AssertionError, match="ended first"):
            await trades_until(one, START_MS + 1000 * MINUTE)
    async with websockets.connect(f"{venue.ws_address}/okx/ws/v5/public") as again:
        await subscribe(again, ("trades", "BTC-USDT"))


async def test_skipped_trades_can_be_fetched_and_repeated_ones_recognised(venue: RunningVenue) -> None:
    async with websockets.connect(f"{venue.ws_address}/okx/ws/v5/public") as websocket:
        await subscribe(websocket, ("trades", "BTC-USDT"), ("tickers", "BTC-USDT"))
        first = await trades_until(websocket, START_MS + MINUTE)
        assert await venue.fault("okx", "skip", count=5, instrument="BTC-USDT") == 1
        later = await trades_until(websocket, START_MS + 4 * MINUTE)
        await venue.fault("okx", "duplicate", count=3)
        last = await trades_until(websocket, (await venue.clock())["now"] + 1000)
    ids = [int(row["tradeId"]) for row in first + later + last]
    missing = sorted(set(range(ids[0], ids[-1])) - set(ids))
    assert len(missing) == 5
    assert missing == list(range(missing[0], missing[0] + 5))
    assert len(ids) - len(set(ids)) == 3
    assert set(missing) <= {row[0] for row in await venue.trades("okx", "BTC-USDT")}


async def test_garbage_reaches_the_client_as_it_is(venue: RunningVenue) -> None:
    async with websockets.connect(f"{venue.ws_address}/okx/ws/v5/public") as websocket:
        await venue.fault("okx", "garbage")
        frames = [await websocket.recv() for _ in range(4)]
        assert [type(frame).__name__ for frame in frames] == ["str", "str", "str", "bytes"]


async def test_in_silence_a_client_hears_nothing_and_then_goes_on(venue: RunningVenue) -> None:
    """Not even a pong, of either kind; requests that fell into the silence are never answered."""
    async with websockets.connect(f"{venue.ws_address}/okx/ws/v5/public") as websocket:
        await venue.fault("okx", "silence", seconds=60)
        await websocket.send(json.dumps({"op": "subscribe", "args": [{"channel": "trades", "instId": "BTC-USDT"}]}))
        await websocket.send("ping")
        pong = await websocket.ping()
        await venue.clock()
        assert not pong.done()
        await venue.clear("okx")
        await websocket.send("ping")
        assert await websocket.recv() == "pong"
        assert not pong.done()


async def test_when_heartbeats_alone_go_on_a_client_hears_its_own(venue: RunningVenue) -> None:
    async with websockets.connect(f"{venue.ws_address}/okx/ws/v5/public") as websocket:
        await venue.fault("okx", "heartbeats_only", seconds=60)
        await websocket.send(json.dumps({"op": "subscribe", "args": [{"channel": "trades", "instId": "BTC-USDT"}]}))
        await websocket.send("ping")
        await (await websocket.ping())
        assert await websocket.recv() == "pong"


async def test_a_half_open_connection_says_nothing_and_is_reset_when_the_fault_is_over(venue: RunningVenue) -> None:
    """Others can connect meanwhile."""
    async with websockets.connect(f"{venue.ws_address}/okx/ws/v5/public") as websocket:
        assert await venue.fault("okx", "half_open", seconds=60) == 1
        await websocket.send("ping")
        pong = await websocket.ping()
        async with websockets.connect(f"{venue.ws_address}/okx/ws/v5/public") as other:
            await subscribe(other, ("trades", "BTC-USDT"))
        assert not pong.done()
        await venue.clear("okx")
        with pytest.raises(websockets.ConnectionClosedError):
            await websocket.recv()


async def test_what_drips_comes_whole_in_the_end(venue: RunningVenue) -> None:
    async with websockets.connect(f"{venue.ws_address}/okx/ws/v5/public") as websocket:
        await venue.fault("okx", "slow_drip", count=3, seconds=60)
        await websocket.send("ping")
        assert await websocket.recv() == "pong"
        await websocket.send(json.dumps({"op": "subscribe", "args": [{"channel": "trades", "instId": "BTC-USDT"}]}))
        await venue.clear("okx")
        assert json.loads(await websocket.recv())["event"] == "subscribe"


async def test_maintenance_ends_connections_and_refuses_new_ones_until_it_is_over(venue: RunningVenue) -> None:
    address = f"{venue.ws_address}/okx/ws/v5/public"
    async with websockets.connect(address) as websocket:
        await venue.fault("okx", "maintenance", seconds=60)
        assert json.loads(await websocket.recv())["code"] == "64008"
        with pytest.raises(websockets.ConnectionClosed):
            await websocket.recv()
    with pytest.raises(websockets.InvalidStatus, match="503"):
        await websockets.connect(address)
    await venue.clear("okx")
    async with websockets.connect(address) as again:
        await subscribe(again, ("trades", "BTC-USDT"))


async def test_every_answer_is_dated_by_the_venues_own_clock(venue: RunningVenue) -> None:
    """Also that to a client that asks for nothing else, as one does of a venue that has no request for its time."""
    async with httpx.AsyncClient(base_url=venue.address) as client:
        for answer in (await client.head("/okx"), await client.get("/okx/api/v5/public/time")):
            assert answer.headers["Date"] == "Mon, 05 Jan 2026 00:00:00 GMT"
        assert (await client.head("/nowhere")).status_code == 404


async def test_a_clock_may_be_another_than_the_machines() -> None:
    real = 0.0
    async with running(SimulatedVenueConfig(speed=10.0, hold=False), lambda: real) as venue:
        real = 3.0
        assert (await venue.clock())["now"] == START_MS + 30_000


async def test_an_address_or_venue_that_is_not_there_is_refused(venue: RunningVenue) -> None:
    for path in ("okx/ws/v5/private", "mtgox/ws/v5/public"):
        with pytest.raises(websockets.InvalidStatus, match="404"):
            await websockets.connect(f"{venue.ws_address}/{path}")


async def test_a_client_that_answers_pings_stays_connected() -> None:
    """At two hundred times the pace of the venue's watch: pings ten times a second, each wanted within 0.3 seconds."""
    config = SimulatedVenueConfig(venues=("binance",), haste=200.0)
    async with running(config) as venue, websockets.connect(f"{venue.ws_address}/binance/ws/btcusdt@aggTrade") as websocket:
        for _ in range(30):
            assert json.loads(await websocket.recv())["s"] == "BTCUSDT"


async def test_too_many_messages_end_the_connection() -> None:
    config = SimulatedVenueConfig(venues=("binance",))
    async with running(config) as venue, websockets.connect(f"{venue.ws_address}/binance/ws") as websocket:
        for number in range(6):
            await websocket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
        with pytest.raises(websockets.ConnectionClosed, match="Too many requests"):
            await all_of(websocket)


async def all_of(websocket: ClientConnection) -> None:
    """Read until the connection ends."""
    while True:
        await websocket.recv()


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frames_are_those_of_the_protocol(size: int) -> None:
    """Written by hand for speed; here by the library for proof."""
    payload = b"x" * size
    assert framed(Opcode.TEXT, payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


async def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"127.0.0.1:{port} .*--port"):
            await serve(SimulatedVenueConfig(instruments=1), port=port)
