"""ccxt, in all three of its forms, takes the simulated venue for OKX."""

import asyncio
from collections.abc import AsyncIterator

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.server import RunningVenue, running
from infra.simulated.venue import START_MS, SimulatedVenueConfig


@pytest.fixture
async def venue() -> AsyncIterator[RunningVenue]:
    async with running(SimulatedVenueConfig()) as one:
        yield one


async def test_ccxt_loads_the_markets(venue: RunningVenue) -> None:
    exchange = ccxt.okx({"urls": {"api": {"rest": venue.url}}})
    markets = await asyncio.to_thread(exchange.load_markets)
    assert set(markets) == {listing.name for listing in venue.venue.market.listings}
    linear, inverse = markets["BTC/USDT:USDT"], markets["BTC/USD:BTC"]
    assert (linear["swap"], linear["linear"], linear["contractSize"], linear["id"]) == (True, True, 0.01, "BTC-USDT-SWAP")
    assert (inverse["swap"], inverse["inverse"], inverse["contractSize"]) == (True, True, 100.0)
    assert markets["BTC/USDT"]["precision"] == {"amount": 1e-08, "price": 0.1}


async def test_ccxt_fetches_what_the_market_did(venue: RunningVenue) -> None:
    """With `number = str` the digits are the venue's own."""
    exchange = ccxt.async_support.okx({"urls": {"api": {"rest": venue.url}}})
    exchange.number = str
    try:
        await exchange.load_markets()
        assert await exchange.fetch_time() == START_MS
        trades = await exchange.fetch_trades("ETH/USDT", limit=500)
        tape = venue.venue.board.tape("ETH-USDT", START_MS)
        known = tape.through(START_MS)
        assert [int(trade["id"]) for trade in trades] == tape.slice(known - 500, known).ids.tolist()
        candles = await exchange.fetch_ohlcv("ETH/USDT", "1m", since=START_MS - 90 * MINUTE, limit=60)
        assert [candle[0] for candle in candles] == [START_MS - (90 - minute) * MINUTE for minute in range(60)]
        numbers = venue.venue.board.numbers["ETH-USDT"]
        bars = venue.venue.board.bars("ETH-USDT", "1m", candles[0][0], candles[-1][0], START_MS)
        assert [candle[4] for candle in candles] == [numbers.price(bar.close) for bar in bars]
        ticker = await exchange.fetch_ticker("ETH/USDT")
        assert (ticker["timestamp"], ticker["last"]) == (START_MS, trades[-1]["price"])
        assert (await exchange.fetch_status())["status"] == "ok"
    finally:
        await exchange.close()


async def test_ccxt_pages_the_history_of_trades(venue: RunningVenue) -> None:
    """By `after` and the oldest id of each page: ccxt's own `paginate` goes by the newest, and so moves by one trade."""
    exchange = ccxt.async_support.okx({"urls": {"api": {"rest": venue.url}}})
    try:
        ids: list[int] = []
        while len(ids) < 400:
            query = {"method": "publicGetMarketHistoryTrades", **({"after": str(ids[0])} if ids else {})}
            ids = [int(trade["id"]) for trade in await exchange.fetch_trades("XRP/USDT", params=query)] + ids
        last = (await venue.ledger())["XRP-USDT"]["history_last_id"]
        assert last is not None
        assert ids == list(range(last - 399, last + 1))
    finally:
        await exchange.close()


async def test_ccxt_sees_the_venue_s_refusals_as_its_own_errors(venue: RunningVenue) -> None:
    exchange = ccxt.async_support.okx({"urls": {"api": {"rest": venue.url}}})
    try:
        with pytest.raises(ccxt.BadSymbol):
            await exchange.fetch_trades("BTC/USDT", params={"instId": "NO-SUCH"})
        with pytest.raises(ccxt.BadRequest):
            await exchange.fetch_ohlcv("BTC/USDT", "7m")
    finally:
        await exchange.close()


async def test_ccxt_pro_watches_trades_tickers_quotes_and_candles(venue: RunningVenue) -> None:
    exchange = ccxt.pro.okx({"urls": {"api": {"rest": venue.url, "ws": f"{venue.ws_url}/ws/v5"}}})
    try:
        seen: list[int] = []
        while len(seen) < 20:
            seen += [int(trade["id"]) for trade in await exchange.watch_trades("BTC/USDT")]
        ledger = {row[0] for row in await venue.trades("BTC-USDT")}
        assert set(seen[1:]) <= ledger
        assert (await exchange.watch_ticker("BTC/USDT"))["timestamp"] > START_MS
        bid_ask = (await exchange.watch_bids_asks(["ETH/USDT"]))["ETH/USDT"]
        assert bid_ask["bid"] < bid_ask["ask"]
        candles = await exchange.watch_ohlcv("BTC/USDT", "1m")
        assert candles[-1][0] % MINUTE == 0
        with pytest.raises(ccxt.BadRequest, match="60018"):
            await exchange.watch_trades("BTC/USDT", params={"instId": "x", "channel": "no-such-channel"})
    finally:
        await exchange.close()
