"""The paper venue's rules, one trade at a time."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.gateway import paper
from schemas import exact, ids
from schemas.market import Trades
from schemas.trading import Order

LINEAR = paper.Terms(Decimal(1), inverse=False, fee_rate=Decimal("0.001"), currency="USDT")
ONE = Decimal(1)


def order(kind: str, side: str, price: str | None = None, amount: str = "2", order_id: str = "t1") -> Order:
    """An open order placed at time 1000."""
    leg = {"market": "entry", "stop": "stop", "limit": "target"}[kind]
    level = None if price is None else Decimal(price)
    names = ("okx", "BTC/USDT", "paper", "rsi-trend", "cause")
    return Order(order_id, 1, *names, leg, side, kind, "open", Decimal(amount), level, Decimal(0), None, None, 1000)


def trades(*rows: tuple[int, int, str], scale: int = 1) -> Trades:
    """A record of (id, time, price)."""
    return Trades(
        "okx", "BTC/USDT", "BTC-USDT", "live", 0, 0, ONE, inverse=False, tick_size=ONE, lot_size=ONE, price_scale=scale,
        ids=tuple(row[0] for row in rows),
        times=tuple(row[1] for row in rows),
        prices=tuple(exact.to_scaled(row[2], scale) for row in rows),
        amounts=(1,) * len(rows),
        taker_buys=(True,) * len(rows),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "side", "level", "prices", "filled"),
    [
        ("stop", "sell", "99", ["100", "99.1", "99.0", "98"], (2, "99")),
        ("stop", "sell", "99", ["100", "97.5"], (1, "97.5")),
        ("stop", "sell", "99", ["99.1"], None),
        ("stop", "buy", "101", ["100.9", "103.2"], (1, "103.2")),
        ("stop", "buy", "101", ["101"], (0, "101")),
        ("limit", "sell", "102", ["101.9", "105"], (1, "102")),
        ("limit", "sell", "102", ["102"], (0, "102")),
        ("limit", "buy", "98", ["98.1", "95"], (1, "98")),
        ("limit", "buy", "98.05", ["98.1", "98.0"], (1, "98.05")),
        ("limit", "buy", "98.05", ["98.1"], None),
        ("stop", "sell", "98.05", ["98.1", "98.0"], (1, "98")),
        ("limit", "sell", "98.05", ["98.0", "98.1"], (1, "98.05")),
        ("limit", "sell", "99999999999999999999", ["98.0"], None),
    ],
)
def test_price_orders(kind: str, side: str, level: str, prices: list[str], filled: tuple[int, str] | None) -> None:
    """A stop fills at the price of the trade that reached it, a limit at its own, however fine the level is."""
    tape = paper.tape(trades(*((at + 1, 0, price) for at, price in enumerate(prices))), 0)
    at, fills = paper.match((paper.rest(order(kind, side, level)),), tape, 0, LINEAR)
    assert (at, [fill.price for fill in fills]) == ((filled[0], [Decimal(filled[1])]) if filled else (len(prices), []))


def test_market_order_waits_for_its_latency() -> None:
    """It fills on the first trade at or after the order's time plus the latency, at that trade's price."""
    resting = paper.rest(order("market", "buy"))
    due = 1000 + paper.latency("t1")
    tape = paper.tape(trades((1, 1000, "90"), (2, due - 1, "91"), (3, due, "92"), (4, due + 1, "93")), 0)
    at, (fill,) = paper.match((resting,), tape, 0, LINEAR)
    assert (at, fill.price, fill.time, fill.trade_id) == (2, Decimal(92), due, 3)
    assert fill.id == ids.fill_id("t1", 3)


def test_market_order_has_an_end() -> None:
    """After `until` no trade fills it, nor one that was told after a trade that came after `until`."""
    tape = paper.tape(trades((1, 2001, "90")), 0)
    assert paper.match((paper.rest(order("market", "buy"), until=2000),), tape, 0, LINEAR) == (1, ())
    assert paper.match((paper.rest(order("market", "buy"), until=2001),), tape, 0, LINEAR)[0] == 0
    tape = paper.tape(trades((1, 2001, "90"), (2, 2000, "90")), 0)
    assert paper.match((paper.rest(order("market", "buy"), until=2000),), tape, 0, LINEAR) == (2, ())


@given(st.text(min_size=1))
def test_latency_is_of_the_id(order_id: str) -> None:
    """Between 5 and 50 ms, and the same every time."""
    assert 5 <= paper.latency(order_id) <= 50
    assert paper.latency(order_id) == paper.latency(order_id)


def test_latencies_differ() -> None:
    """Orders spread over the whole range."""
    assert {paper.latency(f"t{number}") for number in range(2000)} == set(range(5, 51))


def test_one_trade_may_fill_several() -> None:
    """All fills of the earliest trade come together, in the order the orders rest; later ones wait for the next call."""
    resting = tuple(
        paper.rest(order("stop", "sell", price, order_id=name)) for name, price in [("t1", "98"), ("t2", "99"), ("t3", "98.5")]
    )
    tape = paper.tape(trades((1, 0, "100"), (2, 0, "98.2"), (3, 0, "97")), 0)
    at, fills = paper.match(resting, tape, 0, LINEAR)
    assert (at, [fill.client_order_id for fill in fills]) == (1, ["t2", "t3"])
    at, fills = paper.match(resting[:1], tape, at + 1, LINEAR)
    assert (at, [fill.client_order_id for fill in fills]) == (2, ["t1"])


@pytest.mark.parametrize(
    ("after", "arrived", "new"),
    [
        (0, [1, 2, 3], [1, 2, 3]),
        (2, [1, 2, 3], [3]),
        (9, [1, 2, 3], []),
        (0, [5, 3, 6, 6, 4, 7], [5, 6, 7]),
        (4, [], []),
    ],
)
def test_known_trades_are_left_out(after: int, arrived: list[int], new: list[int]) -> None:
    """Only ids above every id before them are new."""
    tape = paper.tape(trades(*((trade_id, trade_id * 10, "1") for trade_id in arrived)), after)
    assert tape.ids.tolist() == new
    assert tape.times.tolist() == [trade_id * 10 for trade_id in new]


@pytest.mark.parametrize(
    ("at", "parts"),
    [
        ([], [[1, 2, 3, 4]]),
        ([10], [[], [1, 2, 3, 4]]),
        ([11, 20], [[1], [2, 4], [3]]),
        ([20, 20, 99], [[1, 2, 4], [], [3], []]),
    ],
)
def test_split(at: list[int], parts: list[list[int]]) -> None:
    """A trade of exactly a time comes after it; within a part the log's order stays."""
    tape = paper.tape(trades((1, 10, "1"), (2, 12, "1"), (3, 20, "1"), (4, 11, "1")), 0)
    assert [part.ids.tolist() for part in paper.split(tape, at)] == parts


@given(
    st.lists(st.integers(1, 2000), max_size=40),
    st.integers(1, 2000),
    st.sampled_from([("stop", "sell"), ("stop", "buy"), ("limit", "sell"), ("limit", "buy")]),
    st.integers(0, 40),
)
def test_columns_equal_a_walk(prices: list[int], level: int, order_kind: tuple[str, str], start: int) -> None:
    """Looking at whole columns finds what walking trade by trade finds."""
    kind, side = order_kind
    falling = order_kind in {("stop", "sell"), ("limit", "buy")}
    walk = (at for at in range(start, len(prices)) if (prices[at] <= level if falling else prices[at] >= level))
    tape = paper.tape(trades(*((at + 1, 0, str(price)) for at, price in enumerate(prices)), scale=0), 0)
    at, fills = paper.match((paper.rest(order(kind, side, str(level))),), tape, start, LINEAR)
    assert (at, len(fills)) == (next(walk, len(prices)), int(at < len(prices)))


@pytest.mark.parametrize(
    ("inverse", "contract_size", "price", "worth"),
    [
        (False, "1", "64123.45", "128246.9"),
        (False, "0.01", "64123.45", "1282.469"),
        (False, "0.0000000001", "0.0000000007", "0.00000000000000000014"),
        (True, "100", "64123.45", "0.003118983773"),
        (True, "100", "3", "66.666666666667"),
    ],
)
def test_notional_is_exact(inverse: bool, contract_size: str, price: str, worth: str) -> None:
    """Linear to the last decimal; inverse to 12 places of the base currency, half-even."""
    terms = paper.Terms(Decimal(contract_size), inverse, Decimal("0.0005"), "X")
    assert paper.notional(Decimal(price), Decimal(2), terms) == Decimal(worth)


@pytest.mark.parametrize(
    ("symbol", "settles"),
    [
        ("BTC/USDT", "USDT"),
        ("BTC/USDT:USDT", "USDT"),
        ("BTC/USD:BTC", "BTC"),
        ("BTC/USD:BTC-241227", "BTC"),
        ("BTC/USD:USDC", "USDC"),
    ],
)
def test_currency_of_fees(symbol: str, settles: str) -> None:
    """Fees are paid in what the market settles in."""
    assert paper.currency(symbol) == settles
