"""OKX answers requests as it does, and pushes each channel in order, without a socket."""

import json
from itertools import pairwise
from typing import Any

import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.faults import FaultKind
from infra.simulated.listing import LISTINGS
from tests.infra.simulated.wire import START, Wire, opened, rows

MIGRATED = (
    "Wrong URL or channel:candle1m,instId:BTC-USDT doesn't exist. "
    "Please use the correct URL, channel and parameters referring to API document."
)


def connected(address: str = "public", count: int = 8, seed: int = 7) -> Wire:
    return Wire(opened("okx", count, seed), f"/ws/v5/{address}")


def subscribe(wire: Wire, *args: tuple[str, str]) -> list[Any]:
    return wire.say({"op": "subscribe", "args": [{"channel": channel, "instId": name} for channel, name in args]})


def test_each_argument_is_acknowledged_with_the_request_s_id() -> None:
    wire = connected()
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
    (reply,) = connected().say(said)
    assert (reply["event"], reply["code"], reply["connId"]) == ("error", code, "4adc328c")
    assert reply["msg"].startswith(message)


def test_the_business_address_has_candles_and_no_trades() -> None:
    wire = connected("business")
    replies = subscribe(wire, ("candle5m", "BTC-USDT"), ("candle7m", "BTC-USDT"), ("trades", "BTC-USDT"))
    assert [reply.get("code", "ok") for reply in replies] == ["ok", "60018", "60018"]


def test_a_ping_is_answered_with_pong() -> None:
    assert connected().say("ping") == ["pong"]


def test_the_first_trade_pushed_is_the_last_one_there_was_and_then_none_is_missing() -> None:
    wire = connected()
    subscribe(wire, ("trades", "BTC-USDT"))
    ids = [int(row["tradeId"]) for row in rows(wire.pass_time(10 * MINUTE), "trades")]
    tape = wire.board.tape("BTC-USDT", wire.ms)
    known = tape.through(START)
    assert ids == tape.slice(known - 1, tape.through(wire.ms)).ids.tolist()


def test_a_ticker_comes_after_every_trade_up_to_its_time() -> None:
    """Also at times when a burst is on, for each of eight instruments on one connection."""
    wire = connected()
    names = list(wire.board.listings)
    subscribe(wire, *((channel, name) for channel in ("tickers", "trades") for name in names))
    told: dict[str, int] = {}
    tickers = 0
    for message in wire.pass_time(25 * MINUTE, step=900):
        name, row = message["arg"]["instId"], message["data"][0]
        if message["arg"]["channel"] == "tickers":
            told[name] = int(row["ts"])
            tickers += 1
        else:
            assert int(row["ts"]) > told.get(name, 0)
    assert tickers > 1000


def test_a_ticker_s_time_is_the_clock_s_and_advances_in_a_quiet_market_too() -> None:
    """Every 250 ms of real time at least, and no more often than every 50 ms or every 100 ms of the market."""
    wire = connected()
    subscribe(wire, ("tickers", "FLOW-USDT"))
    times = [int(row["ts"]) for row in rows(wire.pass_time(10 * MINUTE, step=300), "tickers")]
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert min(steps) >= 3000
    assert max(steps) <= 15_000
    assert times[-1] <= wire.ms


def test_the_best_bid_and_ask_are_those_of_the_ticker() -> None:
    wire = connected()
    subscribe(wire, ("bbo-tbt", "BTC-USDT"), ("tickers", "BTC-USDT"))
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
    wire = connected("business")
    subscribe(wire, ("candle1m", name))
    pushed = rows(wire.pass_time(12 * MINUTE + 3000), "candle1m")
    closed = [row for row in pushed if row[8] == "1"]
    assert [int(row[0]) for row in closed] == [START + minute * MINUTE for minute in range(12)]
    bars = wire.board.bars(name, START, START + 11 * MINUTE, MINUTE, wire.ms)
    figures = wire.board.figures[name]
    assert [row[1:6] for row in closed] == [
        [*(figures.short_price(ticks) for ticks in bar[1:5]), figures.short_size(bar.lots)] for bar in bars
    ]
    assert all(row[8] == "0" for row in pushed if int(row[0]) > START + 11 * MINUTE)


def test_nothing_is_pushed_while_the_clock_stands() -> None:
    wire = connected()
    subscribe(wire, ("trades", "BTC-USDT"), ("tickers", "BTC-USDT"))
    assert len(wire.due()) == 2
    assert wire.due() == []


def test_what_was_unsubscribed_is_not_pushed_and_others_are() -> None:
    wire = connected()
    subscribe(wire, ("trades", "BTC-USDT"), ("trades", "ETH-USDT"))
    arg = {"channel": "trades", "instId": "BTC-USDT"}
    assert wire.say({"op": "unsubscribe", "args": [arg]}) == [{"event": "unsubscribe", "arg": arg, "connId": "4adc328c"}]
    assert {row["instId"] for row in rows(wire.pass_time(2 * MINUTE), "trades")} == {"ETH-USDT"}


def test_a_second_subscription_is_acknowledged_and_pushes_nothing_twice() -> None:
    wire = connected()
    subscribe(wire, ("trades", "BTC-USDT"))
    wire.pass_time(MINUTE)
    assert [reply["event"] for reply in subscribe(wire, ("trades", "BTC-USDT"))] == ["subscribe"]
    ids = [row["tradeId"] for row in rows(wire.pass_time(MINUTE), "trades")]
    assert len(ids) == len(set(ids))


def test_every_listing_can_be_followed() -> None:
    wire = connected(count=len(LISTINGS))
    replies = subscribe(wire, *(("trades", name) for name in wire.board.listings))
    assert {reply["event"] for reply in replies} == {"subscribe"}
    assert {row["instId"] for row in rows(wire.pass_time(1000), "trades")} == set(wire.board.listings)


@pytest.mark.parametrize("name", ["BTC-USDT", "BTC-USDT-SWAP"])
def test_the_changes_of_a_book_lead_from_state_to_state(name: str) -> None:
    """Each names the one before; what a client has kept is the venue's own book, four hundred levels of it."""
    wire = connected()
    subscribe(wire, ("books", name))
    pushes = rows(wire.pass_time(3 * MINUTE), "books")
    sides: dict[str, dict[str, str]] = {"asks": {}, "bids": {}}
    for before, push in pairwise([{"seqId": -1}, *pushes]):
        assert push["prevSeqId"] == before["seqId"] < push["seqId"]
        assert push["checksum"] == 0
        for side, levels in sides.items():
            levels.update({price: size for price, size, _, _ in push[side]})
            sides[side] = {price: size for price, size in levels.items() if size != "0"}
    view, figures = wire.board.book(name, 400, int(pushes[-1]["ts"])), wire.board.figures[name]
    assert view is not None
    for side, levels in (("asks", view.asks), ("bids", view.bids)):
        assert sides[side] == {figures.short_price(one.price): figures.short_size(one.size) for one in levels}
    assert (len(view.asks), len(view.bids)) == (400, 400)


def test_trades_all_are_the_trades_one_by_one() -> None:
    public, business = connected(), connected("business")
    subscribe(public, ("trades", "BTC-USDT"))
    subscribe(business, ("trades-all", "BTC-USDT"))
    ours, theirs = (rows(wire.pass_time(5 * MINUTE), channel) for wire, channel in ((public, "trades"), (business, "trades-all")))
    assert [row.items() <= other.items() for row, other in zip(theirs, ours, strict=True)] == [True] * len(ours)


def test_instruments_of_a_kind_are_pushed_once_at_first() -> None:
    wire = connected()
    arg = {"channel": "instruments", "instType": "SWAP"}
    assert [reply["event"] for reply in wire.say({"op": "subscribe", "args": [arg]})] == ["subscribe"]
    (push,) = wire.pass_time(30 * MINUTE)
    assert push["arg"] == arg
    assert [row["instId"] for row in push["data"]] == ["BTC-USDT-SWAP", "BTC-USD-SWAP"]


def test_funding_and_open_interest_are_of_derivatives_alone() -> None:
    wire = connected()
    wanted = [("funding-rate", "BTC-USDT-SWAP"), ("open-interest", "BTC-USDT-SWAP"), ("mark-price", "BTC-USDT-SWAP")]
    replies = subscribe(wire, *wanted, ("funding-rate", "BTC-USDT"), ("open-interest", "BTC-USDT"))
    assert [reply["event"] for reply in replies] == ["subscribe"] * 3 + ["error"] * 2
    pushed = wire.pass_time(10 * MINUTE, step=1000)
    counts = [len(rows(pushed, channel)) for channel, _ in wanted]
    assert counts[0] == 10
    assert 150 <= counts[1] <= 200
    assert 150 <= counts[2] <= 200


def test_more_than_480_requests_an_hour_are_too_many() -> None:
    wire = connected()
    replies = [subscribe(wire, ("tickers", "BTC-USDT"))[0].get("code", "ok") for _ in range(481)]
    assert replies == ["ok"] * 480 + ["60014"]
    wire.wait(3600.0)
    assert subscribe(wire, ("tickers", "BTC-USDT"))[0]["event"] == "subscribe"


def test_a_notice_announces_the_end_of_the_connection() -> None:
    wire = connected()
    wire.strike(FaultKind.NOTICE, seconds=2.0)
    (frame,) = map(json.loads, wire.due())
    assert (frame["event"], frame["code"]) == ("notice", "64008")


def test_maintenance_is_told_to_who_follows_the_status() -> None:
    wire = connected()
    wire.say({"op": "subscribe", "args": [{"channel": "status"}]})
    wire.strike(FaultKind.MAINTENANCE, seconds=60.0)
    status, notice = map(json.loads, wire.due())
    assert (status["arg"]["channel"], status["data"][0]["state"]) == ("status", "ongoing")
    assert int(status["data"][0]["end"]) - int(status["data"][0]["begin"]) == 60_000
    assert notice["code"] == "64008"
