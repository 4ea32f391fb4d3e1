"""Every kind of message the venue emits has the shape of real samples: the same fields, of the same JSON types."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.faults import FaultKind
from tests.infra.simulated.wire import START, Wire, ask, moment, opened, read, samples, shape


class Emitted:
    """What the venue says of each kind."""

    def __init__(self) -> None:
        self.venue = opened("okx")

    def pushed(self, address: str, channel: str, name: str = "BTC-USDT", nth: int = 0) -> Any:
        wire = self.wire(address)
        wire.say({"op": "subscribe", "args": [{"channel": channel, "instId": name}]})
        return wire.pass_time(10_000)[nth]

    def reply(self, channel: str) -> Any:
        return self.wire("public").say({"op": "subscribe", "args": [{"channel": channel, "instId": "BTC-USDT"}]})[0]

    def struck(self, kind: FaultKind, *args: dict[str, str]) -> Any:
        wire = self.wire("public")
        if args:
            wire.say({"op": "subscribe", "args": args})
        wire.strike(kind)
        return read(wire.due()[0])

    def read(self, path: str, **query: str) -> Any:
        return ask(self.venue, f"/api/v5/{path}", START + 90 * MINUTE, **query).body

    def refused(self, kind: FaultKind) -> Any:
        refusal = self.venue.refusal(kind, "/api/v5/public/time", 1.0, moment(START))
        return None if refusal is None else refusal.body

    def wire(self, address: str) -> Wire:
        return Wire(self.venue, f"/ws/v5/{address}")


# By the kind of sample, the newest source in the wire form of today, and the message that is to be like it.
KINDS: dict[tuple[str, str], Callable[[Emitted], Any]] = {
    ("trade", "roq-okx"): lambda venue: venue.pushed("public", "trades"),
    ("trade", "js/pro/okx.js#L315"): lambda venue: venue.pushed("business", "trades-all"),
    ("ticker", "roq-okx"): lambda venue: venue.pushed("public", "tickers"),
    ("candle", "roq-okx"): lambda venue: venue.pushed("business", "candle1m"),
    ("book_ticker", "roq-okx"): lambda venue: venue.pushed("public", "bbo-tbt"),
    ("book_snapshot", "roq-okx"): lambda venue: venue.pushed("public", "books"),
    ("book_snapshot", "okx_test.go#L4956"): lambda venue: venue.pushed("public", "books5"),
    ("mark_index", "okx_test.go#L4416"): lambda venue: venue.pushed("public", "open-interest", "BTC-USD-SWAP"),
    ("mark_index", "okx_test.go#L4419"): lambda venue: venue.pushed("public", "mark-price", "BTC-USD-SWAP"),
    ("funding", "roq-okx"): lambda venue: venue.pushed("public", "funding-rate", "BTC-USDT-SWAP"),
    ("ack", "json_subscribe.cpp#L52"): lambda venue: venue.reply("tickers"),
    ("error", "okx_test.go"): lambda venue: venue.reply("block-tickers"),
    ("system_notice", "json_notice.cpp"): lambda venue: venue.struck(FaultKind.NOTICE),
    ("system_notice", "json_status.cpp"): lambda venue: venue.struck(FaultKind.MAINTENANCE, {"channel": "status"}),
    ("rest_recent_trades", "js/okx.js#L2620"): lambda venue: venue.read("market/trades", instId="BTC-USDT"),
    ("rest_klines", "nautilus"): lambda venue: venue.read("market/candles", instId="BTC-USD-SWAP"),
    ("rest_order_book", "nautilus"): lambda venue: venue.read("market/books", instId="BTC-USDT", sz="3"),
    ("rest_ticker", "GetTicker.txt"): lambda venue: venue.read("market/ticker", instId="BTC-USD-SWAP"),
    ("rest_ticker", "GetTickers.txt"): lambda venue: venue.read("market/tickers", instType="SWAP"),
    ("rest_server_time", "js/okx.js#L1663"): lambda venue: venue.read("public/time"),
    ("rest_error", "http.rs#L854"): lambda venue: venue.read("market/candles", instId="BTC-USDT", bar="7m"),
}


@pytest.fixture(scope="module")
def venue() -> Emitted:
    return Emitted()


@pytest.mark.parametrize("kind", KINDS, ids=":".join)
def test_a_message_has_the_shape_of_the_newest_sample(kind: tuple[str, str], venue: Emitted, shared: Path) -> None:
    wanted = [shape(message) for message in samples(shared, "okx", *kind)]
    assert shape(KINDS[kind](venue)) in wanted


def test_a_change_of_a_book_has_the_shape_of_a_snapshot(venue: Emitted, shared: Path) -> None:
    """The sample has one empty side; so have ours at times."""
    (sample,) = samples(shared, "okx", "book_delta", "roq-okx")
    change = venue.pushed("public", "books", nth=1)
    assert change.keys() == sample.keys()
    assert change["action"] == sample["action"] == "update"
    ours, theirs = change["data"][0], sample["data"][0]
    sides = {"asks", "bids"}
    assert [shape(ours[key]) for key in theirs if key not in sides] == [shape(theirs[key]) for key in theirs if key not in sides]
    assert shape(ours["bids"]) == shape(theirs["bids"])


def test_funding_over_rest_has_every_field_of_the_documented_row(venue: Emitted, shared: Path) -> None:
    for path, source in (("public/funding-rate", "GetFundingRates.txt"), ("public/funding-rate-history", "FundingRateHistory")):
        (sample,) = samples(shared, "okx", "rest_funding", source)
        ours = venue.read(path, instId="BTC-USDT-SWAP")["data"][0]
        assert {field: shape(ours[field]) for field in sample["data"][0]} == shape(sample["data"][0])


def test_history_trades_are_like_recent_ones(venue: Emitted) -> None:
    recent = venue.read("market/trades", instId="BTC-USDT", limit="9")
    assert venue.read("market/history-trades", instId="BTC-USDT", limit="9") == recent


def test_an_entry_of_the_instrument_list_has_every_field_of_today_s(venue: Emitted, shared: Path) -> None:
    """Of swaps exactly; of spot the newest sample lacks fields that today's swaps have."""
    rows = {row["instType"]: row for message in samples(shared, "okx", "rest_instruments", "nautilus") for row in message["data"]}
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


def test_pushed_instruments_have_every_field_of_the_newest_sample(venue: Emitted, shared: Path) -> None:
    (sample,) = samples(shared, "okx", "instruments_push", "nautilus")
    wire = venue.wire("public")
    wire.say({"op": "subscribe", "args": [{"channel": "instruments", "instType": "SWAP"}]})
    (push,) = wire.pass_time(300)
    assert {field: shape(push["data"][0][field]) for field in sample["data"][0]} == shape(sample["data"][0])


def test_the_system_status_is_an_answer_without_maintenance(venue: Emitted, shared: Path) -> None:
    (sample,) = samples(shared, "okx", "rest_system_status")
    assert venue.read("system/status") == {**sample, "data": []}


def test_the_system_status_tells_of_maintenance_while_everything_else_is_refused(venue: Emitted, shared: Path) -> None:
    (sample,) = samples(shared, "okx", "rest_system_status")
    told = venue.venue.refusal(FaultKind.MAINTENANCE, "/api/v5/system/status", 60.0, moment(START))
    assert told is not None
    assert told.status == 200
    assert sample["data"][0].keys() - told.body["data"][0].keys() == set()


def test_a_missing_page_is_like_the_venue_s_server_error(venue: Emitted, shared: Path) -> None:
    (sample,) = [message for message in samples(shared, "okx", "rest_error") if "detailMsg" in message]
    assert shape(venue.read("market/moon")) == shape(sample)


@pytest.mark.parametrize("kind", [FaultKind.RATE_LIMIT, FaultKind.SERVER_ERROR, FaultKind.MAINTENANCE])
def test_a_refusal_has_the_shape_of_an_error(kind: FaultKind, venue: Emitted, shared: Path) -> None:
    (sample,) = samples(shared, "okx", "rest_error", "http.rs#L854")
    assert shape(venue.refused(kind)) == shape(sample)


def test_a_heartbeat_is_answered_as_recorded(venue: Emitted, shared: Path) -> None:
    (sample,) = samples(shared, "okx", "ping_pong")
    assert venue.wire("public").say("ping") == [sample]


def test_every_real_request_gets_an_answer_for_each_of_its_arguments(venue: Emitted, shared: Path) -> None:
    """Requests recorded from real clients, most of them for channels that are not here: acknowledged or refused."""
    for message in samples(shared, "okx", "subscribe_request"):
        answers = venue.wire("public").say(message)
        legal = all(isinstance(arg, dict) for arg in message["args"])
        assert len(answers) == (len(message["args"]) if legal else 1)
        assert {one.get("code", "ok") for one in answers} <= ({"ok", "60018"} if legal else {"60012"})
        for one in answers:
            arg = one.get("arg", {})
            assert one["event"] != "error" or arg.get("instId") != "BTC-USDT"
