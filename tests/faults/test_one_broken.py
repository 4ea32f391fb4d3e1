"""One broken instrument, symbol or venue never stops the others."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest

from infra.simulated.feeds import Frame, TradesFeed
from infra.simulated.listing import Listing
from schemas.market import Trades
from tests.faults.checks import judged
from tests.faults.scene import SYMBOLS, Scene, scene
from tests.faults.verdict import open_gaps

pytestmark = [pytest.mark.faults, pytest.mark.broker]


class Delisting(dict[str, Listing]):
    """What a venue lists, where one name is refused to whoever asks for it, while those who have it are told of it."""

    gone: str | None = None

    def __contains__(self, name: object) -> bool:
        return name != self.gone and super().__contains__(name)


def delisting(played: Scene, name: str) -> Delisting:
    board = played.simulated.venues[name].board
    board.listings = Delisting(board.listings)
    return board.listings


@contextlib.asynccontextmanager
async def spoiled(played: Scene, name: str, market_id: str) -> AsyncIterator[None]:
    """Every frame with trades of one instrument is cut in the middle."""

    def cut(whole: Any) -> Any:
        def encode(*arguments: Any) -> Iterable[Frame]:
            return [frame[: len(frame) // 2] for frame in whole(*arguments)]

        return encode

    spoils: list[tuple[TradesFeed, Any]] = []

    async def spoil() -> None:
        while True:
            for session in list(played.simulated.venues[name]._sessions):
                for feed in list(session._talk.feeds.values()):
                    if isinstance(feed, TradesFeed) and feed.name == market_id and all(feed is not one for one, _ in spoils):
                        spoils.append((feed, feed._encode))
                        feed._encode = cut(feed._encode)
            await asyncio.sleep(0.005)

    task = asyncio.create_task(spoil())
    try:
        yield
    finally:
        task.cancel()
        for feed, encode in spoils:
            feed._encode = encode


def trades(played: Scene, name: str, symbol: str) -> list[Trades]:
    return [record for record in played.published.records(name, symbol) if record.ids]


async def test_a_symbol_that_is_not_listed_is_told_and_the_others_are_complete(
    kafka_bootstrap: str, topic_prefix: str, tmp_path: Path
) -> None:
    symbols = {"okx": (*SYMBOLS["okx"], "NOPE/USDT")}
    async with scene(kafka_bootstrap, topic_prefix, tmp_path, ["okx"], symbols=symbols) as played:
        played.symbols = {"okx": SYMBOLS["okx"]}
        await played.ended()
        assert await judged(played, "okx") == "ok"
        (refused,) = played.notices("okx", "refused")
        assert (refused.symbol, refused.code) == ("NOPE/USDT", "unlisted")


@pytest.mark.parametrize("name", ["okx", "binance"])
async def test_a_symbol_that_is_delisted_while_it_is_followed_is_told_and_the_others_are_complete(
    name: str, kafka_bootstrap: str, topic_prefix: str, tmp_path: Path
) -> None:
    async with scene(kafka_bootstrap, topic_prefix, tmp_path, [name]) as played:
        await played.under_way()
        gone, *others = SYMBOLS[name]
        listings = delisting(played, name)
        listings.gone = played.market_id(name, gone)
        await played.strike(name, "disconnect")
        played.symbols = {name: tuple(others)}
        await played.ended()
        listings.gone = None  # the ledger is asked by name too
        assert await judged(played, name) == "ok"
        refused = [notice for notice in played.notices(name, "refused") if notice.symbol == gone]
        assert bool(refused) == (name == "okx"), "the others grant what they do not have"
        assert open_gaps(played.published.records(name, gone)), "what is missing of it is said"
        assert all(notice.symbol in {gone, None} for notice in played.notices(name, "refused"))


@pytest.mark.parametrize("name", ["okx", "binanceusdm", "bybit", "bitget", "upbit", "deribit"])
async def test_rubbish_instead_of_one_instruments_trades_leaves_the_others_alone(
    name: str, kafka_bootstrap: str, topic_prefix: str, tmp_path: Path
) -> None:
    """It is told too: from REST, and in full once it is told well again."""
    async with scene(kafka_bootstrap, topic_prefix, tmp_path, [name]) as played:
        await played.under_way()
        broken = SYMBOLS[name][-1]
        own = played.ledger_name(name, broken)
        async with spoiled(played, name, own):
            await played.clock.sleep(30)
        await played.ended()
        assert await judged(played, name, rubbish=True) == "ok"
        assert played.published.dead
        assert played.reconnects(name) <= 2


async def test_a_venue_whose_rest_only_fails_stops_no_other_and_comes_back_by_itself(
    kafka_bootstrap: str, topic_prefix: str, tmp_path: Path
) -> None:
    async with scene(kafka_bootstrap, topic_prefix, tmp_path, ["okx", "binance"], start=False) as played:
        await played.simulated.fault("okx", "server_error", seconds=1e6)
        played.start()
        await played.ended(["binance"])
        assert await judged(played, "binance") == "ok"
        assert not any(trades(played, "okx", symbol) for symbol in SYMBOLS["okx"])
        await played.simulated.clear("okx")
        await played.ended(["okx"])
        assert await judged(played, "okx") == "ok"


async def test_a_venue_that_goes_down_for_good_stops_no_other(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> None:
    async with scene(kafka_bootstrap, topic_prefix, tmp_path, ["bybit", "bitget"]) as played:
        await played.under_way()
        await played.strike("bybit", "maintenance", seconds=1e6)
        await played.ended(["bitget"])
        assert await judged(played, "bitget") == "ok"
        assert played.reconnects("bitget") == 0
        assert played.notices("bybit", "maintenance")
        assert all(played.fetching("bybit", symbol) for symbol in SYMBOLS["bybit"]), "what is missing is said"
