"""A websocket session answers requests as OKX does and pushes each channel in order, without a socket."""

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.faults import Fault, FaultKind, Silence
from infra.simulated.listing import LISTINGS, listings
from infra.simulated.market import random_market
from infra.simulated.okx.board import Board
from infra.simulated.okx.session import Frame, Session

START = 1_767_571_200_000
MIGRATED = (
    "Wrong URL or channel:candle1m,instId:BTC-USDT doesn't exist. "
    "Please use the correct URL, channel and parameters referring to API document."
)


class Wire:
    """A session with a clock in hand: 60 market seconds a real one."""

    def __init__(self, address: str = "public", count: int = 8, seed: int = 7) -> None:
        self.now, self.real = START, 0.0
        self.board = Board(random_market(seed, listings(count), START))
        self.silence = Silence(lambda: self.real)
        self.session = Session(self.board, address, "4adc328c", self.silence, self.real)

    def say(self, request: object) -> list[Any]:
        said = request if isinstance(request, str) else json.dumps(request)
        return [json.loads(reply) for reply in self.session.receive(said, self.now, self.real)]

    def subscribe(self, *args: tuple[str, str]) -> list[Any]:
        return self.say({"op": "subscribe", "args": [{"channel": channel, "instId": name} for channel, name in args]})

    def pass_time(self, milliseconds: int, step: int = 300) -> list[Frame]:
        frames: list[Frame] = []
        for _ in range(0, milliseconds, step):
            self.now, self.real = self.now + step, self.real + step / 60_000
            frames += self.session.due(self.now, self.real)
        return frames


def rows(frames: Iterable[Frame], channel: str) -> list[Any]:
    messages = [json.loads(frame) for frame in frames if isinstance(frame, str)]
    return [row for one in messages if one["arg"]["channel"] == channel for row in one["data"]]


def test_each_argument_is_acknowledged_with_the_request_s_id() -> None:
    wire = Wire()
    args = [{"channel": "trades", "instId": "BTC-USDT"}, {"channel": "tickers", "instId": "BTC-USDT"}]
    replies = wire.say({"op": "subscribe", "args": args, "id": "17"})
    assert replies == [{"id": "17", "event": "subscribe", "arg": arg, "connId": "4adc328c"} for arg in args]
    assert wire.session.follows_trades


@pytest.mark.parametrize(
    ("said", "code", "message"),
    [
        ("hello", "60012", "Illegal request: hello"),
        ('{"op":"fly","args":[]}', "60012", 'Illegal request: {"op":"fly","args":[]}'),
        ('{"op":"subscribe","args":["spot/ticker:X"]}', "60012", "Illegal request: "),
        ('{"op":"subscribe","args":[]}', "60012", "Illegal request: "),
        ("[1]", "60012", "Illegal request: [1]"),
        (
            '{"op":"subscribe","args":[{"channel":"candle1m","instId":"BTC-USDT"}]}',
            "60018",
            MIGRATED,
        ),
        ('{"op":"subscribe","args":[{"channel":"trades","instId":"NO-SUCH"}]}', "60018", "Wrong URL or channel:trades"),
        ('{"op":"subscribe","args":[{"channel":"trades"}]}', "60018", "Wrong URL or channel:trades doesn't exist."),
    ],
)
def test_what_cannot_be_done_is_answered_with_okx_s_code(said: str, code: str, message: str) -> None:
    (reply,) = Wire().say(said)
    assert (reply["event"], reply["code"], reply["connId"]) == ("error", code, "4adc328c")
    assert reply["msg"].startswith(message)


def test_the_business_address_has_candles_and_no_trades() -> None:
    wire = Wire("business")
    replies = wire.subscribe(("candle5m", "BTC-USDT"), ("candle7m", "BTC-USDT"), ("trades", "BTC-USDT"))
    assert [reply.get("code", "ok") for reply in replies] == ["ok", "60018", "60018"]


def test_a_ping_is_answered_with_pong() -> None:
    assert Wire().session.receive("ping", START, 0.0) == ["pong"]


def test_the_first_trade_pushed_is_the_last_one_there_was_and_then_none_is_missing() -> None:
    wire = Wire()
    wire.subscribe(("trades", "BTC-USDT"))
    ids = [int(row["tradeId"]) for row in rows(wire.pass_time(10 * MINUTE), "trades")]
    tape = wire.board.tape("BTC-USDT", wire.now)
    known = tape.through(START)
    assert ids == tape.slice(known - 1, tape.through(wire.now)).ids.tolist()


def test_a_ticker_comes_after_every_trade_up_to_its_time() -> None:
    """Also at times when a burst is on, for each of eight instruments on one connection."""
    wire = Wire()
    names = list(wire.board.listings)
    wire.subscribe(*((channel, name) for channel in ("tickers", "trades") for name in names))
    told: dict[str, int] = {}
    tickers = 0
    for message in map(json.loads, wire.pass_time(25 * MINUTE, step=900)):
        name, row = message["arg"]["instId"], message["data"][0]
        if message["arg"]["channel"] == "tickers":
            told[name] = int(row["ts"])
            tickers += 1
        else:
            assert int(row["ts"]) > told.get(name, 0)
    assert tickers > 1000


def test_a_ticker_s_time_is_the_clock_s_and_advances_in_a_quiet_market_too() -> None:
    """Every 250 ms of real time at least, and no more often than every 50 ms or every 100 ms of the market."""
    wire = Wire()
    wire.subscribe(("tickers", "FLOW-USDT"))
    times = [int(row["ts"]) for row in rows(wire.pass_time(10 * MINUTE, step=300), "tickers")]
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert min(steps) >= 3000
    assert max(steps) <= 15_000
    assert times[-1] <= wire.now


def test_the_best_bid_and_ask_are_those_of_the_ticker() -> None:
    wire = Wire()
    wire.subscribe(("bbo-tbt", "BTC-USDT"), ("tickers", "BTC-USDT"))
    frames = wire.pass_time(MINUTE)
    quotes, tickers = rows(frames, "bbo-tbt"), rows(frames, "tickers")
    best = {row["ts"]: (row["bids"][0][0], row["asks"][0][0]) for row in quotes}
    shared = [row for row in tickers if row["ts"] in best]
    assert len(shared) > 10
    assert [best[row["ts"]] for row in shared] == [(row["bidPx"], row["askPx"]) for row in shared]
    assert [row["seqId"] for row in quotes] == sorted({row["seqId"] for row in quotes})


@pytest.mark.parametrize("name", ["BTC-USDT", "FLOW-USDT"])
def test_every_candle_is_pushed_once_as_closed_and_equals_its_trades(name: str) -> None:
    """A minute without a trade is pushed too, flat at the price before it."""
    wire = Wire("business")
    wire.subscribe(("candle1m", name))
    pushed = rows(wire.pass_time(12 * MINUTE + 3000), "candle1m")
    closed = [row for row in pushed if row[8] == "1"]
    assert [int(row[0]) for row in closed] == [START + minute * MINUTE for minute in range(12)]
    bars = wire.board.bars(name, "1m", START, START + 11 * MINUTE, wire.now)
    numbers = wire.board.numbers[name]
    assert [row[1:6] for row in closed] == [
        [*(numbers.price(ticks) for ticks in bar[1:5]), numbers.size(bar.lots)] for bar in bars
    ]
    assert all(row[8] == "0" for row in pushed if int(row[0]) > START + 11 * MINUTE)


def test_nothing_is_pushed_while_the_clock_stands() -> None:
    wire = Wire()
    wire.subscribe(("trades", "BTC-USDT"), ("tickers", "BTC-USDT"))
    assert len(list(wire.session.due(wire.now, 1.0))) == 2
    assert list(wire.session.due(wire.now, 2.0)) == []


def test_what_was_unsubscribed_is_not_pushed_and_others_are() -> None:
    wire = Wire()
    wire.subscribe(("trades", "BTC-USDT"), ("trades", "ETH-USDT"))
    arg = {"channel": "trades", "instId": "BTC-USDT"}
    assert wire.say({"op": "unsubscribe", "args": [arg]}) == [{"event": "unsubscribe", "arg": arg, "connId": "4adc328c"}]
    assert {row["instId"] for row in rows(wire.pass_time(2 * MINUTE), "trades")} == {"ETH-USDT"}


def test_a_second_subscription_is_acknowledged_and_pushes_nothing_twice() -> None:
    wire = Wire()
    wire.subscribe(("trades", "BTC-USDT"))
    wire.pass_time(MINUTE)
    assert [reply["event"] for reply in wire.subscribe(("trades", "BTC-USDT"))] == ["subscribe"]
    ids = [row["tradeId"] for row in rows(wire.pass_time(MINUTE), "trades")]
    assert len(ids) == len(set(ids))


def test_a_connection_on_which_nothing_is_said_is_closed_after_thirty_seconds() -> None:
    wire = Wire()
    assert wire.session.over(29.9) is None
    assert wire.session.over(30.0) == (4004, "No data received in 30s.")
    wire.session.receive("ping", START, 29.9)
    assert wire.session.over(59.8) is None


def test_a_connection_with_traffic_needs_no_ping() -> None:
    wire = Wire()
    wire.subscribe(("tickers", "BTC-USDT"))
    wire.pass_time(60 * MINUTE, step=6000)
    assert wire.real == pytest.approx(60)
    assert wire.session.over(wire.real) is None


def test_duplicates_are_the_last_trades_that_were_sent() -> None:
    wire = Wire()
    wire.subscribe(("trades", "BTC-USDT"), ("trades", "ETH-USDT"))
    sent = [row for row in rows(wire.pass_time(2 * MINUTE), "trades") if row["instId"] == "ETH-USDT"]
    wire.session.strike(Fault(FaultKind.DUPLICATE, count=3, instrument="ETH-USDT"), wire.now, wire.real)
    assert rows(wire.session.due(wire.now, wire.real), "trades") == sent[-3:]


def test_skipped_trades_are_missing_from_the_websocket_alone() -> None:
    wire = Wire()
    wire.subscribe(("trades", "BTC-USDT"))
    wire.pass_time(MINUTE)
    known = wire.board.tape("BTC-USDT", wire.now).through(wire.now)
    wire.session.strike(Fault(FaultKind.SKIP, count=4), wire.now, wire.real)
    ids = [int(row["tradeId"]) for row in rows(wire.pass_time(2 * MINUTE), "trades")]
    tape = wire.board.tape("BTC-USDT", wire.now)
    assert ids == tape.slice(known + 4, tape.through(wire.now)).ids.tolist()


def test_silence_loses_what_it_does_not_say_and_answers_pings_alone() -> None:
    wire = Wire()
    wire.subscribe(("trades", "BTC-USDT"))
    wire.pass_time(MINUTE)
    wire.silence.begin(1.0)
    assert wire.pass_time(59_000, step=1000) == []
    assert wire.subscribe(("trades", "ETH-USDT")) == []
    assert wire.session.receive("ping", wire.now, wire.real) == ["pong"]
    quiet_until = wire.now
    times = [int(row["ts"]) for row in rows(wire.pass_time(2 * MINUTE), "trades")]
    assert len(times) > 10
    assert min(times) > quiet_until


def test_garbage_is_a_cut_frame_an_unknown_channel_and_bytes() -> None:
    wire = Wire()
    wire.session.strike(Fault(FaultKind.GARBAGE), wire.now, wire.real)
    cut, unknown, binary = wire.session.due(wire.now, wire.real)
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut)
    assert json.loads(unknown)["arg"]["channel"] == "moon-phases"
    assert isinstance(binary, bytes)


def test_a_notice_announces_the_end_of_the_connection() -> None:
    wire = Wire()
    wire.session.strike(Fault(FaultKind.NOTICE, seconds=2.0), wire.now, wire.real)
    (frame,) = wire.session.due(wire.now, wire.real)
    assert json.loads(frame)["code"] == "64008"
    assert wire.session.over(1.9) is None
    assert wire.session.over(2.0) == (1001, "")


def test_a_disconnect_ends_the_connection_at_once() -> None:
    wire = Wire()
    wire.session.strike(Fault(FaultKind.DISCONNECT), wire.now, wire.real)
    assert wire.session.over(wire.real) == (1001, "")


def test_every_listing_can_be_followed() -> None:
    wire = Wire(count=len(LISTINGS))
    replies = wire.subscribe(*(("trades", name) for name in wire.board.listings))
    assert {reply["event"] for reply in replies} == {"subscribe"}
    assert {row["instId"] for row in rows(wire.pass_time(1000), "trades")} == set(wire.board.listings)
