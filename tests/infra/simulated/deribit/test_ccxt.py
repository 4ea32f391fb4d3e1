"""ccxt takes the simulated Deribit for the real one: over REST, over the websocket, and in what it makes of errors."""

import ccxt
import pytest

from tests.infra.simulated.ccxt_clients import client, fetches, watches


@pytest.mark.parametrize(
    ("symbol", "limit"), [("BTC/USD:BTC", 200), ("BTC/USD:BTC-260327", 50), ("BTC/USD:BTC-260327-100000-C", 50)]
)
async def test_ccxt_fetches_what_the_market_did(symbol: str, limit: int) -> None:
    async with client("deribit", hold=True) as (venue, exchange):
        await fetches(venue, exchange, symbol, limit)


@pytest.mark.parametrize("symbol", ["BTC/USD:BTC", "BTC/USD:BTC-260327-100000-C"])
async def test_ccxt_pro_watches_trades_the_ticker_and_the_book(symbol: str) -> None:
    async with client("deribit", hold=True) as (venue, exchange):
        await watches(venue, exchange, symbol)


async def test_ccxt_sees_the_venue_s_refusals_as_its_own_errors() -> None:
    async with client("deribit", hold=True) as (venue, exchange):
        await exchange.load_markets()
        with pytest.raises(ccxt.ExchangeError, match="13020"):
            await exchange.fetch_trades("BTC/USD:BTC", params={"instrument_name": "MOON-PERPETUAL"})
        with pytest.raises(ccxt.BadRequest):
            await exchange.fetch_order_book("BTC/USD:BTC", 7)
        assert (await exchange.fetch_status())["status"] == "ok"
        await venue.fault("deribit", "maintenance", seconds=60)
        assert (await exchange.fetch_status())["status"] == "maintenance"
        with pytest.raises(ccxt.OnMaintenance):
            await exchange.fetch_ticker("BTC/USD:BTC")
