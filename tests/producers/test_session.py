"""A connection without a socket: frames in, actions out."""

import json

import pytest

from producers.continuity import Counts, Position, Repair, Repaired, State, Stream
from producers.dialect import Trade
from producers.dialects.okx import Okx
from producers.session import ACKNOWLEDGE_S, PENDING_TRADES, Probe, Publish, Reconnect, Send, Session
from schemas import exact
from schemas.market import DeadLetter, Quote, Trades
from tests.producers.tape import BTC, MINUTE, START, answer, ids, trade, trades

RECEIVED = (START + 600 * MINUTE) * 1000
OKX = Okx()


def _trade_frame(*told: Trade) -> str:
    rows = [
        {
            "instId": "BTC-USDT",
            "tradeId": str(one.id),
            "px": exact.plain(one.price),
            "sz": exact.plain(one.amount),
            "side": "buy" if one.taker_buy else "sell",
            "ts": str(one.time),
        }
        for one in told
    ]
    return json.dumps({"arg": {"channel": "trades", "instId": "BTC-USDT"}, "data": rows})


def _ticker_frame(time: int, last: Trade, bid: str = "99.9") -> str:
    prices = {"bidPx": bid, "bidSz": "1", "askPx": "100.1", "askSz": "2"}
    told = {"last": exact.plain(last.price), "lastSz": exact.plain(last.amount), "ts": str(time)}
    row = {"instId": "BTC-USDT", **prices, **told}
    return json.dumps({"arg": {"channel": "tickers", "instId": "BTC-USDT"}, "data": [row]})


ACK = '{"event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT"},"connId":"1"}'


def _session(position: Position | None = None) -> Session:
    counts = Counts()
    return Session(OKX, {"BTC-USDT": Stream(BTC, "live", position, counts, 0.0)}, "okx#0", counts)


def _live(last: int = 3) -> Session:
    session = _session(Position(trade(last), trade(last).time))
    session.connected(START, 0.0)
    session.frame(ACK, RECEIVED, 0.0)
    session.flush(0.0)
    session.repaired("BTC-USDT", Repaired(trade(last).time), RECEIVED)
    assert session.streams["BTC-USDT"].state is State.LIVE
    return session


def _records(actions, kind=Trades):
    return [action.record for action in actions if isinstance(action, Publish) and isinstance(action.record, kind)]


def test_a_connection_begins_with_the_subscriptions_and_a_repair_follows_each_acknowledgement():
    session = _session(Position(trade(3), trade(3).time))
    (send,) = session.connected(START, 0.0)
    assert isinstance(send, Send)
    assert [arg["channel"] for arg in json.loads(send.text)["args"]] == ["trades", "tickers"]
    session.frame(ACK.replace('"trades"', '"tickers"'), RECEIVED, 0.1)
    assert session.flush(0.1) == []
    session.frame(ACK, RECEIVED, 0.2)
    assert session.flush(0.2) == [Repair("BTC-USDT", 3, None, trade(3).time)]


def test_frames_read_together_are_one_record_and_one_quote():
    session = _live()
    session.frame(_trade_frame(trade(4)), RECEIVED, 1.0)
    session.frame(_ticker_frame(trade(4).time, trade(4), bid="99.7"), RECEIVED + 1, 1.0)
    session.frame(_trade_frame(trade(5), trade(6)), RECEIVED + 2, 1.0)
    session.frame(_ticker_frame(trade(6).time, trade(6), bid="99.8"), RECEIVED + 3, 1.0)
    actions = session.flush(1.0)
    assert ids(_records(actions)) == [4, 5, 6]
    assert len(_records(actions)) == 1
    assert [(exact.plain(quote.bid), quote.time, quote.received) for quote in _records(actions, Quote)] == [
        ("99.8", trade(6).time, RECEIVED + 3)
    ]
    assert session.flush(1.1) == []


def test_a_quiet_market_s_minute_ends_with_the_ticker_that_passes_it():
    session = _live(59)
    session.frame(_ticker_frame(START + MINUTE + OKX.margin_ms, trade(59)), RECEIVED, 1.0)
    (heartbeat,) = _records(session.flush(1.0))
    assert (heartbeat.ids, heartbeat.watermark) == ((), START + MINUTE)


BURIED = {
    "no frame": ("{", "not a frame of OKX"),
    "bytes that are no text": (b"\xff\x00", "codec can't decode"),
    "an instrument that nobody subscribed to": (_trade_frame(trade(4)).replace("BTC-USDT", "X-Y"), "not subscribed to 'X-Y'"),
    "a time in the future": (_trade_frame(trade(4, time=RECEIVED // 1000 + 3_600_001)), "is in the future"),
    "ids that began again": (_trade_frame(trade(2, time=trade(3).time + 60_001)), "trade 2 is later than trade 3"),
}


@pytest.mark.parametrize("case", BURIED)
def test_what_cannot_be_used_is_buried_with_its_bytes_and_the_feed_goes_on(case):
    data, reason = BURIED[case]
    session = _live()
    session.frame(data, RECEIVED, 1.0)
    session.frame(_trade_frame(trade(4)), RECEIVED, 1.0)
    actions = session.flush(1.0)
    (letter,) = _records(actions, DeadLetter)
    assert reason in letter.reason
    assert (letter.source, letter.received) == ("okx#0", RECEIVED)
    assert letter.payload == (data if isinstance(data, bytes) else data.encode())
    assert ids(_records(actions)) == [4]


ENDINGS = {
    "a refusal": ('{"event":"error","code":"60012","msg":"Illegal request"}', Reconnect("refused", "60012 Illegal request")),
    "a service upgrade": ('{"event":"notice","code":"64008","msg":"soon"}', Reconnect("announced", "soon")),
}


@pytest.mark.parametrize("case", ENDINGS)
def test_the_connection_is_made_anew_after(case):
    text, reconnect = ENDINGS[case]
    session = _live()
    session.frame(text, RECEIVED, 1.0)
    assert session.flush(1.0) == [reconnect]


def test_a_silent_connection_is_pinged_and_then_given_up():
    session = _live()
    session.frame("pong", RECEIVED, 1.0)
    session.streams["BTC-USDT"].silence.confirmed(1.0)
    assert session.tick(1.0 + OKX.keepalive_s) == []
    pings = [action for action in session.tick(1.1 + OKX.keepalive_s) if isinstance(action, Send)]
    assert pings == [Send("ping")]
    assert Send("ping") not in session.tick(2.0 + OKX.keepalive_s)
    assert session.tick(1.1 + 2 * OKX.keepalive_s) == [Reconnect("silent connection")]


def test_a_subscription_that_is_not_acknowledged_ends_the_connection():
    session = _session()
    session.connected(START, 0.0)
    assert session.tick(ACKNOWLEDGE_S) == []
    assert session.tick(ACKNOWLEDGE_S + 0.1) == [Reconnect("subscription not acknowledged")]


def test_a_quiet_stream_is_asked_about_though_tickers_and_pongs_arrive():
    session = _live()
    for second in range(1, 31):
        session.frame(_ticker_frame(trade(3).time + second * 1000, trade(3)), RECEIVED, float(second))
        session.frame("pong", RECEIVED, float(second))
        session.flush(float(second))
        assert session.tick(float(second)) == []
    assert session.tick(30.5) == [Probe("BTC-USDT")]
    assert session.tick(31.0) == []


def test_the_same_newest_trade_moves_the_watermark_to_the_venue_s_time_before_the_question():
    session = _live()
    assert Probe("BTC-USDT") in session.tick(30.5)
    (heartbeat,) = _records(session.probed("BTC-USDT", 3, START + 40_000, RECEIVED, 30.6))
    assert heartbeat.watermark == START + 40_000 - OKX.margin_ms


def test_a_newer_trade_is_fetched_and_subscribed_to_anew_and_the_second_time_the_connection_goes():
    session = _live()
    session.tick(30.5)
    repair, *sends = session.probed("BTC-USDT", 5, START + 40_000, RECEIVED, 30.6)
    assert repair == Repair("BTC-USDT", 3, None, trade(3).time)
    assert [json.loads(send.text)["op"] for send in sends] == ["unsubscribe", "subscribe"]
    session.repaired("BTC-USDT", answer(repair, newest=5), RECEIVED)
    session.tick(61.0)
    assert session.probed("BTC-USDT", 7, START + 80_000, RECEIVED, 61.1) == [Reconnect("silent stream")]


def test_reading_stops_while_too_much_waits_for_a_repair():
    session = _live()
    session.frame(_trade_frame(trade(5)), RECEIVED, 1.0)
    (repair,) = session.flush(1.0)
    assert not session.full
    for first in range(6, PENDING_TRADES + 1006, 1000):
        session.frame(_trade_frame(*trades(first, first + 999)), RECEIVED, 1.0)
    assert session.flush(1.0) == []
    assert session.full
    session.tick(1000.0)
    actions = session.repaired("BTC-USDT", Repaired(repair.since, (trade(4),)), RECEIVED)
    assert ids(_records(actions)) == list(range(4, PENDING_TRADES + 1006))
    assert not session.full


def test_the_counts_read_as_one_line():
    session = _live()
    session.frame(_trade_frame(trade(3), trade(4)), RECEIVED, 1.0)
    session.flush(1.0)
    session.counts.reconnects["announced"] += 2
    assert session.counts.line() == (
        "trades 1, quotes 0, heartbeats 0, duplicates 1, gaps 0, repairs 1, probes 0, dead_letters 0, reconnects: announced 2"
    )
