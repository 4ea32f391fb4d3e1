"""What the simulated Bitget answers: each channel for itself, a snapshot before the updates, pings, and its limits."""

import json
import zlib
from itertools import pairwise
from typing import Any

import pytest

from infra.simulated.bitget.encoding import checksum
from infra.simulated.bitget.exchange import BITGET
from infra.simulated.exchange import Close, Talk
from infra.simulated.faults import Fault, FaultKind
from tests.infra.simulated.samples import START, Speaking, closed_after, decoded, due, moment

PUBLIC = "/v2/ws/public"


@pytest.fixture(scope="module")
def venue() -> Speaking:
    return Speaking(BITGET)


def arg(inst_type: str, channel: str, inst_id: str = "BTCUSDT") -> dict[str, str]:
    return {"instType": inst_type, "channel": channel, "instId": inst_id}


def say(talk: Talk, operation: str, *args: Any, seconds: float = 0.0) -> list[Any]:
    request = json.dumps({"op": operation, "args": list(args)})
    return [decoded(frame) for frame in talk.hear(request, moment(seconds=seconds))]


def test_each_channel_is_granted_or_refused_for_itself(venue: Speaking) -> None:
    talk = venue.talk(PUBLIC)
    trade, unknown = arg("SPOT", "trade"), arg("SPOT", "trade", "NOSUCH")
    granted, refused = say(talk, "subscribe", trade, unknown)
    assert granted == {"event": "subscribe", "arg": trade}
    assert (refused["event"], refused["arg"], refused["code"]) == ("error", unknown, 30001)
    assert refused["msg"] == "instType:SPOT,channel:trade,instId:NOSUCH doesn't exist"
    assert len(talk.feeds) == 1
    assert say(talk, "unsubscribe", trade) == [{"event": "unsubscribe", "arg": trade}]
    assert talk.feeds == {}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", 30002),
        ("[]", 30002),
        ('{"op":"subscribe"}', 30002),
        ('{"op":"dance","args":[{}]}', 30003),
        ('{"op":"subscribe","args":[]}', 30016),
        ('{"op":"subscribe","args":[{"channel":"trade"}]}', 30016),
    ],
)
def test_what_is_no_request_is_answered_with_an_error(venue: Speaking, text: str, code: int) -> None:
    (answer,) = venue.answered(PUBLIC, text)
    assert (answer["event"], answer["code"]) == ("error", code)


def test_a_ping_is_a_text_and_must_come_within_two_minutes(venue: Speaking) -> None:
    assert list(venue.talk(PUBLIC).hear("ping", moment())) == ["pong"]
    assert closed_after(venue, PUBLIC, 200, said={}) == 120
    assert closed_after(venue, PUBLIC, 500, said=dict.fromkeys(range(0, 500, 30), "ping")) is None


def test_a_connection_lasts_a_day(venue: Speaking) -> None:
    assert venue.exchange.rules.lifetime == 86_400.0


def test_too_many_channels_or_requests_end_the_connection(venue: Speaking) -> None:
    crowded = venue.talk(PUBLIC)
    (answer,) = say(crowded, "subscribe", *[arg("SPOT", "trade", f"NOSUCH{n}") for n in range(1001)])
    assert answer["code"] == 30007
    assert crowded.over(moment()) == Close(1008, "request over limit")
    busy = venue.talk(PUBLIC)
    for _ in range(240):
        assert say(busy, "unsubscribe", arg("SPOT", "trade"))[0]["event"] == "unsubscribe"
    assert busy.over(moment()) is None
    assert say(busy, "subscribe", arg("SPOT", "trade"), seconds=3601.0)[0]["event"] == "subscribe"


def test_fifty_trades_come_first_and_newest_first(venue: Speaking) -> None:
    first, *updates = venue.pushed(PUBLIC, {"op": "subscribe", "args": [arg("USDT-FUTURES", "trade")]}, until=120_000)
    assert (first["action"], len(first["data"])) == ("snapshot", 50)
    assert {message["action"] for message in updates} == {"update"}
    told = [int(row["tradeId"]) for row in reversed(first["data"])]
    told += [int(row["tradeId"]) for message in updates for row in reversed(message["data"])]
    tape = venue.exchange.told("BTC/USDT:USDT", START + 120_000)
    begin = tape.through(START) - 50
    ids = tape.slice(begin, tape.through(START + 120_000)).ids.tolist()
    assert told == [int(venue.exchange.trade_id("BTC/USDT:USDT", one)) for one in ids]
    assert all(after > before + 1 for before, after in pairwise(told))


def applied(book: dict[str, dict[str, str]], row: dict[str, Any]) -> None:
    for side in ("asks", "bids"):
        book[side] |= dict(row[side])
        book[side] = {price: size for price, size in book[side].items() if size != "0"}


def best(book: dict[str, dict[str, str]]) -> list[list[list[str]]]:
    return [
        [list(level) for level in sorted(book[side].items(), key=lambda one: float(one[0]), reverse=side == "bids")]
        for side in ("bids", "asks")
    ]


def test_the_checksum_is_of_the_book_that_the_changes_make(venue: Speaking) -> None:
    request = {"op": "subscribe", "args": [arg("SPOT", "books")]}
    first, *changes = venue.pushed(PUBLIC, request, until=10_000)
    assert (first["action"], first["data"][0]["checksum"]) == ("snapshot", 0)
    book: dict[str, dict[str, str]] = {"asks": {}, "bids": {}}
    applied(book, first["data"][0])
    for message in changes:
        applied(book, message["data"][0])
        assert message["data"][0]["checksum"] == checksum(*best(book))
    assert len(changes) > 5
    numbers = [message["data"][0]["seq"] for message in (first, *changes)]
    assert numbers == sorted(set(numbers))


def test_a_change_that_was_left_out_shows_in_the_checksum(venue: Speaking) -> None:
    talk = venue.talk(PUBLIC)
    say(talk, "subscribe", arg("SPOT", "books"))
    book: dict[str, dict[str, str]] = {"asks": {}, "bids": {}}
    for frame in due(talk, 2_000):
        applied(book, decoded(frame)["data"][0])
    for feed in talk.feeds.values():
        feed.strike(Fault(FaultKind.BOOK_BREAK), moment(2_000))
    (broken, *_) = [decoded(frame)["data"][0] for frame in due(talk, 4_000, since=2_000)]
    applied(book, broken)
    assert broken["checksum"] != checksum(*best(book))


@pytest.mark.parametrize(
    ("bids", "asks", "written"),
    [
        ([["8.1", "2"], ["8", "5"]], [["8.2", "3"]], "8.1:2:8.2:3:8:5"),
        ([["8.1", "2.00"]], [["8.2", "3"], ["8.3", "7"]], "8.1:2.00:8.2:3:8.3:7"),
        ([["1", "1"]] * 30, [], ":".join(["1:1"] * 25)),
        ([], [], ""),
    ],
)
def test_a_checksum_is_a_signed_crc_of_the_texts_by_turns(bids: list[list[str]], asks: list[list[str]], written: str) -> None:
    """`bid:size:ask:size`, 25 of each side at most, and what one side has more than the other at the end."""
    assert checksum(bids, asks) % (1 << 32) == zlib.crc32(written.encode())
    assert -(1 << 31) <= checksum(bids, asks) < 1 << 31


@pytest.mark.parametrize(("channel", "depth"), [("books1", 1), ("books5", 5), ("books15", 15)])
def test_a_small_book_is_always_whole(venue: Speaking, channel: str, depth: int) -> None:
    pushed = venue.pushed(PUBLIC, {"op": "subscribe", "args": [arg("SPOT", channel)]})
    assert {(message["action"], len(message["data"][0]["asks"])) for message in pushed} == {("snapshot", depth)}


def test_candles_begin_with_those_before_and_never_say_that_one_is_closed(venue: Speaking) -> None:
    first, *updates = venue.pushed(PUBLIC, {"op": "subscribe", "args": [arg("SPOT", "candle1m")]}, until=150_000)
    assert (first["action"], len(first["data"])) == ("snapshot", 500)
    assert {(message["action"], len(message["data"])) for message in updates} == {("update", 1)}
    opened = [int(message["data"][0][0]) for message in updates]
    assert sorted(set(opened)) == [START, START + 60_000, START + 120_000]
    rows = venue.ask("/api/v2/spot/market/candles", symbol="BTCUSDT", granularity="1min", limit="3", at=150_000)["data"]
    closing = [message["data"][0] for message in updates if message["data"][0][0] == str(START + 60_000)][-1]
    assert closing == rows[1]
