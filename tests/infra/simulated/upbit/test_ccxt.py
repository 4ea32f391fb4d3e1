"""ccxt takes the simulated Upbit for the real one: over REST, over the websocket, and in what it makes of errors."""

import ccxt
import pytest

from tests.infra.simulated.ccxt_clients import client, fetches, watches


@pytest.mark.parametrize(("symbol", "limit"), [("BTC/KRW", 200), ("ETH/BTC", 100), ("FLOW/KRW", 20)])
async def test_ccxt_fetches_what_the_market_did(symbol: str, limit: int) -> None:
    async with client("upbit", hold=True) as (venue, exchange):
        await fetches(venue, exchange, symbol, limit)


@pytest.mark.parametrize("symbol", ["BTC/KRW"])
async def test_ccxt_pro_watches_trades_the_ticker_and_the_book(symbol: str) -> None:
    async with client("upbit", hold=True) as (venue, exchange):
        await watches(venue, exchange, symbol)


async def test_ccxt_sees_the_venue_s_refusals_as_its_own_errors() -> None:
    async with client("upbit", hold=True) as (venue, exchange):
        await exchange.load_markets()
        with pytest.raises(ccxt.ExchangeError, match="Code not found"):
            await exchange.fetch_trades("BTC/KRW", params={"market": "KRW-MOON"})
        with pytest.raises(ccxt.BadRequest):
            await exchange.fetch_trades("BTC/KRW", params={"market": ""})
        await venue.fault("upbit", "rate_limit", seconds=60)
        with pytest.raises(ccxt.ExchangeError, match="too_many_requests"):
            await exchange.fetch_ticker("BTC/KRW")
