"""ccxt takes the simulated Bybit for the real one: over REST, over the websocket, and in what it makes of errors."""

import ccxt
import pytest

from tests.infra.simulated.ccxt_clients import client, fetches, watches


@pytest.mark.parametrize(
    ("symbol", "limit"), [("BTC/USDT", 60), ("BTC/USDT:USDT", 200), ("BTC/USD:BTC", 200), ("BTC/USD:BTC-260327", 50)]
)
async def test_ccxt_fetches_what_the_market_did(symbol: str, limit: int) -> None:
    async with client("bybit", hold=True) as (venue, exchange):
        await fetches(venue, exchange, symbol, limit)


@pytest.mark.parametrize("symbol", ["BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC"])
async def test_ccxt_pro_watches_trades_the_ticker_and_the_book(symbol: str) -> None:
    async with client("bybit", hold=True) as (venue, exchange):
        await watches(venue, exchange, symbol)


async def test_ccxt_sees_the_venue_s_refusals_as_its_own_errors() -> None:
    async with client("bybit", hold=True) as (venue, exchange):
        await exchange.load_markets()
        with pytest.raises(ccxt.BadSymbol):
            await exchange.fetch_trades("BTC/USDT", params={"symbol": "NOSUCH"})
        with pytest.raises(ccxt.BadRequest):
            await exchange.fetch_ohlcv("BTC/USDT", "7m")
        with pytest.raises(ccxt.ExchangeError, match="Invalid symbol"):
            await exchange.watch_topics(exchange.urls["api"]["ws"]["public"]["spot"], ["x"], ["publicTrade.NOSUCH"])
        await venue.fault("bybit", "rate_limit", seconds=60)
        with pytest.raises(ccxt.RateLimitExceeded):
            await exchange.fetch_time()
        await venue.clear("bybit")
        await venue.fault("bybit", "maintenance", seconds=60)
        assert (await exchange.fetch_status())["status"] == "maintenance"
