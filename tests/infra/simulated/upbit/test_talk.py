"""What the simulated Upbit answers: nothing where it grants, and each request takes the place of the one before."""

import json
from typing import Any

import pytest

from infra.simulated.exchange import Close, Talk
from infra.simulated.upbit.exchange import UPBIT
from tests.infra.simulated.samples import START, Speaking, closed_after, decoded, due, moment

PATH = "/websocket/v1"
TICKET = {"ticket": "t"}


@pytest.fixture(scope="module")
def venue() -> Speaking:
    return Speaking(UPBIT)


def say(talk: Talk, *parts: Any, at: int = 0) -> list[Any]:
    return [decoded(frame) for frame in talk.hear(json.dumps([TICKET, *parts]), moment(at))]


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        ("{", "WRONG_FORMAT"),
        ({"ticket": "t"}, "WRONG_FORMAT"),
        ([1], "WRONG_FORMAT"),
        ([{"type": "trade", "codes": ["KRW-BTC"]}], "NO_TICKET"),
        ([TICKET], "NO_TYPE"),
        ([TICKET, {"type": "trade"}], "NO_CODES"),
        ([TICKET, {"type": "trade", "codes": []}], "INVALID_PARAM"),
        ([TICKET, {"type": "moon", "codes": ["KRW-BTC"]}], "INVALID_PARAM"),
        ([TICKET, {"type": "orderbook", "codes": ["KRW-BTC.7"]}], "INVALID_PARAM"),
        ([TICKET, {"type": "trade", "codes": ["KRW-BTC"]}, {"format": "LOUD"}], "INVALID_PARAM"),
    ],
)
def test_what_is_wrong_is_answered_with_a_name_and_changes_nothing(venue: Speaking, request_: Any, name: str) -> None:
    talk = venue.talk(PATH)
    say(talk, {"type": "ticker", "codes": ["KRW-ETH"]})
    text = request_ if isinstance(request_, str) else json.dumps(request_)
    (answer,) = [decoded(frame) for frame in talk.hear(text, moment())]
    assert answer["error"]["name"] == name
    assert answer["error"]["message"]
    assert list(talk.feeds) == [("ticker", "KRW-ETH")]


def test_a_request_is_not_acknowledged_and_takes_the_place_of_the_one_before(venue: Speaking) -> None:
    talk = venue.talk(PATH)
    assert say(talk, {"type": "trade", "codes": ["KRW-BTC", "KRW-ETH"]}) == []
    assert say(talk, {"type": "ticker", "codes": ["KRW-BTC"]}, {"type": "trade", "codes": ["KRW-XRP"]}) == []
    assert list(talk.feeds) == [("ticker", "KRW-BTC"), ("trade", "KRW-XRP")]
    (listed,) = say(talk, {"method": "LIST_SUBSCRIPTIONS"})
    assert listed["result"] == [{"type": "ticker", "codes": ["KRW-BTC"]}, {"type": "trade", "codes": ["KRW-XRP"]}]


def test_codes_that_are_not_listed_are_passed_over_in_silence(venue: Speaking) -> None:
    talk = venue.talk(PATH)
    assert say(talk, {"type": "trade", "codes": ["KRW-MOON", "KRW-BTC"]}) == []
    assert list(talk.feeds) == [("trade", "KRW-BTC")]


def test_the_last_trade_comes_first_and_is_marked(venue: Speaking) -> None:
    first, *others = venue.pushed(PATH, [TICKET, {"type": "trade", "codes": ["KRW-BTC"]}], until=120_000)
    assert first["stream_type"] == "SNAPSHOT"
    assert {row["stream_type"] for row in others} == {"REALTIME"}
    ids = [row["sequential_id"] for row in (first, *others)]
    tape = venue.exchange.told("KRW-BTC", START + 120_000)
    begin, end = tape.through(START) - 1, tape.through(START + 120_000)
    assert ids == [venue.exchange.trade_id("KRW-BTC", one) for one in tape.slice(begin, end).ids.tolist()]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("spelling", ["is_only_realtime", "isOnlyRealtime"])
def test_who_wants_no_snapshot_gets_none(venue: Speaking, spelling: str) -> None:
    request = [TICKET, {"type": "trade", "codes": ["KRW-BTC"], spelling: True}]
    assert {row["stream_type"] for row in venue.pushed(PATH, request, until=60_000)} == {"REALTIME"}


@pytest.mark.parametrize("kind", ["trade", "ticker", "orderbook"])
def test_who_wants_a_snapshot_alone_gets_nothing_more(venue: Speaking, kind: str) -> None:
    request = [TICKET, {"type": kind, "codes": ["KRW-BTC"], "is_only_snapshot": True}]
    (row,) = venue.pushed(PATH, request, until=60_000)
    assert row["stream_type"] == "SNAPSHOT"


def test_a_ping_is_answered_and_the_status_repeated_every_ten_seconds(venue: Speaking) -> None:
    talk = venue.talk(PATH)
    assert list(talk.beats(moment(seconds=1.0))) == []
    assert list(talk.hear("PING", moment(seconds=1.0))) == [b'{"status":"UP"}']
    beats = [second for second in range(2, 40) if list(talk.beats(moment(seconds=float(second))))]
    assert beats == [11, 21, 31]


def test_a_connection_without_a_word_ends_after_two_minutes(venue: Speaking) -> None:
    assert closed_after(venue, PATH, 300, said={}) == 120
    assert closed_after(venue, PATH, 600, said=dict.fromkeys(range(0, 600, 100), "PING")) is None


def test_a_hundred_messages_a_minute_are_the_most(venue: Speaking) -> None:
    assert venue.exchange.rules.messages_per_second == 5
    talk = venue.talk(PATH)
    for message in range(100):
        list(talk.hear("PING", moment(seconds=message * 0.3)))
    assert talk.over(moment()) is None
    list(talk.hear("PING", moment(seconds=31.0)))
    assert talk.over(moment()) == Close(1008, "too many requests")


@pytest.mark.parametrize(("code", "depth"), [("KRW-BTC", 30), ("KRW-BTC.5", 5), ("BTC-ETH.15", 15)])
def test_every_push_of_a_book_is_the_whole_of_it(venue: Speaking, code: str, depth: int) -> None:
    pushed = venue.pushed(PATH, [TICKET, {"type": "orderbook", "codes": [code]}])
    assert len(pushed) > 5
    for row in pushed:
        units = row["orderbook_units"]
        assert len(units) == depth
        assert row["total_ask_size"] == pytest.approx(sum(unit["ask_size"] for unit in units))
        asks, bids = ([unit[side] for unit in units] for side in ("ask_price", "bid_price"))
        assert asks == sorted(set(asks))
        assert bids == sorted(set(bids), reverse=True)
        assert bids[0] < asks[0]


def test_there_is_no_candle_without_a_trade(venue: Speaking) -> None:
    """An instrument that trades every few minutes has fewer candles than minutes."""
    request = [TICKET, {"type": "candle.1m", "codes": ["KRW-FLOW"]}]
    talk = venue.talk(PATH)
    list(talk.hear(json.dumps(request), moment()))
    rows = [decoded(frame) for frame in due(talk, 40 * 60_000, steps=400)]
    opened = [row["candle_date_time_utc"] for row in rows]
    tape = venue.exchange.told("KRW-FLOW", START + 40 * 60_000)
    times = tape.slice(tape.before(START), tape.through(START + 40 * 60_000)).times
    assert len(set(opened)) == len({int(time) // 60_000 for time in times}) < 40
    assert all(row["candle_acc_trade_volume"] > 0 for row in rows)


def test_volumes_of_a_ticker_add_up(venue: Speaking) -> None:
    rows = venue.pushed(PATH, [TICKET, {"type": "ticker", "codes": ["KRW-BTC"]}], until=240_000)
    tape, figures = venue.exchange.told("KRW-BTC", START + 240_000), venue.exchange.board.figures["KRW-BTC"]
    for row in rows[2:]:
        assert row["acc_ask_volume"] + row["acc_bid_volume"] == pytest.approx(row["acc_trade_volume"])
        assert (row["change"] == "RISE") == (row["signed_change_price"] > 0)
    today = tape.slice(tape.before(START), tape.through(START + 240_000))
    assert rows[-1]["acc_trade_volume"] == pytest.approx(float(figures.size(int(today.sizes.sum()))))
