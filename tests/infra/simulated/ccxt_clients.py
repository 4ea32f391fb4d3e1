"""ccxt pointed at simulated venues, and what it has to find there whatever the venue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import ccxt.pro

from infra.simulated.bars import MINUTE
from infra.simulated.server import RunningVenue, running
from infra.simulated.venue import START_MS, SimulatedVenueConfig, Venue


def addresses(venue: str, rest: str, ws: str) -> dict[str, Any]:
    """What ccxt calls the addresses that are replaced."""
    parts = dict.fromkeys(("public", "private", "spot", "futures", "v2", "mix", "margin", "common", "rest"), rest)
    sockets: dict[str, Any] = {
        "bybit": {"public": {kind: f"{ws}/v5/public/{kind}" for kind in ("spot", "linear", "inverse", "option")}},
        "bitget": {"public": f"{ws}/v2/ws/public"},
        "upbit": f"{ws}/websocket/v1",
        "deribit": f"{ws}/ws/api/v2",
    }
    return {"api": {**parts, "ws": sockets[venue]}}


@asynccontextmanager
async def client(venue: str, *, hold: bool) -> AsyncIterator[tuple[RunningVenue, Any]]:
    """A running venue and a ccxt.pro client of it that keeps the venue's digits.

    The venue's watch hastes, so that a client which asks faster than the venue allows is within its limits.
    """
    async with running(SimulatedVenueConfig(venues=(venue,), hold=hold, haste=20.0)) as one:
        urls = addresses(venue, f"{one.address}/{venue}", f"{one.ws_address}/{venue}")
        exchange = getattr(ccxt.pro, venue)({"urls": urls, "enableRateLimit": False})
        exchange.number = str
        try:
            yield one, exchange
        finally:
            await exchange.close()


async def fetches(venue: RunningVenue, exchange: Any, symbol: str, limit: int) -> None:
    """The markets, the newest trades, candles, the book and the ticker are what the market did."""
    simulated = venue.venues[exchange.id]
    markets = await exchange.load_markets()
    assert set(markets) == {listing.name for listing in simulated.market.listings}
    (name,) = [name for name, listing in simulated.board.listings.items() if listing.name == symbol]
    tape, figures = simulated.exchange.told(name, START_MS), simulated.board.figures[name]
    known = tape.through(START_MS)
    newest = tape.slice(known - limit, known)
    trades = sorted(await exchange.fetch_trades(symbol, limit=limit), key=lambda trade: trade["timestamp"])
    assert [trade["timestamp"] for trade in trades] == newest.times.tolist()
    prices = [figures.price(price) for price in newest.prices.tolist()]
    assert sorted(Decimal(trade["price"]) for trade in trades) == sorted(prices)
    candles = await exchange.fetch_ohlcv(symbol, "1m", since=START_MS - 90 * MINUTE, limit=60)
    opened = [candle[0] for candle in candles]
    assert opened == sorted(set(opened))
    assert START_MS - 90 * MINUTE <= opened[0] < opened[-1] < START_MS
    by_open = {bar.open_time: bar for bar in simulated.board.bars(name, opened[0], opened[-1], MINUTE, START_MS)}
    assert [Decimal(candle[4]) for candle in candles] == [figures.price(by_open[candle[0]].close) for candle in candles]
    book = await exchange.fetch_order_book(symbol)
    assert book["bids"][0][0] < book["asks"][0][0]
    ticker = await exchange.fetch_ticker(symbol)
    assert Decimal(ticker["last"]) == prices[-1]


async def watches(venue: RunningVenue, exchange: Any, symbol: str) -> None:
    """Trades, the ticker and the book arrive, and the trades are the ledger's."""
    simulated = venue.venues[exchange.id]
    await exchange.load_markets()
    (name,) = [name for name, listing in simulated.board.listings.items() if listing.name == symbol]
    history = {str(simulated.exchange.trade_id(name, one)) for one in _before(simulated, name)}
    seen: dict[str, Decimal] = {}
    async with asyncio.timeout(30):
        while len(seen.keys() - history) < 5:
            seen |= {_id(trade): Decimal(trade["price"]) for trade in await exchange.watch_trades(symbol)}
        ticker = await exchange.watch_ticker(symbol)
        for _ in range(3):
            book = await exchange.watch_order_book(symbol)
    ledger = {str(told): Decimal(price) for told, _, price, _, _ in await venue.trades(exchange.id, name)}
    assert seen.keys() <= ledger.keys() | history
    assert all(price == ledger[told] for told, price in seen.items() if told in ledger)
    assert ticker["last"]
    assert book["bids"][0][0] < book["asks"][0][0]


def _id(trade: Any) -> str:
    """The venue's id by which trades go on; ccxt's is another one on Deribit."""
    return str(trade["info"].get("trade_seq", trade["id"]))


def _before(simulated: Venue, name: str) -> list[int]:
    """The ids of the last trades before the start, with which some venues begin."""
    tape = simulated.exchange.told(name, START_MS)
    known = tape.through(START_MS)
    ids: list[int] = tape.slice(max(0, known - 60), known).ids.tolist()
    return ids
