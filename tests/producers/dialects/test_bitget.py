"""Bitget v2: requests, answers over REST to trades and candles, market entries to instruments."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import ccxt
import pytest

from producers.books import Book, Status
from producers.dialect import BookPushed, BookRule, Channel, FrameError, Ids, Kind, Trade
from producers.dialects.bitget import Bitget
from schemas.market import HistoryCandle, Instrument
from tests.producers.dialects.samples import samples

BITGET = Bitget()
# The places of samples of the two lists of instruments.
SPOT, FUTURES = 5, 0


def instruments(shared: Path, sample: int) -> list[Instrument]:
    """The instruments of a sample, as ccxt makes markets of them."""
    answers = [json.loads(one.text) for one in samples(shared, "bitget") if one.kind == "rest_instruments"]
    venue = ccxt.bitget({"number": str})
    venue.publicSpotGetV2SpotPublicSymbols = lambda _: answers[sample] if sample == SPOT else {}
    venue.publicMarginGetV2MarginCurrencies = lambda _: {}
    venue.publicMixGetV2MixMarketContracts = lambda asked: (
        answers[sample] if sample == FUTURES and asked["productType"] == "USDT-FUTURES" else {}
    )
    return [BITGET.instrument(market) for market in venue.fetch_markets()]


@pytest.fixture
def spot(shared: Path) -> Instrument:
    return instruments(shared, SPOT)[0]


@pytest.fixture
def futures(shared: Path) -> Instrument:
    return instruments(shared, FUTURES)[0]


def test_an_instrument_of_spot_keeps_the_venue_s_own_digits(spot: Instrument):
    assert (spot.symbol, spot.market_id, spot.type, spot.settle) == ("BTC/USDT", "BTCUSDT", "spot", None)
    assert (spot.tick_size, spot.lot_size, spot.min_amount) == (Decimal("0.01"), Decimal("0.000001"), Decimal(0))
    assert (spot.contract_size, spot.inverse, spot.expiry, spot.active) == (Decimal(1), False, None, True)


def test_futures_have_a_name_of_their_own_and_count_in_base_units(futures: Instrument):
    """Bitget calls both `BTCUSDT`, and the price step is `priceEndStep` times the last of `pricePlace` digits."""
    assert (futures.symbol, futures.market_id) == ("BTC/USDT:USDT", "USDT-FUTURES:BTCUSDT")
    assert (futures.type, futures.settle, futures.contract_size, futures.inverse) == ("swap", "USDT", Decimal(1), False)
    assert (futures.tick_size, futures.lot_size, futures.min_amount) == (Decimal("0.1"), Decimal("0.01"), Decimal("0.01"))
    assert (futures.expiry, futures.valid_from, futures.active) == (None, 0, True)


def test_a_price_step_may_be_several_of_its_last_digits():
    info = {"symbol": "XUSDT", "pricePlace": "3", "priceEndStep": "5", "sizeMultiplier": "10", "minTradeNum": "10"}
    dated = {**info, "symbolStatus": "limit_open", "deliveryTime": "1735286400000", "launchTime": "1730000000000"}
    market = {"symbol": "X/USDT:USDT-241227", "type": "future", "base": "X", "quote": "USDT", "settle": "USDT", "info": dated}
    found = BITGET.instrument(market)
    assert (found.tick_size, found.lot_size, found.active) == (Decimal("0.005"), Decimal(10), False)
    assert (found.type, found.expiry, found.valid_from) == ("future", 1735286400000, 1730000000000)


@pytest.mark.parametrize(
    ("market", "reason"),
    [
        ({}, "without 'info'"),
        ({"type": "spot", "info": {"symbol": "X"}}, "without"),
        ({"type": "swap", "settle": "BTC", "info": {}}, "swap settled in 'BTC'"),
    ],
)
def test_an_entry_that_is_not_understood_is_named(market: dict[str, Any], reason: str):
    with pytest.raises(FrameError, match=reason):
        BITGET.instrument(market)


def test_only_futures_have_mark_prices_funding_and_open_interest(spot: Instrument, futures: Instrument):
    for one, missing in ((spot, {Kind.MARK, Kind.FUNDING, Kind.INTEREST}), (futures, set())):
        paths = {kind: BITGET.path(Channel(kind, one.market_id), one) for kind in Kind}
        assert {kind for kind, path in paths.items() if path is None} == missing
        assert set(paths.values()) - {None} == {"/v2/ws/public"}
        assert BITGET.ids(one) is Ids.RISING


def test_channels_are_asked_for_forty_at_a_time_trades_first_and_once_for_all_that_they_tell():
    wanted = [Channel(kind, f"USDT-FUTURES:COIN{at}USDT") for at in range(12) for kind in reversed(Kind)]
    wanted.append(Channel(Kind.TRADES, "BTCUSDT"))
    messages = BITGET.subscribe(wanted, (), 7)
    asked = [json.loads(message.text) for message in messages]
    assert [(one["op"], len(one["args"])) for one in asked] == [("subscribe", 40), ("subscribe", 9)]
    assert asked[0]["args"][0] == {"instType": "USDT-FUTURES", "channel": "trade", "instId": "COIN0USDT"}
    assert asked[0]["args"][12] == {"instType": "SPOT", "channel": "trade", "instId": "BTCUSDT"}
    assert {arg["channel"] for arg in asked[0]["args"][13:25]} == {"ticker"}
    assert sorted(channel for message in messages for channel in message.channels) == sorted(wanted)
    assert all(len(message.text) <= 4096 for message in messages)


def test_what_is_asked_for_looks_like_the_collected_requests(shared: Path):
    (message,) = BITGET.subscribe([Channel(Kind.QUOTES, "USDT-FUTURES:BTCUSDT")], (), 1)
    collected = [json.loads(one.text) for one in samples(shared, "bitget") if one.kind == "subscribe_request"]
    assert json.loads(message.text.replace('"subscribe"', '"unsubscribe"')) in collected


def test_a_channel_is_kept_while_something_held_comes_from_it():
    quotes, mark, book = (Channel(kind, "USDT-FUTURES:BTCUSDT") for kind in (Kind.QUOTES, Kind.MARK, Kind.BOOK))
    (message,) = BITGET.unsubscribe([quotes, book], [mark], 3)
    arg = {"instType": "USDT-FUTURES", "channel": "books", "instId": "BTCUSDT"}
    assert json.loads(message.text) == {"op": "unsubscribe", "args": [arg]}
    assert message.channels == (book,)
    assert BITGET.subscribe([quotes], [mark], 4) == ()


def test_trades_are_asked_for_by_id(spot: Instrument, futures: Instrument):
    last = Trade(1116461060594286593, 1116461060594286593, 1, Decimal(1), Decimal(1), taker_buy=True)
    older = {"limit": "1000", "idLessThan": "1116461060594286593"}
    first, second = BITGET.trades_request(spot, None), BITGET.trades_request(futures, last)
    assert first is not None
    assert second is not None
    assert all(hasattr(ccxt.bitget(), request.method) for request in (first, second))
    assert first.params == {"symbol": "BTCUSDT", "limit": "1000"}
    assert second.params == {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", **older}
    assert ("_spot_" in first.method, "_mix_" in second.method) == (True, True)
    assert BITGET.recent_trades(spot) == 1000


def past(name: str, **changed: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "tradeId": name,
        "side": "Sell",
        "price": "26372.5",
        "size": "9.250",
        "ts": "1695865151000",
    } | changed


def test_trades_are_read_oldest_first(futures: Instrument):
    page = BITGET.trades_page(
        futures, {"data": [past("1235671063871070209"), past("1235671063871070208", symbol="BTCUSDT_UMCBL")]}
    )
    assert [trade.id for trade in page] == [1235671063871070208, 1235671063871070209]
    assert page[0] == Trade(page[0].id, page[0].id, 1695865151000, Decimal("26372.5"), Decimal("9.250"), taker_buy=False)


def test_numbers_of_an_answer_are_read_exactly_as_strings_and_as_numbers(spot: Instrument):
    row = past("7", ts=1695865151000, price=26372.5, size=9, tradeId=1235671063871070209)
    (trade,) = BITGET.trades_page(spot, {"data": [row]})
    assert (trade.id, trade.price, trade.amount) == (1235671063871070209, Decimal("26372.5"), Decimal(9))


def test_the_collected_pages_of_trades_are_read(futures: Instrument, shared: Path):
    pages = [json.loads(one.text) for one in samples(shared, "bitget") if one.kind == "rest_recent_trades"]
    for page in pages[:2]:
        expected = [(int(row["ts"]), Decimal(row["price"]), Decimal(row["size"])) for row in page["data"]]
        assert [(one.time, one.price, one.amount) for one in BITGET.trades_page(futures, page)] == expected
    with pytest.raises(FrameError, match="'BFTUSDT' among"):
        BITGET.trades_page(futures, pages[3])


CANDLE = ["1656604800000", "37834.5", "37849.5", "37773.5", "37773.5", "428.3462", "16198849.1079", "16198849.1079"]


@pytest.mark.parametrize("columns", [7, 8])
def test_a_candle_is_closed_when_it_had_ended_at_the_answer(columns: int, spot: Instrument):
    rows = [["1656604860000", *CANDLE[1:columns]], CANDLE[:columns]]
    running, ended = BITGET.candles_page(spot, {"requestTime": "1656604919999", "data": rows})
    assert (running.closed, ended.closed) == (False, True)
    assert ended.candle == HistoryCandle(1656604800000, *map(Decimal, CANDLE[1:7]))


def test_candles_before_a_time_are_asked_for(spot: Instrument, futures: Instrument):
    for one, minute in ((spot, "1min"), (futures, "1m")):
        request = BITGET.candles_request(one, 1656604800000)
        assert hasattr(ccxt.bitget(), request.method)
        assert (request.params["granularity"], request.params["endTime"]) == (minute, "1656604800000")
        assert minute == ccxt.bitget().options["fetchOHLCV"]["timeframes"]["spot" if one is spot else "swap"]["1m"]


ANSWERS = [
    {},
    None,
    [],
    {"data": None},
    {"data": ["x"]},
    {"data": [["1"]]},
    {"data": [{}]},
    {"data": [CANDLE]},
    {"data": [[1.5] * 7]},
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_is_no_page_is_refused(answer: Any, spot: Instrument):
    for read in (BITGET.trades_page, BITGET.candles_page):
        with pytest.raises(FrameError):
            read(spot, answer)


def test_books_come_over_the_websocket_and_are_vouched_for_by_their_checksums(spot: Instrument):
    assert BITGET.book_request(spot) is None
    assert BITGET.book_rule(spot) == BookRule("counted", checksum="bitget", depth=10_000)
    with pytest.raises(FrameError, match="BTCUSDT"):
        BITGET.book_page(spot, {})


def test_recorded_books_agree_with_every_checksum(shared: Path, spot: Instrument):
    """The former protocol told books in today's shape, under other names of the markets."""
    books: dict[str, Book] = {}
    checked = 0
    with gzip.open(shared / "captures" / "bitget.ws.ndjson.gz", "rt") as lines:
        for frame in (json.loads(line)["data"] for line in lines):
            if '"channel":"books"' in frame and '"data"' in frame:
                renamed = frame.replace('"sp"', '"SPOT"').replace('"mc"', '"USDT-FUTURES"')
                for pushed in BITGET.parse(renamed.encode()):
                    assert isinstance(pushed, BookPushed)
                    book = books.setdefault(pushed.market_id, Book(BITGET.book_rule(spot)))
                    assert book.apply(pushed) is Status.LIVE, book.reason
                    checked += pushed.checksum is not None
    assert (len(books), checked) == (10, 361)
