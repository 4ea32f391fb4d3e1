"""What the simulated Deribit answers: what it grants, heartbeats that have to be answered, and what requests cost."""

import json
from typing import Any

import pytest

from infra.simulated.deribit.exchange import DERIBIT
from infra.simulated.exchange import Close, Talk
from infra.simulated.faults import Fault, FaultKind
from tests.infra.simulated.samples import START, Speaking, closed_after, decoded, due, moment

PATH = "/ws/api/v2"
TRADES, BOOK = "trades.BTC-PERPETUAL.100ms", "book.BTC-PERPETUAL.100ms"


@pytest.fixture(scope="module")
def venue() -> Speaking:
    return Speaking(DERIBIT)


def request(method: str, number: int = 7, **params: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": f"public/{method}", "params": params})


def say(talk: Talk, method: str, seconds: float = 0.0, **params: Any) -> Any:
    (answer,) = talk.hear(request(method, **params), moment(seconds=seconds))
    return decoded(answer)


def test_the_result_lists_what_was_granted_once_each(venue: Speaking) -> None:
    talk = venue.talk(PATH)
    answer = say(talk, "subscribe", channels=[TRADES, "trades.MOON-PERPETUAL.100ms", "moon", "platform_state", TRADES])
    assert (answer["id"], answer["result"]) == (7, [TRADES, "platform_state"])
    assert list(talk.feeds) == [(TRADES, "BTC-PERPETUAL")]
    assert say(talk, "unsubscribe", channels=[TRADES, BOOK])["result"] == [TRADES]
    assert talk.feeds == {}
    assert say(talk, "unsubscribe_all")["result"] == "ok"


@pytest.mark.parametrize(
    "channel",
    [
        "trades.BTC-PERPETUAL.100ms", "trades.future.BTC.100ms", "trades.option.any.agg2", "ticker.BTC-27MAR26.100ms",
        "quote.BTC-27MAR26-100000-C", "book.BTC-PERPETUAL.agg2", "book.BTC-PERPETUAL.none.20.100ms",
        "chart.trades.ETH-PERPETUAL.60", "perpetual.BTC-PERPETUAL.100ms", "deribit_price_index.btc_usd",
        "instrument.state.any.any",
        "platform_state.public_methods_state",
    ],
)  # fmt: skip
def test_channels_that_there_are(venue: Speaking, channel: str) -> None:
    assert say(venue.talk(PATH), "subscribe", channels=[channel])["result"] == [channel]


@pytest.mark.parametrize(
    "channel",
    [
        "trades.BTC-PERPETUAL", "trades.BTC-PERPETUAL.7ms", "trades.spot.BTC.100ms",
        "ticker.BTC-1JAN26.100ms", "book.BTC-PERPETUAL.none.7.100ms",
        "chart.trades.BTC-PERPETUAL.7", "perpetual.BTC-27MAR26.100ms", "deribit_price_index.moon_usd",
        "instrument.state.any", "",
    ],
)  # fmt: skip
def test_channels_that_there_are_not(venue: Speaking, channel: str) -> None:
    talk = venue.talk(PATH)
    assert say(talk, "subscribe", channels=[channel])["result"] == []
    assert talk.feeds == {}


def test_raw_channels_are_for_those_who_have_logged_in(venue: Speaking) -> None:
    answer = say(venue.talk(PATH), "subscribe", channels=[TRADES, "trades.BTC-PERPETUAL.raw"])
    assert answer["error"] == {"code": 13778, "message": "raw_subscriptions_not_available_for_unauthorized"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", -32700),
        ("[]", -32700),
        ("{}", -32600),
        (request("moon"), -32601),
        (request("subscribe"), -32602),
        (request("subscribe", channels=[7]), -32602),
        (request("subscribe", channels=["quote.BTC-PERPETUAL"] * 501), -32602),
        (request("set_heartbeat", interval=9), -32602),
        (request("ticker", instrument_name="MOON-PERPETUAL"), 13020),
        (request("ticker", instrument_name=7), -32602),
    ],
)
def test_what_is_wrong_is_answered_with_a_code(venue: Speaking, text: str, code: int) -> None:
    (answer,) = venue.answered(PATH, text)
    assert answer["error"]["code"] == code


def test_methods_are_the_same_as_over_rest(venue: Speaking) -> None:
    query = {"instrument_name": "BTC-PERPETUAL", "count": 3}
    over_rest = venue.ask("/api/v2/public/get_last_trades_by_instrument", instrument_name="BTC-PERPETUAL", count="3")
    assert say(venue.talk(PATH), "get_last_trades_by_instrument", **query)["result"] == over_rest["result"]


def test_a_heartbeat_that_is_not_answered_ends_the_connection(venue: Speaking) -> None:
    beating = {0: request("set_heartbeat", interval=10)}
    assert closed_after(venue, PATH, 100, said={}) is None
    assert closed_after(venue, PATH, 100, said=beating) == 20
    answered = beating | {second: request("test") for second in range(11, 100, 10)}
    assert closed_after(venue, PATH, 100, said=answered) is None
    given_up = beating | {15: request("disable_heartbeat")}
    assert closed_after(venue, PATH, 100, said=given_up) is None


def test_a_beat_is_a_heartbeat_and_a_test_request(venue: Speaking) -> None:
    talk = venue.talk(PATH)
    say(talk, "set_heartbeat", interval=30)
    assert list(talk.beats(moment(seconds=29.0))) == []
    kinds = [decoded(frame)["params"]["type"] for frame in talk.beats(moment(seconds=30.0))]
    assert kinds == ["heartbeat", "test_request"]
    (answer,) = talk.heartbeat(request("test"), moment(seconds=30.5)) or ()
    assert decoded(answer)["result"]["version"]
    assert talk.heartbeat(request("get_time"), moment(seconds=30.5)) is None


def test_subscribing_costs_credits_that_come_back(venue: Speaking) -> None:
    talk = venue.talk(PATH)
    answers = [say(talk, "subscribe", channels=[TRADES]) for _ in range(11)]
    assert ["result" in answer for answer in answers] == [True] * 10 + [False]
    assert answers[-1]["error"] == {"code": 10028, "message": "too_many_requests"}
    assert talk.over(moment()) == Close(1008, "too_many_requests")
    patient = venue.talk(PATH)
    for attempt in range(50):
        assert "result" in say(patient, "subscribe", seconds=attempt * 0.31, channels=[TRADES])


def test_trades_are_told_in_lists_and_count_up_by_one(venue: Speaking) -> None:
    pushed = venue.pushed(PATH, {"id": 1, "method": "public/subscribe", "params": {"channels": [TRADES]}}, until=120_000)
    rows = [row for message in pushed for row in message["params"]["data"]]
    assert len(rows) > len(pushed)
    first = rows[0]["trade_seq"]
    assert [row["trade_seq"] for row in rows] == list(range(first, first + len(rows)))
    assert len({row["trade_id"] for row in rows}) == len(rows)
    tape = venue.exchange.told("BTC-PERPETUAL", START + 120_000)
    ids = tape.slice(tape.through(START), tape.through(START + 120_000)).ids.tolist()
    assert [row["trade_seq"] for row in rows] == [venue.exchange.trade_id("BTC-PERPETUAL", one) for one in ids]
    assert all(row["amount"] == row["contracts"] * 10 for row in rows)


def test_trades_of_a_kind_are_those_of_its_instruments(venue: Speaking) -> None:
    channel = "trades.option.BTC.100ms"
    pushed = venue.pushed(PATH, {"id": 1, "method": "public/subscribe", "params": {"channels": [channel]}}, until=600_000)
    names = {row["instrument_name"] for message in pushed for row in message["params"]["data"]}
    assert names == {"BTC-27MAR26-100000-C", "BTC-27MAR26-90000-P"}
    assert {message["params"]["channel"] for message in pushed} == {channel}


def changed(book: dict[str, dict[float, float]], data: dict[str, Any]) -> None:
    for side in ("bids", "asks"):
        for action, price, amount in data[side]:
            assert (action == "new") is (price not in book[side])
            assert (action == "delete") is (amount == 0)
            book[side][price] = amount
            if not amount:
                del book[side][price]


def test_changes_of_a_book_follow_each_other_and_make_the_book_that_rest_has(venue: Speaking) -> None:
    pushed = venue.pushed(PATH, {"id": 1, "method": "public/subscribe", "params": {"channels": [BOOK]}})
    first, *changes = [message["params"]["data"] for message in pushed]
    book: dict[str, dict[float, float]] = {"bids": {}, "asks": {}}
    changed(book, first)
    last = first["change_id"]
    for change in changes:
        assert (change["type"], change["prev_change_id"]) == ("change", last)
        changed(book, change)
        last = change["change_id"]
    rest = venue.ask("/api/v2/public/get_order_book", instrument_name="BTC-PERPETUAL", depth="100", at=10_000)["result"]
    for side, reverse in (("bids", True), ("asks", False)):
        assert [list(level) for level in sorted(book[side].items(), reverse=reverse)[:100]] == rest[side]


def test_a_change_that_was_left_out_shows_in_the_pointer(venue: Speaking) -> None:
    talk = venue.talk(PATH)
    say(talk, "subscribe", channels=[BOOK])
    before = [decoded(frame)["params"]["data"] for frame in due(talk, 2_000)]
    for feed in talk.feeds.values():
        feed.strike(Fault(FaultKind.BOOK_BREAK), moment(2_000))
    after = [decoded(frame)["params"]["data"] for frame in due(talk, 4_000, since=2_000)]
    assert after[0]["prev_change_id"] > before[-1]["change_id"]


def test_who_follows_the_platform_is_told_of_maintenance(venue: Speaking) -> None:
    talk = venue.talk(PATH)
    assert list(talk.maintenance(60.0, moment())) == []
    say(talk, "subscribe", channels=["platform_state"])
    (frame,) = talk.maintenance(60.0, moment())
    assert decoded(frame)["params"] == {"channel": "platform_state", "data": {"maintenance": True}}


def test_the_index_is_of_the_currency_and_the_interest_of_the_perpetual(venue: Speaking) -> None:
    channels = ["deribit_price_index.btc_usd", "perpetual.BTC-PERPETUAL.100ms", "ticker.BTC-27MAR26-100000-C.100ms"]
    pushed = venue.pushed(PATH, {"id": 1, "method": "public/subscribe", "params": {"channels": channels}})
    first = {message["params"]["channel"]: message["params"]["data"] for message in reversed(pushed)}
    index = first["deribit_price_index.btc_usd"]["price"]
    assert first["perpetual.BTC-PERPETUAL.100ms"]["index_price"] == pytest.approx(index, rel=0.001)
    assert first["ticker.BTC-27MAR26-100000-C.100ms"]["underlying_price"] == pytest.approx(index, rel=0.001)
    assert 80_000 < index < 120_000
