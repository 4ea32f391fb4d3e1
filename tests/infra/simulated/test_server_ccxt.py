"""ccxt, which nobody here wrote, takes each simulated venue for the real one: REST, and ccxt.pro over the websocket.

A venue joins by a line in `VENUES`.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.server import RunningVenue, running
from infra.simulated.venue import START_MS, SimulatedVenueConfig


@dataclass(frozen=True)
class Expected:
    """What is to be seen of a venue. `symbols` are watched; `newest` is how many trades one request gives."""

    symbols: tuple[str, ...]
    newest: int = 500
    quoted: bool = True
    """Whether its ticker has the best bid and ask."""
    pro: bool = True


VENUES = {
    "okx": Expected(("BTC/USDT", "BTC/USDT:USDT")),
    "binance": Expected(("BTC/USDT", "ETH/USDT"), newest=1000),
    "binanceusdm": Expected(("BTC/USDT:USDT", "BTC/USDT:USDT-260327"), newest=1000, quoted=False),
}


def pointed(module: Any, venue: RunningVenue, name: str) -> Any:
    """ccxt's own exchange with every address's scheme and host replaced."""

    def replaced(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: replaced(inner) for key, inner in node.items()}
        if not isinstance(node, str) or "://" not in node:
            return node
        parts = urlsplit(node)
        base = venue.ws_address if parts.scheme.startswith("ws") else venue.address
        return f"{base}/{name}{parts.path}"

    exchange = getattr(module, name)()
    exchange.urls["api"] = replaced(exchange.urls["api"])
    return exchange


@pytest.fixture(params=VENUES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def venue(name: str) -> AsyncIterator[RunningVenue]:
    async with running(SimulatedVenueConfig(venues=(name,))) as one:
        yield one


async def test_ccxt_loads_the_markets(venue: RunningVenue, name: str) -> None:
    """Every listing by its unified name, with the venue's steps and contract size, in ccxt's blocking form."""
    markets = await asyncio.to_thread(pointed(ccxt, venue, name).load_markets)
    listings = {listing.name: (market_id, listing) for market_id, listing in venue.venues[name].board.listings.items()}
    assert set(markets) == set(listings)
    for symbol, (market_id, listing) in listings.items():
        market = markets[symbol]
        assert (market["id"], market["expiry"], market["active"]) == (market_id, listing.expiry, True)
        assert float(listing.tick) == market["precision"]["price"]
        if market["contract"] and listing.strike is None:
            assert (market["contractSize"], market["inverse"]) == (float(listing.contract_size), listing.settle == listing.base)


async def test_ccxt_fetches_what_the_market_did(venue: RunningVenue, name: str) -> None:
    """The clock is held, so that everything can be compared; with `number = str` the digits are the venue's own."""
    exchange, expected = pointed(ccxt.async_support, venue, name), VENUES[name]
    one = venue.venues[name]
    exchange.number = str
    try:
        markets = await exchange.load_markets()
        assert await exchange.fetch_time() == START_MS
        for symbol in expected.symbols:
            market_id = markets[symbol]["id"]
            trades = await exchange.fetch_trades(symbol, limit=expected.newest)
            tape = one.exchange.told(market_id, START_MS)
            known = tape.through(START_MS)
            ids = tape.slice(known - expected.newest, known).ids.tolist()
            assert [trade["id"] for trade in trades] == [str(one.exchange.trade_id(market_id, number)) for number in ids]
            candles = await exchange.fetch_ohlcv(symbol, "1m", since=START_MS - 90 * MINUTE, limit=60)
            opens = [START_MS - (90 - minute) * MINUTE for minute in range(60)]
            assert [candle[0] for candle in candles] == opens
            bars = one.board.bars(market_id, opens[0], opens[-1], MINUTE, START_MS)
            figures = one.board.figures[market_id]
            assert [float(candle[4]) for candle in candles] == [float(figures.price(bar.close)) for bar in bars]
            ticker, quote = await exchange.fetch_ticker(symbol), one.board.quote(market_id, START_MS)
            assert quote is not None
            assert (ticker["timestamp"], float(ticker["last"])) == (START_MS, float(trades[-1]["price"]))
            if expected.quoted:
                assert float(ticker["bid"]) == float(figures.price(quote.bid.price))
            book = await exchange.fetch_order_book(symbol, limit=5)
            assert float(book["bids"][0][0]) == float(figures.price(quote.bid.price))
            assert float(book["asks"][0][0]) == float(figures.price(quote.ask.price))
        if exchange.has["fetchStatus"]:
            assert (await exchange.fetch_status())["status"] == "ok"
    finally:
        await exchange.close()


async def test_ccxt_pro_watches_trades_tickers_and_books(venue: RunningVenue, name: str) -> None:
    exchange = pointed(ccxt.pro, venue, name)
    try:
        markets = await exchange.load_markets()
        for symbol in VENUES[name].symbols:
            market_id = markets[symbol]["id"]
            seen: list[Any] = []
            while len(seen) < 20:
                seen += [trade["id"] for trade in await exchange.watch_trades(symbol)]
            tape = venue.venues[name].board.tape(market_id, START_MS)
            known = {str(venue.venues[name].exchange.trade_id(market_id, one)) for one in tape.slice(0, len(tape)).ids.tolist()}
            assert set(seen) <= known
            assert (await exchange.watch_ticker(symbol))["last"] > 0
            await books_agree(exchange, venue, name, symbol, market_id)
    finally:
        await exchange.close()


async def books_agree(exchange: Any, venue: RunningVenue, name: str, symbol: str, market_id: str) -> None:
    """What ccxt has made of snapshots and changes is the venue's own book of that time."""
    board = venue.venues[name].board
    for _ in range(30):
        book = await exchange.watch_order_book(symbol)
        assert book["bids"][0][0] < book["asks"][0][0]
    time = book["timestamp"]
    view, figures = board.book(market_id, 20, time), board.figures[market_id]
    assert view is not None
    for side, levels in (("asks", view.asks), ("bids", view.bids)):
        depth = min(len(book[side]), 10)
        assert [level[:2] for level in book[side][:depth]] == [
            [float(figures.price(level.price)), float(figures.size(level.size))] for level in levels[:depth]
        ]
