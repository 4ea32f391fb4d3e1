"""Every kind of message the simulated Upbit says has the shape of real samples: the same fields, of the same JSON types."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.upbit.exchange import UPBIT
from tests.infra.simulated.samples import Speaking, decoded, moment, samples, shape

PATH = "/websocket/v1"


@pytest.fixture(scope="module")
def venue() -> Speaking:
    return Speaking(UPBIT)


def first(venue: Speaking, kind: str, form: str = "DEFAULT", code: str = "KRW-BTC") -> Any:
    return venue.pushed(PATH, [{"ticket": "t"}, {"type": kind, "codes": [code]}, {"format": form}], until=60_000)[0]


KINDS: dict[str, tuple[str, str, Callable[[Speaking], Any]]] = {
    "trade": ("trade", "Spot/Trades.txt", lambda venue: first(venue, "trade")),
    "book": ("book_snapshot", "pro/upbit.js", lambda venue: first(venue, "orderbook", code="BTC-ETH")),
    "book in short": ("book_snapshot", "UPBIT.ws", lambda venue: first(venue, "orderbook", "SIMPLE")),
    "ticker": ("ticker", "pro/upbit.js", lambda venue: first(venue, "ticker")),
    "candle": ("candle", "Spot/Kline.txt", lambda venue: first(venue, "candle.1m")),
    "error": ("error", "public source", lambda venue: venue.answered(PATH, "{}")[0]),
    "status": ("ping_pong", "public source", lambda venue: venue.answered(PATH, "PING")[0]),
    "recent trades": ("rest_recent_trades", "js/upbit.js#L1006", lambda venue: venue.ask("/v1/trades/ticks", market="KRW-BTC")),
    "candles": ("rest_klines", "#L1192", lambda venue: venue.ask("/v1/candles/minutes/1", market="KRW-BTC", at=MINUTE)),
    "book over REST": ("rest_order_book", "GetOrderBook", lambda venue: venue.ask("/v1/orderbook", markets="KRW-BTC")),
    "ticker over REST": ("rest_ticker", "#L843", lambda venue: venue.ask("/v1/ticker", markets="KRW-BTC,BTC-ETH")),
    "markets": ("rest_instruments", "UPBIT.0", lambda venue: venue.ask("/v1/market/all")),
}


@pytest.mark.parametrize("named", KINDS)
def test_a_message_has_the_shape_of_a_real_one(named: str, venue: Speaking, shared: Path) -> None:
    kind, source, said = KINDS[named]
    assert shape(said(venue)) in [shape(one) for one in samples(shared, "upbit", kind, source)]


def test_a_trade_in_short_is_the_recorded_one_and_the_best_quote(venue: Speaking, shared: Path) -> None:
    """The recording is older than the quote within trades."""
    recorded = samples(shared, "upbit", "trade", "UPBIT.ws")[0]
    ours = first(venue, "trade", "SIMPLE")
    assert {field: ours[field] for field in recorded}.keys() == recorded.keys()
    assert ours.keys() - recorded.keys() == {"bap", "bas", "bbp", "bbs"}


def test_an_error_over_rest_has_a_name_and_a_message(venue: Speaking, shared: Path) -> None:
    for sample in samples(shared, "upbit", "rest_error"):
        assert venue.ask("/v1/ticker").keys() == sample.keys()
        assert venue.ask("/v1/ticker")["error"].keys() == sample["error"].keys()


def test_every_form_says_the_same(venue: Speaking) -> None:
    long, listed = first(venue, "ticker"), first(venue, "ticker", "JSON_LIST")
    short, short_listed = first(venue, "ticker", "SIMPLE"), first(venue, "ticker", "SIMPLE_LIST")
    assert listed == [long]
    assert short_listed == [short]
    assert list(short.values()) == list(long.values())
    assert len(set(short)) == len(short)


def test_every_frame_is_binary(venue: Speaking) -> None:
    talk = venue.talk(PATH)
    assert venue.exchange.rules.binary
    assert [type(frame) for frame in talk.hear("PING", moment())] == [bytes]
    assert [type(frame) for frame in talk.hear("[]", moment())] == [bytes]


def test_every_real_request_is_taken_or_refused(venue: Speaking, shared: Path) -> None:
    """Requests of real clients: what is listed here is told, the private is not supported, the rest is passed over."""
    for request in samples(shared, "upbit", "subscribe_request"):
        answers = venue.answered(PATH, request)
        private = any(part.get("type") == "myOrder" for part in request)
        assert [one["error"]["name"] for one in answers] == (["INVALID_PARAM"] if private else [])
    pushed = venue.pushed(PATH, samples(shared, "upbit", "subscribe_request", "UPBIT.ws")[0])
    assert pushed == []
    assert decoded(b"[]") == []
