"""What the simulated Bybit answers: whole requests, pings, and what becomes of who says nothing."""

import json
from typing import Any

import pytest

from infra.simulated.bybit.exchange import BYBIT
from infra.simulated.exchange import Talk
from infra.simulated.faults import Fault, FaultKind
from tests.infra.simulated.samples import START, Speaking, closed_after, decoded, due, moment

SPOT, LINEAR = "/v5/public/spot", "/v5/public/linear"


@pytest.fixture(scope="module")
def venue() -> Speaking:
    return Speaking(BYBIT, count=12)


def said(talk: Talk, operation: str, *topics: Any, at: int = 0) -> Any:
    (answer,) = talk.hear(json.dumps({"op": operation, "args": list(topics), "req_id": 5}), moment(at))
    return decoded(answer)


@pytest.mark.parametrize("address", ["/v5/public/spot", "/v5/public/linear", "/v5/public/inverse", "/v5/public/option"])
def test_each_category_has_an_address(venue: Speaking, address: str) -> None:
    assert venue.exchange.accepts(address, {})
    assert not venue.exchange.accepts("/v5/private", {})


@pytest.mark.parametrize(
    ("address", "topics", "message"),
    [
        (SPOT, ["publicTrade.BTCUSDT", "publicTrade.NOSUCH"], "Invalid symbol :[publicTrade.NOSUCH]"),
        (LINEAR, ["publicTrade.BTCUSDT", "publicTrade.NOSUCH"], "error:handler not found,topic:publicTrade.NOSUCH"),
        (LINEAR, ["orderbook.7.BTCUSDT"], "error:handler not found,topic:orderbook.7.BTCUSDT"),
        (LINEAR, ["tickers.BTCUSDT", "tickers.BTCUSDT"], "error:already subscribed,topic:tickers.BTCUSDT"),
        (SPOT, ["publicTrade.BTCUSDT"] * 11, "args size >10"),
        (LINEAR, ["publicTrade.BTCUSDT" + "X" * 21_000], "args size >21000"),
        (LINEAR, [], "error:invalid args"),
        (LINEAR, [7], "error:invalid args"),
    ],
)
def test_one_topic_that_is_wrong_spoils_the_request(venue: Speaking, address: str, topics: list[Any], message: str) -> None:
    talk = venue.talk(address)
    answer = said(talk, "subscribe", *topics)
    assert (answer["success"], answer["ret_msg"], answer["req_id"]) == (False, message, "5")
    assert talk.feeds == {}


def test_a_topic_that_is_subscribed_to_already_is_refused(venue: Speaking) -> None:
    talk = venue.talk(LINEAR)
    assert said(talk, "subscribe", "publicTrade.BTCUSDT")["success"]
    assert not said(talk, "subscribe", "publicTrade.BTCUSDT", "publicTrade.SOLUSDT")["success"]
    assert list(talk.feeds) == ["publicTrade.BTCUSDT"]
    assert said(talk, "unsubscribe", "publicTrade.BTCUSDT")["success"]
    assert said(talk, "subscribe", "publicTrade.BTCUSDT")["success"]


@pytest.mark.parametrize("text", ["{", "7", '{"op":"dance"}', "[]"])
def test_what_is_no_request_is_answered_with_an_error(venue: Speaking, text: str) -> None:
    (answer,) = venue.answered(SPOT, text)
    assert (answer["success"], answer["ret_msg"]) == (False, "error:invalid op")


def test_a_ping_is_a_heartbeat_and_a_subscription_is_none(venue: Speaking) -> None:
    talk = venue.talk(SPOT)
    (pong,) = talk.heartbeat('{"op":"ping"}', moment()) or ()
    assert decoded(pong) == {"success": True, "ret_msg": "pong", "conn_id": "13ac3a8f", "op": "ping"}
    assert talk.heartbeat('{"op":"subscribe","args":["publicTrade.BTCUSDT"]}', moment()) is None


def test_who_says_nothing_for_ten_minutes_is_cut_off(venue: Speaking) -> None:
    ping = '{"op":"ping"}'
    assert closed_after(venue, SPOT, 700, said={}) == 600
    assert closed_after(venue, SPOT, 1300, said=dict.fromkeys(range(0, 1300, 20), ping)) is None


def test_trades_of_a_millisecond_come_in_one_message_with_their_own_names(venue: Speaking) -> None:
    pushed = venue.pushed(LINEAR, {"op": "subscribe", "args": ["publicTrade.BTCUSDT"]}, until=600_000)
    sizes = [len(message["data"]) for message in pushed]
    assert max(sizes) > 1
    assert all(len({row["T"] for row in message["data"]}) == 1 for message in pushed)
    names = [row["i"] for message in pushed for row in message["data"]]
    tape = venue.exchange.told("BTC/USDT:USDT", START + 600_000)
    ids = tape.slice(tape.through(START), tape.through(START + 600_000)).ids.tolist()
    assert names == [venue.exchange.trade_id("BTC/USDT:USDT", one) for one in ids]
    sequences = [row["seq"] for message in pushed for row in message["data"]]
    assert sequences == sorted(sequences)
    assert len(set(sequences)) < len(sequences)


def test_updates_of_a_book_count_up_by_one_and_make_the_book_that_rest_has(venue: Speaking) -> None:
    pushed = venue.pushed(SPOT, {"op": "subscribe", "args": ["orderbook.50.BTCUSDT"]}, until=8_000)
    first, *changes = pushed
    assert [message["data"]["u"] for message in changes] == [first["data"]["u"] + n for n in range(1, len(changes) + 1)]
    book = {side: dict(first["data"][side]) for side in "ab"}
    for message in changes:
        for side in "ab":
            book[side] |= dict(message["data"][side])
            book[side] = {price: size for price, size in book[side].items() if size != "0"}
    rest = venue.ask("/v5/market/orderbook", category="spot", symbol="BTCUSDT", limit="50", at=8_000)["result"]
    assert book == {side: dict(rest[side]) for side in "ab"}


def test_an_update_that_was_left_out_shows_in_the_count(venue: Speaking) -> None:
    talk = venue.talk(SPOT)
    list(talk.hear('{"op":"subscribe","args":["orderbook.50.BTCUSDT"]}', moment()))
    before = [decoded(frame) for frame in due(talk, 2_000)]
    for feed in talk.feeds.values():
        feed.strike(Fault(FaultKind.BOOK_BREAK), moment(2_000))
    after = [decoded(frame) for frame in due(talk, 4_000, since=2_000)]
    assert after[0]["data"]["u"] == before[-1]["data"]["u"] + 2


def test_the_best_quote_is_always_whole_and_repeated_after_three_seconds(venue: Speaking) -> None:
    pushed = venue.pushed(LINEAR, {"op": "subscribe", "args": ["orderbook.1.BTCUSDT-27MAR26"]}, until=30_000)
    assert {message["type"] for message in pushed} == {"snapshot"}
    assert {len(message["data"]["a"]) for message in pushed} == {1}
    updates = [message["data"]["u"] for message in pushed]
    assert updates == sorted(set(updates))
    assert len(pushed) == 10


def test_changes_of_a_ticker_add_up_to_it(venue: Speaking) -> None:
    first, *changes = venue.pushed(LINEAR, {"op": "subscribe", "args": ["tickers.BTCUSDT"]}, until=20_000)
    fields = dict(first["data"])
    for message in changes:
        fields |= message["data"]
    row = venue.ask("/v5/market/tickers", category="linear", symbol="BTCUSDT", at=20_000)["result"]["list"][0]
    assert {field: row[field] for field in fields.keys() & row.keys()} == {
        field: value for field, value in fields.items() if field in row
    }


def test_a_candle_is_confirmed_when_it_closes(venue: Speaking) -> None:
    pushed = venue.pushed(LINEAR, {"op": "subscribe", "args": ["kline.1.BTCUSDT"]}, until=90_000)
    rows = [message["data"][0] for message in pushed]
    assert [row["start"] for row in rows if row["confirm"]] == [START]
    assert rows[-1]["start"] == START + 60_000
    (closed,) = [row for row in rows if row["confirm"]]
    klines = venue.ask("/v5/market/kline", category="linear", symbol="BTCUSDT", interval="1", limit="2", at=90_000)
    told = [str(closed["start"]), *(closed[field] for field in ("open", "high", "low", "close", "volume", "turnover"))]
    assert klines["result"]["list"][1] == told


def test_the_same_name_is_another_instrument_in_another_category(venue: Speaking) -> None:
    request = {"op": "subscribe", "args": ["publicTrade.BTCUSDT"]}
    spot, linear = (venue.pushed(address, request, until=60_000) for address in (SPOT, LINEAR))
    assert spot[0]["data"][0]["i"].isdigit()
    assert len(linear[0]["data"][0]["i"]) == 36
