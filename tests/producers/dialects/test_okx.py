"""OKX v5 as this venue writes it: frames to events, REST rows to trades and candles, market entries to instruments."""

import contextlib
import json
from decimal import Decimal
from pathlib import Path

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.dialect import FrameError, Ignored, Notice, Refused, Subscribed, Ticker, Trade, TradesPushed
from producers.dialects.okx import Okx
from schemas import exact
from schemas.market import HistoryCandle

OKX = Okx()

TRADE = (
    '{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"130639474","px":"42219.9",'
    '"sz":"0.12060306","side":"buy","ts":"1630048897897","count":"3"}]}'
)
TICKER = (
    '{"arg":{"channel":"tickers","instId":"BTC-USD"},"data":[{"instType":"SPOT","instId":"BTC-USD","last":"91517.2",'
    '"lastSz":"0.00269444","askPx":"91527.3","askSz":"1.54613591","bidPx":"91527.2","bidSz":"0.0135","ts":"1765201256914"}]}'
)
CANDLE = (
    '{"arg":{"channel":"candle1m","instId":"BTC-USDT"},"data":[["1757076060000","112600.1","112631.9","112477.1","112477.1",'
    '"3.10944629","349947.335430728","349947.335430728","0"]]}'
)
ONE_TRADE = TRADE.replace(',"count":"3"', "")

MEANINGS = {
    "an aggregated trade begins `count` ids before its own": (
        TRADE,
        TradesPushed(
            "BTC-USDT",
            (Trade(130639474, 130639472, 1630048897897, Decimal("42219.9"), Decimal("0.12060306"), taker_buy=True),),
        ),
    ),
    "a trade without a count is one": (
        ONE_TRADE,
        TradesPushed(
            "BTC-USDT",
            (Trade(130639474, 130639474, 1630048897897, Decimal("42219.9"), Decimal("0.12060306"), taker_buy=True),),
        ),
    ),
    "a ticker": (
        TICKER,
        Ticker(
            "BTC-USD",
            1765201256914,
            bid=Decimal("91527.2"),
            bid_amount=Decimal("0.0135"),
            ask=Decimal("91527.3"),
            ask_amount=Decimal("1.54613591"),
            last=Decimal("91517.2"),
            last_amount=Decimal("0.00269444"),
        ),
    ),
    "a ticker of an empty book": (TICKER.replace("91527.2", ""), Ignored("ticker without quotes")),
    "an acknowledgement": (
        '{"event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT"},"connId":"94d38802"}',
        Subscribed("trades", "BTC-USDT"),
    ),
    "an error": ('{"event":"error","code":"60018","msg":"Invalid sign"}', Refused("60018", "Invalid sign")),
    "a service upgrade": (
        '{"event":"notice","msg":"The connection will soon be closed.","code":"64008","connId":"8517149b"}',
        Notice("64008", "The connection will soon be closed.", closing=True),
    ),
    "another notice": ('{"event":"notice","msg":"hello","code":"1"}', Notice("1", "hello", closing=False)),
    "the answer to a ping": ("pong", Ignored("pong")),
    "a count of connections": (
        '{"event":"channel-conn-count","channel":"account","connCount":"1","connId":"4adc328c"}',
        Ignored("channel-conn-count"),
    ),
    "a channel that nobody reads": (CANDLE, Ignored("candle1m")),
}

BROKEN = {
    "no JSON": ("<html>", "not a frame of OKX"),
    "cut short": (TRADE[:-20], "not a frame of OKX"),
    "a list": ("[]", "not a frame of OKX"),
    "nothing in it": ("{}", "neither an event nor data"),
    "no data": ('{"arg":{"channel":"trades","instId":"BTC-USDT"}}', "neither an event nor data"),
    "an unknown channel": (TRADE.replace('"trades"', '"moon-phases"'), "unknown channel 'moon-phases'"),
    "an unknown event": ('{"event":"moonrise"}', "unknown event 'moonrise'"),
    "a missing field": ('{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT"}]}', "tradeId"),
    "a price of the wrong type": (TRADE.replace('"42219.9"', "42219.9"), "not a frame of OKX"),
    "a price that is no number": (TRADE.replace("42219.9", "4_2"), "not a number: '4_2'"),
    "a price that is not finite": (TRADE.replace("42219.9", "NaN"), "not a number: 'NaN'"),
    "a price in exponents": (TRADE.replace("42219.9", "1e400"), "not a number: '1e400'"),
    "more digits than 64 bits hold": (TRADE.replace("42219.9", "1.000000000000000001"), "not a number"),
    "a price of zero": (TRADE.replace("42219.9", "0.0"), "a price or amount of zero"),
    "a negative amount": (TRADE.replace("0.12060306", "-1"), "not a number: '-1'"),
    "an id that is no number": (TRADE.replace("130639474", "\u0661\u0662"), "not a whole number"),
    "a side there is not": (TRADE.replace('"buy"', '"hold"'), "side 'hold'"),
    "a count of nothing": (TRADE.replace('"count":"3"', '"count":"0"'), "count 0"),
    "a trade of another instrument": (TRADE.replace('[{"instId":"BTC-USDT"', '[{"instId":"ETH-USDT"'), "'ETH-USDT' among"),
    "a ticker of another instrument": (TICKER.replace('"instId":"BTC-USD",', '"instId":"ETH-USD",'), "another instrument"),
    "brackets without end": ('{"data":' + "[" * 100_000, "not a frame of OKX"),
}


@pytest.mark.parametrize("case", MEANINGS)
def test_a_frame_means(case):
    text, event = MEANINGS[case]
    assert OKX.parse(text) == (event,)


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_frame_says_what_is_wrong(case):
    text, reason = BROKEN[case]
    with pytest.raises(FrameError, match=reason):
        OKX.parse(text)


# What the collected samples of each kind are: events by type, or the reason why they cannot be read.
SAMPLES = {
    "ack": {"Subscribed", "Ignored"},
    "error": {"Refused", "Ignored"},
    "ping_pong": {"Ignored"},
    "system_notice": {"Notice", "Ignored"},
    "trade": {"TradesPushed", "Ignored", "missing required field", "among those of"},
    "ticker": {"Ticker", "another instrument"},
    "candle": {"Ignored"},
    "book_delta": {"Ignored"},
    "book_snapshot": {"Ignored"},
    "book_ticker": {"Ignored"},
    "funding": {"Ignored"},
    "instruments_push": {"Ignored"},
    "liquidation": {"Ignored"},
    "mark_index": {"Ignored"},
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_collected_sample_is_understood_or_named(kind: str, shared: Path):
    met = set()
    for sample in json.loads((shared / "wire" / "okx" / f"{kind}.json").read_text()):
        message = sample["message"]
        text = message if isinstance(message, str) else json.dumps(message)
        try:
            met |= {type(event).__name__ for event in OKX.parse(text)}
        except FrameError as error:
            met |= {reason for reason in SAMPLES[kind] if reason in str(error)} or {str(error)}
    assert met == SAMPLES[kind]


FRAMES = [text for text, _ in MEANINGS.values()]


@given(st.data())
def test_a_mutated_frame_gives_events_or_a_frame_error(data: st.DataObject):
    text = data.draw(st.sampled_from(FRAMES))
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, min(len(text), begin + 12)))
    put = data.draw(st.one_of(st.text(max_size=12), st.sampled_from(["null", "{}", "[]", '"', "9" * 40, "1e999", "\ud800"])))
    with contextlib.suppress(FrameError):
        assert OKX.parse(text[:begin] + put + text[end:])


def test_trades_are_asked_for_before_tickers_and_in_requests_of_a_hundred_channels():
    first, second = (json.loads(text) for text in OKX.subscribe([f"COIN{number}-USDT" for number in range(60)]))
    assert first["op"] == second["op"] == "subscribe"
    assert first["args"][:2] == [{"channel": "trades", "instId": "COIN0-USDT"}, {"channel": "tickers", "instId": "COIN0-USDT"}]
    assert [len(first["args"]), len(second["args"])] == [100, 20]
    assert json.loads(OKX.unsubscribe(["COIN0-USDT"])[0])["op"] == "unsubscribe"


# Of each: contract size, whether inverse, type, settle, expiry.
CONTRACTS = {
    "BTC-USDT": ("1", False, "spot", None, None),
    "XMR-USDT-SWAP": ("0.1", False, "swap", "USDT", None),
    "UNI-USD-SWAP": ("10", True, "swap", "UNI", None),
    "BTC-USD-220527": ("100", True, "future", "BTC", 1653638400000),
    "TRX-USDT-210924": ("1000", False, "future", "USDT", 1632470400000),
    "BTC-USD-210924-66000-C": ("0.1", False, "option", "BTC", 1632470400000),
}


@pytest.mark.parametrize("market_id", CONTRACTS)
def test_an_instrument_keeps_the_venue_s_own_digits(market_id: str, shared: Path):
    """Contract size is `ctVal` times `ctMult`: base units, or quote units of inverse contracts."""
    entry = json.loads((shared / "captures" / "instruments.json").read_text())["okx"][market_id]
    found = OKX.instrument(ccxt.okx({"number": str}).parse_market(entry))
    size, inverse, kind, settle, expiry = CONTRACTS[market_id]
    assert (found.contract_size, found.inverse, found.type, found.settle, found.expiry) == (
        Decimal(size),
        inverse,
        kind,
        settle,
        expiry,
    )
    assert [exact.plain(step) for step in (found.tick_size, found.lot_size)] == [entry["tickSz"], entry["lotSz"]]
    assert found.valid_from == int(entry["listTime"])


def test_an_entry_without_its_fields_is_named():
    with pytest.raises(FrameError, match="without 'ctVal'"):
        OKX.instrument({"info": {"instType": "SWAP", "instId": "X"}, "symbol": "X", "base": "X", "quote": "Y", "settle": "Y"})


def test_a_page_of_trades_is_asked_for_by_id_and_read():
    request = OKX.trades_request("ETH-BTC", 15826758)
    assert request.params == {"instId": "ETH-BTC", "type": "1", "limit": "100", "after": "15826758"}
    assert "after" not in OKX.trades_request("ETH-BTC", None).params
    row = {"instId": "ETH-BTC", "side": "sell", "sz": "0.119501", "px": "0.07065", "tradeId": "15826757", "ts": "1621446178316"}
    trade = Trade(15826757, 15826757, 1621446178316, Decimal("0.07065"), Decimal("0.119501"), taker_buy=False)
    assert OKX.trades_page("ETH-BTC", {"code": "0", "data": [row]}) == (trade,)


@pytest.mark.parametrize(
    ("market_id", "volume", "quote_volume"),
    [("BTC-USDT", "1040.37", "1069603.34883"), ("XMR-USDT-SWAP", "10.4037", "1069603.34883")],
)
def test_a_candle_s_volume_is_in_base_units(market_id: str, volume: str, quote_volume: str, shared: Path):
    """Column 5 counts base units of spot, and contracts of all else, whose base units are in column 6."""
    entry = json.loads((shared / "captures" / "instruments.json").read_text())["okx"][market_id]
    instrument = OKX.instrument(ccxt.okx({"number": str}).parse_market(entry))
    row = ["1747094040000", "102806.1", "102820.4", "102806.1", "102820.5", "1040.37", "10.4037", "1069603.34883", "1"]
    (told,) = OKX.candles_page(instrument, {"data": [row]})
    prices = (Decimal(price) for price in row[1:5])
    assert told.candle == HistoryCandle(1747094040000, *prices, Decimal(volume), Decimal(quote_volume))
    assert told.closed


@pytest.mark.parametrize("answer", [{}, {"data": None}, {"data": [["1"]]}, {"data": [{"a": 1}]}, None, []])
def test_an_answer_that_is_no_page_of_candles_is_refused(answer, shared: Path):
    entry = json.loads((shared / "captures" / "instruments.json").read_text())["okx"]["BTC-USDT"]
    instrument = OKX.instrument(ccxt.okx({"number": str}).parse_market(entry))
    with pytest.raises(FrameError):
        OKX.candles_page(instrument, answer)
