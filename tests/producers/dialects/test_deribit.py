"""Deribit v2 as this venue writes it: frames to events, calls to the venue, answers over REST, market entries to instruments."""

import json
from decimal import Decimal
from typing import Any

import pytest

from producers.dialect import (
    Acknowledged,
    Announced,
    Asked,
    BookPushed,
    BookRule,
    CandlePushed,
    Channel,
    FrameError,
    Funded,
    Held,
    Ids,
    Ignored,
    Kind,
    Marked,
    Quoted,
    Refused,
    Request,
    Told,
    Trade,
    TradesPushed,
    VenueCandle,
)
from producers.dialects.deribit import Deribit
from schemas.market import HistoryCandle, Instrument

DERIBIT = Deribit()
PERPETUAL = "BTC-PERPETUAL"


def pushed(channel: str, data: str) -> str:
    return f'{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{channel}","data":{data}}}}}'


TRADE = (
    '{"timestamp":1765531356452,"price":92294.5,"amount":10.0,"direction":"sell","index_price":92276.75,'
    '"instrument_name":"BTC-PERPETUAL","trade_seq":271252854,"mark_price":92287.11,"tick_direction":2,"contracts":1.0,'
    '"trade_id":"403691824"}'
)
TRADED = Trade(271252854, 271252854, 1765531356452, Decimal("92294.5"), Decimal("10.0"), taker_buy=False)
TICKER = (
    '{"timestamp":1569888003897,"stats":{"volume":43610.27177267},"state":"open","open_interest":84844461,"mark_price":8304.39,'
    '"last_price":8304.5,"instrument_name":"BTC-PERPETUAL","index_price":8305.94,"current_funding":-8.477e-05,"best_bid_price":8304}'
)
OPTION_TICKER = (
    '{"timestamp":1,"mark_price":0.001972,"open_interest":12685.0,"last_price":null,"instrument_name":"ETH-30JUL21-2800-C"}'
)
EXPIRED = (
    '{"timestamp":1,"state":"closed","mark_price":0,"open_interest":0,"last_price":0.0005,"instrument_name":"BTC-8JUN20-8750-P"}'
)
COMBO = '{"timestamp":1,"mark_price":10.12,"last_price":-13.5,"combo_state":"active","instrument_name":"BTC-FS-30SEP22_PERP"}'
BOOK = (
    '{"type":"change","timestamp":1626993725864,"prev_change_id":13169025645,"instrument_name":"BTC-PERPETUAL",'
    '"change_id":13169031288,"bids":[["change",0.0015,4737.0]],"asks":[["delete",0.0025,0.0]]}'
)
SNAPSHOT = (
    '{"type":"snapshot","timestamp":5,"instrument_name":"BTC-PERPETUAL","change_id":7,"bids":[["new",99.5,10.0]],"asks":[]}'
)
QUOTE = (
    '{"timestamp":1550658624149,"instrument_name":"BTC-PERPETUAL","best_bid_price":3914.97,"best_bid_amount":40,'
    '"best_ask_price":null,"best_ask_amount":0.0}'
)
CANDLE = '{"volume":0.95978896,"tick":1767200040000,"open":87490.0,"low":87465.0,"high":87500.0,"cost":83970.0,"close":87474.0}'
MINUTE = HistoryCandle(
    1767200040000,
    Decimal("87490.0"),
    Decimal("87500.0"),
    Decimal("87465.0"),
    Decimal("87474.0"),
    volume=Decimal("0.95978896"),
    quote_volume=Decimal("83970.0"),
)

MEANINGS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "a trade": (pushed("trades.BTC-PERPETUAL.100ms", f"[{TRADE}]"), (TradesPushed(PERPETUAL, (TRADED,)),)),
    "a ticker of a perpetual": (
        pushed("ticker.BTC-PERPETUAL.100ms", TICKER),
        (
            Marked(PERPETUAL, 1569888003897, Decimal("8304.39"), Decimal("8305.94")),
            Funded(PERPETUAL, 1569888003897, Decimal("-0.00008477")),
            Held(PERPETUAL, 1569888003897, Decimal(84844461)),
            Told(PERPETUAL, 1569888003897, price=Decimal("8304.5")),
        ),
    ),
    "a raw ticker, as recordings have it, is a quote as well": (
        pushed("ticker.X.raw", '{"timestamp":1,"instrument_name":"X",' + QUOTE[QUOTE.index('"best_bid_price"') :]),
        (Ignored("ticker of nothing"), Quoted("X", 1, Decimal("3914.97"), Decimal(40), Decimal(0), Decimal("0.0"))),
    ),
    "a ticker of an option that never traded": (
        pushed("ticker.ETH-30JUL21-2800-C.100ms", OPTION_TICKER),
        (Marked("ETH-30JUL21-2800-C", 1, Decimal("0.001972")), Held("ETH-30JUL21-2800-C", 1, Decimal("12685.0"))),
    ),
    "a ticker of what has expired": (
        pushed("ticker.BTC-8JUN20-8750-P.100ms", EXPIRED),
        (Held("BTC-8JUN20-8750-P", 1, Decimal(0)), Told("BTC-8JUN20-8750-P", 1, price=Decimal("0.0005"))),
    ),
    "a ticker of a combination": (pushed("ticker.BTC-FS-30SEP22_PERP.100ms", COMBO), (Ignored("ticker of a combination"),)),
    "a change of a book": (
        pushed("book.BTC-PERPETUAL.100ms", BOOK),
        (
            BookPushed(
                PERPETUAL,
                1626993725864,
                ((Decimal("0.0015"), Decimal("4737.0")),),
                ((Decimal("0.0025"), Decimal(0)),),
                snapshot=False,
                last=13169031288,
                previous=13169025645,
            ),
        ),
    ),
    "a whole book": (
        pushed("book.BTC-PERPETUAL.100ms", SNAPSHOT),
        (BookPushed(PERPETUAL, 5, ((Decimal("99.5"), Decimal("10.0")),), (), snapshot=True, last=7),),
    ),
    "a quote without asks": (
        pushed("quote.BTC-PERPETUAL", QUOTE),
        (Quoted(PERPETUAL, 1550658624149, Decimal("3914.97"), Decimal(40), Decimal(0), Decimal("0.0")),),
    ),
    "a minute": (pushed("chart.trades.BTC-PERPETUAL.1", CANDLE), (CandlePushed(PERPETUAL, MINUTE, None, closed=False),)),
    "a granted subscription": (
        '{"jsonrpc":"2.0","id":1,"result":["trades.BTC-PERPETUAL.100ms","ticker.BTC-PERPETUAL.100ms","quote.X"],"usIn":1}',
        (
            Acknowledged(
                1,
                (
                    Channel(Kind.TRADES, PERPETUAL),
                    Channel(Kind.MARK, PERPETUAL),
                    Channel(Kind.FUNDING, PERPETUAL),
                    Channel(Kind.INTEREST, PERPETUAL),
                    Channel(Kind.QUOTES, "X"),
                ),
            ),
        ),
    ),
    "a subscription of which nothing was granted": (
        '{"jsonrpc":"2.0","id":4,"result":[]}',
        (Refused("", "none of these channels was granted", 4),),
    ),
    "an error": (
        '{"jsonrpc":"2.0","id":1,"error":{"message":"Invalid params","data":{"reason":"invalid format"},"code":-32602}}',
        (Refused("-32602", "Invalid params {'reason': 'invalid format'}", 1),),
    ),
    "an error that means maintenance": (
        '{"jsonrpc":"2.0","id":1,"error":{"message":"system_maintenance","code":11051}}',
        (Refused("11051", "system_maintenance", 1), Announced("maintenance", "11051", "system_maintenance")),
    ),
    "an answer to the greeting": ('{"jsonrpc":"2.0","id":"heartbeat","result":"ok"}', (Ignored("answer"),)),
    "a sign of life": (
        '{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}}',
        (Ignored("heartbeat"),),
    ),
    "a question": (
        '{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}',
        (Asked('{"jsonrpc":"2.0","id":"alive","method":"public/test","params":{}}'),),
    ),
    "maintenance": (
        pushed("platform_state", '{"maintenance":true}'),
        (Announced("maintenance", "platform_state", "maintenance: True"),),
    ),
    "its end": (
        pushed("platform_state", '{"maintenance":false}'),
        (Announced("resumed", "platform_state", "maintenance: False"),),
    ),
    "a locked index": (
        pushed("platform_state", '{"price_index":"sol_usdc","locked":true}'),
        (Announced("other", "platform_state", "{'price_index': 'sol_usdc', 'locked': True}"),),
    ),
    "a listing": (
        pushed("instrument.state.any.any", '{"timestamp":1,"state":"created","instrument_name":"BTC-22MAR19"}'),
        (Announced("listing", "created", "BTC-22MAR19 created", "BTC-22MAR19"),),
    ),
    "a channel that nobody reads": (
        pushed("deribit_price_index.btc_usd", '{"price":3.5}'),
        (Ignored("deribit_price_index.btc_usd"),),
    ),
    "a grouped book": (
        pushed("book.BTC-PERPETUAL.none.10.100ms", '{"bids":[[1,1]]}'),
        (Ignored("book.BTC-PERPETUAL.none.10.100ms"),),
    ),
}


@pytest.mark.parametrize("case", MEANINGS)
def test_a_frame_says(case: str) -> None:
    text, events = MEANINGS[case]
    assert DERIBIT.parse(text.encode()) == events


BROKEN = {
    "a trade of another instrument": pushed("trades.ETH-PERPETUAL.100ms", f"[{TRADE}]"),
    "a trade for nothing": pushed("trades.BTC-PERPETUAL.100ms", f"[{TRADE}]").replace("92294.5", "0"),
    "a trade at a price below zero": pushed("trades.BTC-PERPETUAL.100ms", f"[{TRADE}]").replace("92294.5", "-13.5"),
    "a trade without a side": pushed("trades.BTC-PERPETUAL.100ms", f"[{TRADE}]").replace('"sell"', '"zero"'),
    "a truth instead of a price": pushed("trades.BTC-PERPETUAL.100ms", f"[{TRADE}]").replace("92294.5", "true"),
    "a number in foreign digits": pushed("trades.BTC-PERPETUAL.100ms", f"[{TRADE}]").replace("92294.5", '"٣"'),
    "more digits than fit": pushed("trades.BTC-PERPETUAL.100ms", f"[{TRADE}]").replace("92294.5", "0.1234567890123456789"),
    "one trade instead of a list": pushed("trades.BTC-PERPETUAL.100ms", TRADE),
    "a text instead of levels": pushed("book.BTC-PERPETUAL.100ms", BOOK).replace('[["change",0.0015,4737.0]]', '"abc"'),
    "an action that is none": pushed("book.BTC-PERPETUAL.100ms", BOOK).replace('"change",', '"maybe",'),
    "a request": '{"jsonrpc":"2.0","id":1,"method":"public/test","params":{}}',
    "neither": '{"jsonrpc":"2.0"}',
    "no JSON": "pong",
    "a list": "[]",
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_is_refused_with_a_reason(case: str) -> None:
    with pytest.raises(FrameError, match=r"."):
        DERIBIT.parse(BROKEN[case].encode())


def instrument(**changed: Any) -> Instrument:
    info = {
        "kind": "future",
        "instrument_name": PERPETUAL,
        "settlement_period": "perpetual",
        "tick_size": "0.5",
        "contract_size": "10.0",
        "min_trade_amount": "10.0",
        "is_active": True,
        "expiration_timestamp": "32503708800000",
        "creation_timestamp": "1534167754000",
        **changed.pop("info", {}),
    }
    market = {"symbol": "BTC/USD:BTC", "base": "BTC", "quote": "USD", "settle": "BTC", "info": info, **changed}
    return DERIBIT.instrument(market)


OPTION = {
    "kind": "option",
    "instrument_name": "BTC-27DEC24-100000-C",
    "settlement_period": "month",
    "option_type": "call",
    "strike": "100000.0",
    "expiration_timestamp": "1735300800000",
    "min_trade_amount": "0.1",
    "tick_size": 0.0005,
}


def test_an_inverse_perpetual_counts_dollars_and_never_expires() -> None:
    made = instrument()
    assert (made.type, made.inverse, made.contract_size, made.expiry) == ("swap", True, 1, None)
    assert (made.tick_size, made.lot_size, made.min_amount, made.valid_from) == (Decimal("0.5"), 10, 10, 1534167754000)
    assert (made.symbol, made.market_id, made.settle, made.active) == ("BTC/USD:BTC", PERPETUAL, "BTC", True)


def test_a_linear_perpetual_counts_coins() -> None:
    made = instrument(settle="USDC", quote="USDC", info={"instrument_name": "BTC_USDC-PERPETUAL", "min_trade_amount": 0.001})
    assert (made.inverse, made.contract_size, made.min_amount) == (False, 1, Decimal("0.001"))


def test_an_option_counts_coins_and_has_its_strike() -> None:
    made = instrument(info=OPTION)
    assert (made.type, made.inverse, made.option, made.strike) == ("option", False, "call", 100_000)
    assert (made.expiry, made.tick_size, made.lot_size) == (1735300800000, Decimal("0.0005"), Decimal("0.1"))


def test_spot_has_neither_settlement_nor_expiry() -> None:
    made = instrument(settle="USDC", quote="USDC", info={"kind": "spot", "settlement_period": None})
    assert (made.type, made.settle, made.expiry, made.inverse) == ("spot", None, None, False)
    assert DERIBIT.path(Channel(Kind.MARK, "X"), made) is None
    assert DERIBIT.path(Channel(Kind.BOOK, "X"), made) == "/ws/api/v2"


@pytest.mark.parametrize("info", [{"kind": "future_combo"}, {"tick_size": "NaN"}, {"creation_timestamp": None}])
def test_what_is_no_instrument_is_refused(info: dict[str, Any]) -> None:
    with pytest.raises(FrameError):
        instrument(info=info)


def test_only_perpetuals_have_funding_and_all_trades_are_numbered() -> None:
    assert DERIBIT.path(Channel(Kind.FUNDING, "X"), instrument()) == "/ws/api/v2"
    assert DERIBIT.path(Channel(Kind.FUNDING, "X"), instrument(info=OPTION)) is None
    assert DERIBIT.ids(instrument()) is Ids.CONSECUTIVE
    assert DERIBIT.book_rule(instrument()) == BookRule("previous", depth=10_000)
    assert DERIBIT.book_request(instrument()) is None


def test_kinds_on_one_channel_are_asked_for_once_and_trades_first() -> None:
    wanted = [Channel(kind, PERPETUAL) for kind in (Kind.FUNDING, Kind.MARK, Kind.TRADES)]
    (message,) = DERIBIT.subscribe(wanted, (), 7)
    told = json.loads(message.text)
    assert (told["id"], told["method"], message.request) == (7, "public/subscribe", 7)
    assert told["params"]["channels"] == ["trades.BTC-PERPETUAL.100ms", "ticker.BTC-PERPETUAL.100ms"]
    assert set(message.channels) == set(wanted)


def test_what_another_kind_needs_is_not_given_up() -> None:
    messages = DERIBIT.unsubscribe([Channel(Kind.MARK, "A"), Channel(Kind.MARK, "B")], [Channel(Kind.FUNDING, "A")], 1)
    assert [json.loads(message.text)["params"]["channels"] for message in messages] == [["ticker.B.100ms"]]
    assert messages[0].channels == (Channel(Kind.MARK, "B"),)


def test_many_channels_are_asked_for_in_several_calls() -> None:
    messages = DERIBIT.subscribe([Channel(Kind.TRADES, f"I{number}") for number in range(600)], (), 3)
    assert [(message.request, len(message.channels)) for message in messages] == [(3, 250), (4, 250), (5, 100)]


def test_the_greeting_asks_for_heartbeats_and_the_venues_own_news() -> None:
    calls = [json.loads(message.text) for message in DERIBIT.greeting()]
    assert [(call["method"], call["params"]) for call in calls] == [
        ("public/set_heartbeat", {"interval": 10}),
        ("public/subscribe", {"channels": ["platform_state", "instrument.state.any.any"]}),
    ]


def test_trades_are_paged_back_by_their_sequence() -> None:
    newest = {"instrument_name": PERPETUAL, "count": "1000", "sorting": "desc"}
    method = "public_get_get_last_trades_by_instrument"
    assert DERIBIT.trades_request(instrument(), None) == Request(method, newest)
    assert DERIBIT.trades_request(instrument(), TRADED) == Request(method, {**newest, "end_seq": "271252853"})
    first = Trade(1, 1, 1, Decimal(1), Decimal(1), taker_buy=True)
    assert DERIBIT.trades_request(instrument(), first) is None


@pytest.mark.parametrize("numbers", [{"parse_float": Decimal}, {"parse_float": str, "parse_int": str}, {}])
def test_a_page_of_trades_is_exact_however_its_numbers_come(numbers: dict[str, Any]) -> None:
    """ccxt hands numbers on as text; others would make floats of them."""
    rows = f"[{TRADE},{TRADE.replace('271252854', '271252853')}]"
    answer = json.loads(f'{{"result":{{"trades":{rows},"has_more":true}}}}', **numbers)
    assert [trade.id for trade in DERIBIT.trades_page(instrument(), answer)] == [271252853, 271252854]
    assert DERIBIT.trades_page(instrument(), answer)[1] == TRADED


@pytest.mark.parametrize("answer", [None, [], {"result": []}, {"result": {"trades": "none"}}, {"result": {"trades": [[]]}}])
def test_an_answer_that_is_none_is_refused(answer: Any) -> None:
    with pytest.raises(FrameError):
        DERIBIT.trades_page(instrument(), answer)
    with pytest.raises(FrameError):
        DERIBIT.candles_page(instrument(), answer)


def test_a_page_of_minutes_knows_which_are_closed() -> None:
    """By when the venue wrote the answer."""
    request = DERIBIT.candles_request(instrument(), 1767200100000)
    assert request.params["start_timestamp"] == str(1767200100000 - 60_000_000)
    assert request.params["end_timestamp"] == "1767200099999"
    result = {name: [str(json.loads(CANDLE)[name])] * 2 for name in ("open", "high", "low", "close", "volume", "cost")}
    answer = {"result": {**result, "ticks": ["1767200040000", "1767200100000"]}, "usOut": "1767200100000500"}
    first, second = DERIBIT.candles_page(instrument(), answer)
    assert (first, second.closed) == (VenueCandle(MINUTE, closed=True), False)
    answer["result"]["open"].pop()
    with pytest.raises(FrameError):
        DERIBIT.candles_page(instrument(), answer)
