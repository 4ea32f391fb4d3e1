"""Every kind of message the venue emits has the shape of real samples: the same fields, of the same JSON types."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.faults import Fault, FaultKind, Silence
from infra.simulated.listing import listings
from infra.simulated.market import random_market
from infra.simulated.okx.board import Board
from infra.simulated.okx.rest import answer
from infra.simulated.okx.session import Session

START = 1_767_571_200_000
# The samples to be like: those captured from the venue, or written down, in the wire form of today.
NEWEST = {
    "trade": "roq-okx",
    "ticker": "roq-okx",
    "candle": "roq-okx",
    "book_ticker": "roq-okx",
    "ack": "json_subscribe.cpp#L52",
    "error": "okx_test.go",
    "system_notice": "json_notice.cpp",
    "rest_recent_trades": "js/okx.js#L2620",
    "rest_klines": "nautilus",
    "rest_order_book": "nautilus",
    "rest_ticker": "GetTicker.txt",
    "rest_server_time": "js/okx.js#L1663",
    "rest_error": "http.rs#L854",
}


def shape(value: object) -> object:
    """Objects by field, arrays by the shape of their elements, everything else by its type."""
    if isinstance(value, dict):
        return {field: shape(inner) for field, inner in value.items()}
    if isinstance(value, list):
        shapes = [shape(inner) for inner in value]
        alike = all(one == shapes[0] for one in shapes) and any(isinstance(one, dict | list) for one in shapes)
        return shapes[:1] if alike else shapes
    return type(value).__name__


class Emitted:
    """What the venue says of each kind."""

    def __init__(self) -> None:
        self.board = Board(random_market(7, listings(8), START))

    def pushed(self, address: str, channel: str) -> Any:
        session = self.session(address)
        said = {"op": "subscribe", "args": [{"channel": channel, "instId": "BTC-USDT"}]}
        session.receive(json.dumps(said), START, 0.0)
        return json.loads(next(iter(session.due(START + 10_000, 1.0))))

    def reply(self, channel: str) -> Any:
        said = {"op": "subscribe", "args": [{"channel": channel, "instId": "BTC-USDT"}]}
        return json.loads(self.session("public").receive(json.dumps(said), START, 0.0)[0])

    def notice(self) -> Any:
        session = self.session("public")
        session.strike(Fault(FaultKind.NOTICE), START, 0.0)
        return json.loads(next(iter(session.due(START, 0.0))))

    def read(self, path: str, **query: str) -> Any:
        return answer(self.board, path, query, START + 90 * MINUTE)[1]

    def session(self, address: str) -> Session:
        return Session(self.board, address, "4adc328c", Silence(lambda: 0.0), 0.0)


KINDS: dict[str, Callable[[Emitted], Any]] = {
    "trade": lambda venue: venue.pushed("public", "trades"),
    "ticker": lambda venue: venue.pushed("public", "tickers"),
    "candle": lambda venue: venue.pushed("business", "candle1m"),
    "book_ticker": lambda venue: venue.pushed("public", "bbo-tbt"),
    "ack": lambda venue: venue.reply("tickers"),
    "error": lambda venue: venue.reply("block-tickers"),
    "system_notice": lambda venue: venue.notice(),
    "rest_recent_trades": lambda venue: venue.read("market/trades", instId="BTC-USDT"),
    "rest_klines": lambda venue: venue.read("market/candles", instId="BTC-USD-SWAP"),
    "rest_order_book": lambda venue: venue.read("market/books", instId="BTC-USDT", sz="3"),
    "rest_ticker": lambda venue: venue.read("market/ticker", instId="BTC-USD-SWAP"),
    "rest_server_time": lambda venue: venue.read("public/time"),
    "rest_error": lambda venue: venue.read("market/candles", instId="BTC-USDT", bar="7m"),
}


@pytest.fixture(scope="module")
def venue() -> Emitted:
    return Emitted()


def samples(shared: Path, kind: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((shared / "wire" / "okx" / f"{kind}.json").read_text())
    return entries


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_has_the_shape_of_the_newest_sample(kind: str, venue: Emitted, shared: Path) -> None:
    wanted = [shape(one["message"]) for one in samples(shared, kind) if NEWEST[kind] in one["source"]]
    assert shape(KINDS[kind](venue)) in wanted


def test_history_trades_are_like_recent_ones(venue: Emitted) -> None:
    recent = venue.read("market/trades", instId="BTC-USDT", limit="9")
    assert venue.read("market/history-trades", instId="BTC-USDT", limit="9") == recent


def test_tickers_are_like_the_documented_ones(venue: Emitted, shared: Path) -> None:
    (sample,) = [one["message"] for one in samples(shared, "rest_ticker") if "GetTickers.txt" in one["source"]]
    assert shape(venue.read("market/tickers", instType="SWAP")) == shape(sample)


def test_an_entry_of_the_instrument_list_has_every_field_of_today_s(venue: Emitted, shared: Path) -> None:
    """Of swaps exactly; of spot the newest sample lacks fields that today's swaps have."""
    today = [one["message"] for one in samples(shared, "rest_instruments") if "nautilus" in one["source"]]
    rows = {row["instType"]: row for message in today for row in message["data"]}
    for kind in ("SWAP", "SPOT"):
        for row in venue.read("public/instruments", instType=kind)["data"]:
            ours, theirs = shape(row), shape(rows[kind])
            assert isinstance(ours, dict)
            assert isinstance(theirs, dict)
            assert {field: ours.get(field) for field in theirs} == {
                **theirs,
                **({"tradeQuoteCcyList": []} if kind == "SWAP" else {}),
            }
            assert kind == "SPOT" or ours.keys() == theirs.keys()


def test_the_system_status_is_an_answer_without_maintenance(venue: Emitted, shared: Path) -> None:
    (sample,) = samples(shared, "rest_system_status")
    assert venue.read("system/status") == {**sample["message"], "data": []}


def test_a_missing_page_is_like_the_venue_s_server_error(venue: Emitted, shared: Path) -> None:
    (sample,) = [one["message"] for one in samples(shared, "rest_error") if "detailMsg" in one["message"]]
    assert shape(venue.read("market/moon")) == shape(sample)


def test_a_heartbeat_is_answered_as_recorded(venue: Emitted, shared: Path) -> None:
    (sample,) = samples(shared, "ping_pong")
    assert venue.session("public").receive("ping", START, 0.0) == [sample["message"]]


def test_every_real_request_gets_an_answer_for_each_of_its_arguments(venue: Emitted, shared: Path) -> None:
    """Requests recorded from real clients, most of them for channels that are not here: acknowledged or refused."""
    for sample in samples(shared, "subscribe_request"):
        replies = venue.session("public").receive(json.dumps(sample["message"]), START, 0.0)
        answers = [json.loads(reply) for reply in replies]
        legal = all(isinstance(arg, dict) for arg in sample["message"]["args"])
        assert len(answers) == (len(sample["message"]["args"]) if legal else 1)
        assert {one.get("code", "ok") for one in answers} <= ({"ok", "60018"} if legal else {"60012"})
        assert all(one["event"] != "error" for one in answers if one.get("arg", {}).get("instId") == "BTC-USDT")
