"""A connection ends by the venue's rules and suffers its faults, whatever is spoken on it."""

import json
from typing import Any

import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.exchange import Close
from infra.simulated.faults import FaultKind
from infra.simulated.session import Ping
from tests.infra.simulated.wire import START, Wire, opened, rows


@pytest.fixture
def okx() -> Wire:
    wire = Wire(opened("okx"), "/ws/v5/public")
    subscribe(wire, "BTC-USDT")
    wire.pass_time(MINUTE)
    return wire


@pytest.fixture
def binance() -> Wire:
    return Wire(opened("binance"), "/ws")


def subscribe(wire: Wire, name: str, channel: str = "trades") -> list[Any]:
    return wire.say({"op": "subscribe", "args": [{"channel": channel, "instId": name}]})


def ids(wire: Wire, milliseconds: int = 2 * MINUTE) -> list[int]:
    return [int(row["tradeId"]) for row in rows(wire.pass_time(milliseconds), "trades")]


def test_a_connection_on_which_nothing_is_said_is_closed_after_thirty_seconds() -> None:
    wire = Wire(opened("okx"), "/ws/v5/public")
    wire.wait(29.9)
    assert wire.session.over(wire.now) is None
    wire.wait(0.1)
    assert wire.session.over(wire.now) == (4004, "No data received in 30s.")
    wire.say("ping")
    assert wire.session.over(wire.now) is None


def test_a_connection_with_traffic_needs_no_ping(okx: Wire) -> None:
    subscribe(okx, "BTC-USDT", "tickers")
    okx.pass_time(60 * MINUTE, step=6000)
    assert okx.real == pytest.approx(61)
    assert okx.session.over(okx.now) is None


def test_a_venue_that_pings_wants_a_pong_in_time(binance: Wire) -> None:
    for _ in range(4):
        binance.wait(20.0)
        (ping,) = binance.due()
        assert isinstance(ping, Ping)
    assert binance.session.over(binance.now) == Close(1008, "Pong timeout")
    binance.session.touched(binance.now, pong=True)
    assert binance.session.over(binance.now) is None


def test_a_pong_that_nobody_asked_for_does_not_count(binance: Wire) -> None:
    binance.session.touched(binance.now, pong=True)
    binance.wait(20.0)
    binance.due()
    binance.wait(60.0)
    assert binance.session.over(binance.now) == Close(1008, "Pong timeout")


def test_a_connection_lives_for_a_day(binance: Wire) -> None:
    binance.wait(86_399.0)
    assert binance.session.over(binance.now) is None
    binance.wait(1.0)
    assert binance.session.over(binance.now) is not None


def test_a_client_may_say_five_things_a_second(binance: Wire) -> None:
    for _ in range(10):
        for _ in range(5):
            binance.say({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        assert binance.session.over(binance.now) is None
        binance.wait(1.0)
    for _ in range(5):
        binance.session.touched(binance.now)
    binance.session.touched(binance.now)
    assert binance.session.over(binance.now) == Close(1008, "Too many requests")


def test_trades_come_before_whatever_tells_of_them() -> None:
    wire = Wire(opened("okx"), "/ws/v5/public")
    subscribe(wire, "BTC-USDT", "tickers")
    subscribe(wire, "BTC-USDT")
    channels = [json.loads(str(frame))["arg"]["channel"] for frame in wire.due()]
    assert channels == ["trades", "tickers"]


def test_a_session_says_for_how_long_it_can_be_left_alone(okx: Wire) -> None:
    tape = okx.board.tape("BTC-USDT", okx.ms)
    following = int(tape.slice(tape.through(okx.ms), tape.through(okx.ms) + 1).times[0])
    assert okx.session.rest(okx.now, speed=60.0) == pytest.approx((following - okx.ms) / 60_000)
    assert okx.session.rest(okx.now, speed=0.0) == float("inf")
    okx.strike(FaultKind.GARBAGE)
    assert okx.session.rest(okx.now, speed=0.0) == 0
    assert Wire(opened("okx"), "/ws/v5/public").session.rest(okx.now, speed=60.0) == float("inf")


def test_a_disconnect_ends_the_connection_at_once(okx: Wire) -> None:
    okx.strike(FaultKind.DISCONNECT)
    assert okx.session.over(okx.now) == Close(1001)


def test_a_notice_ends_the_connection_when_it_said(okx: Wire) -> None:
    okx.strike(FaultKind.NOTICE, seconds=2.0)
    assert len(okx.due()) == 1
    okx.wait(1.9)
    assert okx.session.over(okx.now) is None
    okx.wait(0.2)
    assert okx.session.over(okx.now) == Close(1001)


def test_skipped_trades_are_missing_from_the_websocket_alone(okx: Wire) -> None:
    known = okx.board.tape("BTC-USDT", okx.ms).through(okx.ms)
    okx.strike(FaultKind.SKIP, count=4)
    told = ids(okx)
    tape = okx.board.tape("BTC-USDT", okx.ms)
    assert told == tape.slice(known + 4, tape.through(okx.ms)).ids.tolist()


def test_a_fault_of_one_instrument_leaves_the_others_alone(okx: Wire) -> None:
    subscribe(okx, "ETH-USDT")
    okx.due()
    okx.strike(FaultKind.DUPLICATE, count=3, instrument="ETH-USDT")
    assert {json.loads(str(frame))["arg"]["instId"] for frame in okx.due()} == {"ETH-USDT"}


def test_in_silence_nothing_is_said_and_nothing_is_heard(okx: Wire) -> None:
    okx.strike(FaultKind.SILENCE, seconds=1.0)
    assert okx.session.silent(okx.now)
    assert okx.pass_time(59_000, step=1000) == []
    assert subscribe(okx, "ETH-USDT") == []
    assert okx.say("ping") == []
    quiet_until = okx.ms
    told = rows(okx.pass_time(2 * MINUTE), "trades")
    assert len(told) > 10
    assert {row["instId"] for row in told} == {"BTC-USDT"}
    assert min(int(row["ts"]) for row in told) > quiet_until


def test_silence_goes_beyond_the_time_after_which_a_connection_is_idle() -> None:
    wire = Wire(opened("okx"), "/ws/v5/public")
    wire.strike(FaultKind.SILENCE, seconds=100.0)
    wire.wait(99.0)
    assert wire.session.over(wire.now) is None


def test_heartbeats_go_on_when_they_alone_do(okx: Wire) -> None:
    okx.strike(FaultKind.HEARTBEATS_ONLY, seconds=60.0)
    assert okx.pass_time(MINUTE) == []
    assert subscribe(okx, "ETH-USDT") == []
    assert okx.say("ping") == ["pong"]


def test_a_venue_that_pings_goes_on_pinging_when_heartbeats_alone_go_on(binance: Wire) -> None:
    binance.strike(FaultKind.HEARTBEATS_ONLY, seconds=60.0)
    binance.wait(20.0)
    assert [type(frame) for frame in binance.due()] == [Ping]


def test_a_stale_replay_comes_with_every_new_subscription_and_with_no_old_one(okx: Wire) -> None:
    okx.strike(FaultKind.STALE, count=5, seconds=60.0)
    subscribe(okx, "ETH-USDT")
    told = [int(row["tradeId"]) for row in rows([json.loads(str(frame)) for frame in okx.due()], "trades")]
    tape = okx.board.tape("ETH-USDT", okx.ms)
    newest = tape.slice(tape.through(okx.ms) - 1, tape.through(okx.ms)).ids.tolist()
    assert told == [*newest, *tape.slice(0, 5).ids.tolist()]
    assert okx.due() == []


def test_rubbish_is_sent_as_it_is(okx: Wire) -> None:
    okx.strike(FaultKind.GARBAGE)
    okx.strike(FaultKind.BINARY, count=2)
    okx.strike(FaultKind.HUGE, count=3)
    *garbage, one, other, huge = okx.due()
    assert tuple(garbage) == okx.exchange.garbage
    assert one == other == bytes(range(256))
    assert 3 * 1024 < len(str(huge)) < 4 * 1024
    with pytest.raises(json.JSONDecodeError):
        json.loads(str(garbage[0]))


def test_a_connection_that_is_half_open_is_lost(okx: Wire) -> None:
    assert not okx.session.lost
    okx.strike(FaultKind.HALF_OPEN)
    assert okx.session.lost


def test_maintenance_announces_itself_and_closes(okx: Wire) -> None:
    okx.strike(FaultKind.MAINTENANCE, seconds=60.0)
    (notice,) = [json.loads(str(frame)) for frame in okx.due()]
    assert notice["event"] == "notice"
    assert okx.session.over(okx.now) == Close(1001)


def test_what_is_cleared_is_suffered_no_longer(okx: Wire) -> None:
    known = okx.board.tape("BTC-USDT", okx.ms).through(okx.ms)
    okx.strike(FaultKind.SKIP, count=1000)
    okx.strike(FaultKind.NOTICE, seconds=0.1)
    okx.session.clear()
    okx.faults.clear()
    okx.due()
    assert ids(okx)[0] == okx.board.tape("BTC-USDT", START).slice(known, known + 1).ids[0]
    assert okx.session.over(okx.now) is None
