"""Coinbase Exchange as this venue writes it: frames to events, requests, answers over REST, products to instruments."""

import json
from decimal import Decimal
from typing import Any

import pytest

from producers.dialect import (
    Acknowledged,
    BookPushed,
    BookRule,
    Channel,
    FrameError,
    Ids,
    Ignored,
    Kind,
    Quoted,
    Refused,
    Request,
    Told,
    Trade,
    TradesPushed,
)
from producers.dialects.coinbaseexchange import CoinbaseExchange
from schemas.market import HistoryCandle, Instrument

COINBASE = CoinbaseExchange()
MATCH = (
    '{"type":"match","trade_id":280232,"maker_order_id":"2a0da34e","taker_order_id":"3c82abaa","side":"sell","size":"985",'
    '"price":"0.00001305","product_id":"SKL-BTC","sequence":177100030,"time":"2021-04-17T16:43:37.089723Z"}'
)
BARE = (
    '{"type":"match","product_id":"SKL-BTC","trade_id":280232,"time":"2021-04-17T16:43:37.089723Z","size":985,"price":1.305e-05,'
    '"side":"sell"}'
)
TRADE = Trade(280232, 280232, 1618677817089, Decimal("0.00001305"), Decimal(985), taker_buy=True)
TICKER = (
    '{"type":"ticker","sequence":7388547310,"product_id":"BTC-USDT","price":"22345.67","best_bid":"22345.67",'
    '"best_bid_size":"0.10647825","best_ask":"22349.68","best_ask_size":"0.03131702","side":"sell",'
    '"time":"2023-03-04T03:37:20.799258Z","trade_id":11586478,"last_size":"0.00352175"}'
)
LAST = Told("BTC-USDT", 1677901040799, 11586478, Decimal("22345.67"), amount=Decimal("0.00352175"), trade_time=1677901040799)
ALL = tuple(Channel(kind, "GIBBERISH-USD") for kind in (Kind.TRADES, Kind.QUOTES, Kind.BOOK))

MEANINGS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "a match: the maker sold, so the taker bought": (MATCH, (TradesPushed("SKL-BTC", (TRADE,)),)),
    "a match in bare numbers": (BARE, (TradesPushed("SKL-BTC", (TRADE,)),)),
    "the other side": (
        MATCH.replace('"sell"', '"buy"').replace("280232", "1"),
        (TradesPushed("SKL-BTC", (Trade(1, 1, 1618677817089, Decimal("0.00001305"), Decimal(985), taker_buy=False),)),),
    ),
    "the last match, on subscribing": (
        MATCH.replace('"match"', '"last_match"'),
        (TradesPushed("SKL-BTC", (TRADE,), snapshot=True),),
    ),
    "a ticker is a quote and the last trade": (
        TICKER,
        (
            Quoted(
                "BTC-USDT",
                1677901040799,
                Decimal("22345.67"),
                Decimal("0.10647825"),
                Decimal("22349.68"),
                Decimal("0.03131702"),
            ),
            LAST,
        ),
    ),
    "a ticker without amounts is no quote": (TICKER.replace("best_bid_size", "unknown"), (LAST,)),
    "a heartbeat": (
        '{"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD","time":"2014-11-07T08:19:28.464459Z"}',
        (Told("BTC-USD", 1415348368464, 20),),
    ),
    "a whole book": (
        '{"type":"snapshot","product_id":"BTC-USD","bids":[["10101.10","0.45054140"]],"asks":[]}',
        (BookPushed("BTC-USD", 0, ((Decimal("10101.10"), Decimal("0.45054140")),), (), snapshot=True),),
    ),
    "changes of a book": (
        (
            '{"type":"l2update","product_id":"BTC-EUR","changes":[["buy","9202.70","0.5"],["sell","9222.39","0"],["buy","1","2"]],'
            '"time":"2021-04-17T16:43:37.080304Z"}'
        ),
        (
            BookPushed(
                "BTC-EUR",
                1618677817080,
                ((Decimal("9202.70"), Decimal("0.5")), (Decimal(1), Decimal(2))),
                ((Decimal("9222.39"), Decimal(0)),),
                snapshot=False,
            ),
        ),
    ),
    "everything that is subscribed": (
        (
            '{"type":"subscriptions","channels":[{"name":"matches","product_ids":["BTC-USD","ETH-USD"]},{"name":"heartbeat",'
            '"product_ids":["BTC-USD"]},{"name":"level2_50","product_ids":["BTC-USD"]},{"name":"balance"}]}'
        ),
        (
            Acknowledged(
                channels=(
                    Channel(Kind.TRADES, "BTC-USD"),
                    Channel(Kind.TRADES, "ETH-USD"),
                    Channel(Kind.BOOK, "BTC-USD"),
                )
            ),
        ),
    ),
    "nothing is subscribed": ('{"type":"subscriptions","channels":[{"name":"balance"}]}', (Ignored("subscriptions"),)),
    "an unknown product": (
        '{"type":"error","message":"Failed to subscribe","reason":"GIBBERISH-USD is not a valid product"}',
        (Refused("", "Failed to subscribe: GIBBERISH-USD is not a valid product", channels=ALL),),
    ),
    "an error": ('{"type":"error","message":"error message"}', (Refused("", "error message"),)),
    "a change of an order": ('{"type":"received","product_id":"ETH-USD","price":4263.3}', (Ignored("received"),)),
}


@pytest.mark.parametrize("case", MEANINGS)
def test_a_frame_says(case: str) -> None:
    text, events = MEANINGS[case]
    assert COINBASE.parse(text.encode()) == events


BROKEN = {
    "an amount that was corrupted": '{"type":"snapshot","product_id":"YFI-USD","asks":[],"bids":[["40531.19","0.-10000"]]}',
    "levels of one figure": '{"type":"snapshot","product_id":"YFI-USD","asks":[],"bids":[["4"]]}',
    "levels of text": '{"type":"snapshot","product_id":"YFI-USD","asks":[],"bids":["42"]}',
    "a side that is none": MATCH.replace('"sell"', '"hold"'),
    "a side that is a list": MATCH.replace('"sell"', "[]"),
    "a change on no side": '{"type":"l2update","product_id":"A-B","changes":[["hold","1","1"]],"time":"2021-04-17T16:43:37Z"}',
    "a trade id with a point": MATCH.replace("280232", "280232.5"),
    "Coinbase Advanced": '{"channel":"market_trades","sequence_num":0,"events":[]}',
    "a type that is none": '{"type":"novelty"}',
    "nothing": "{}",
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_is_refused_with_a_reason(case: str) -> None:
    with pytest.raises(FrameError, match=r"."):
        COINBASE.parse(BROKEN[case].encode())


def instrument(**changed: Any) -> Instrument:
    info = {
        "id": "BTC-USD",
        "quote_increment": "0.01",
        "base_increment": "0.00000001",
        "base_min_size": "0.000016",
        "status": "online",
        "trading_disabled": False,
        **changed,
    }
    return COINBASE.instrument({"symbol": "BTC/USD", "base": "BTC", "quote": "USD", "info": info})


def test_a_product_is_an_instrument() -> None:
    made = instrument()
    assert (made.market_id, made.symbol, made.type, made.contract_size) == ("BTC-USD", "BTC/USD", "spot", 1)
    assert (made.tick_size, made.lot_size, made.min_amount) == (
        Decimal("0.01"),
        Decimal("0.00000001"),
        Decimal("0.000016"),
    )
    assert (made.active, instrument(status="delisted").active, instrument(trading_disabled=True).active) == (True, False, False)
    with pytest.raises(FrameError):
        instrument(quote_increment=None)


def test_each_product_is_asked_for_on_its_own_so_that_one_error_spoils_no_other() -> None:
    wanted = [Channel(kind, product) for kind in (Kind.BOOK, Kind.TRADES) for product in ("BTC-USD", "ETH-USD")]
    first, second = COINBASE.subscribe(wanted, (), 4)
    assert json.loads(first.text) == {
        "type": "subscribe",
        "product_ids": ["BTC-USD"],
        "channels": ["matches", "heartbeat", "level2_batch"],
    }
    assert (first.request, set(second.channels)) == (None, {Channel(Kind.BOOK, "ETH-USD"), Channel(Kind.TRADES, "ETH-USD")})
    (ended,) = COINBASE.unsubscribe([Channel(Kind.QUOTES, "BTC-USD")], (), 9)
    assert json.loads(ended.text) == {"type": "unsubscribe", "product_ids": ["BTC-USD"], "channels": ["ticker"]}


def test_the_websocket_has_no_candles_and_all_trades_are_numbered() -> None:
    assert COINBASE.path(Channel(Kind.CANDLES, "BTC-USD"), instrument()) is None
    assert COINBASE.path(Channel(Kind.TRADES, "BTC-USD"), instrument()) == "/"
    assert COINBASE.ids(instrument()) is Ids.CONSECUTIVE
    assert COINBASE.book_rule(instrument()) == BookRule("counted", depth=10_000)
    assert COINBASE.book_request(instrument()) is None


def test_trades_are_paged_back_by_id() -> None:
    newest = {"id": "BTC-USD", "limit": "1000"}
    assert COINBASE.trades_request(instrument(), None) == Request("public_get_products_id_trades", newest)
    assert COINBASE.trades_request(instrument(), TRADE) == Request("public_get_products_id_trades", {**newest, "after": "280232"})
    first = Trade(1, 1, 1, Decimal(1), Decimal(1), taker_buy=True)
    assert COINBASE.trades_request(instrument(), first) is None


def test_a_page_of_trades_comes_out_oldest_first() -> None:
    row = {"trade_id": "280232", "side": "sell", "size": "985", "price": "0.00001305", "time": "2021-04-17T16:43:37.089723Z"}
    page = COINBASE.trades_page(instrument(), [row, {**row, "trade_id": 280231}])
    assert [trade.id for trade in page] == [280231, 280232]
    assert page[1] == TRADE


@pytest.mark.parametrize("answer", [None, {"message": "NotFound"}, [{}], [[]], "trades"])
def test_an_answer_that_is_none_is_refused(answer: Any) -> None:
    with pytest.raises(FrameError):
        COINBASE.trades_page(instrument(), answer)
    with pytest.raises(FrameError):
        COINBASE.candles_page(instrument(), answer)


def test_a_page_of_minutes_leaves_the_newest_open() -> None:
    """Nothing in the answer says whether its newest minute has ended: it is asked for one more than is wanted."""
    rows = [["1678000080", "1", "4", "2", "3", "5"], ["1678000020", "1.5", "4", "2", "3", "5"]]
    newest, older = COINBASE.candles_page(instrument(), rows)
    assert (newest.closed, older.closed) == (False, True)
    prices = (Decimal(2), Decimal(4), Decimal("1.5"), Decimal(3))
    assert older.candle == HistoryCandle(1678000020000, *prices, volume=Decimal(5), quote_volume=Decimal(0))
    assert COINBASE.candles_request(instrument(), 1678000140000).params == {
        "id": "BTC-USD",
        "granularity": "60",
        "start": "1677982200",
        "end": "1678000140",
    }
