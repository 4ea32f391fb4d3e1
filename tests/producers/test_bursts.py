"""Trades as columns: a run is what the same trades are one by one."""

from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.bursts import Bursting, Run, whole
from producers.continuity import Position, Stream
from producers.dialect import FrameError, Trade
from producers.dialects.binance import Binance
from producers.lines import lines
from producers.session import Session
from producers.tally import Tally
from schemas import codec
from schemas.market import Trades
from tests.producers.dialects.binance_samples import BTC

START = 1_767_571_200_000
RECEIVED = START * 1000
LAST = Trade(99, 99, START, Decimal(1), Decimal(1), taker_buy=True)
BINANCE = Binance()
ONE_BY_ONE = SimpleNamespace(**{name: getattr(BINANCE, name) for name in dir(BINANCE) if name[0] != "_" and name != "burst"})


def run(*trades: tuple[int, str, str]) -> Run:
    """Trades of an id, a price and an amount."""
    ids, prices, amounts = zip(*trades, strict=True)
    times, buys = [START + one for one in ids], [one % 2 == 0 for one in ids]
    return Run(list(ids), times, *whole(prices), *whole(amounts), buys, [1] * len(ids), START)


@pytest.mark.parametrize(
    ("texts", "values", "places"),
    [
        (["1.50"], [150], 2),
        (["0.00000001", "12.30000000"], [1, 1_230_000_000], 8),
        (["0.00000000000000001"], [1], 17),
        (["9999999999999999.99"], [999_999_999_999_999_999], 2),
    ],
)
def test_decimals_of_one_kind_are_integers_at_once(texts, values, places):
    """As many places as each of them has."""
    assert whole(texts) == (values, places)


@pytest.mark.parametrize(
    "texts",
    [
        ["1"],
        ["1.5", "1.50"],
        ["1.5", "15"],
        ["1."],
        [".5"],
        ["1.5,2.5"],
        ["1.5", "-1.5"],
        ["1.5", "1e5.0"],
        ["1_0.5"],
        [" 1.5"],
        ["1.5\n"],
        ["\u0661.5"],
        ["0.0", "1.5"],
        ["NaN"],
        ["1.5.5"],
        ["99999999999999999.99"],
        ["0.000000000000000001"],
        ["1.5", ""],
        [""],
    ],
)
def test_whatever_is_not_plain_is_left_to_whoever_looks_closer(texts):
    """Of another number of places, with signs or exponents, zero, or of more digits than always fit."""
    with pytest.raises(FrameError):
        whole(texts)


def test_a_run_is_a_sequence_of_its_trades():
    """Each is made when it is looked at; a part of a run is a run."""
    found = run((1, "1.50", "0.1000"), (2, "2.25", "3.0000"), (4, "9.00", "1.2500"))
    trades = [
        Trade(1, 1, START + 1, Decimal("1.5"), Decimal("0.1"), taker_buy=False),
        Trade(2, 2, START + 2, Decimal("2.25"), Decimal(3), taker_buy=True),
        Trade(4, 4, START + 4, Decimal(9), Decimal("1.25"), taker_buy=True),
    ]
    assert len(found) == 3
    assert [*found] == trades
    assert found[-1] == trades[-1]
    assert isinstance(found[1:], Run)
    assert [*found[1:]] == trades[1:]


def test_a_run_knows_whether_it_comes_next():
    """Ids one by one, from the one after the last known."""
    found = run((5, "1.0", "1.0"), (6, "1.0", "1.0"))
    assert found.continues(4)
    assert not found.continues(3)
    assert not run((5, "1.0", "1.0"), (7, "1.0", "1.0")).continues(4)


def test_only_the_dialect_that_has_bursts_says_so():
    """Others are asked message by message."""
    assert isinstance(BINANCE, Bursting)
    assert not isinstance(ONE_BY_ONE, Bursting)


def frame(number: int, **different: object) -> bytes:
    """An aggregate as Binance tells it; `different` are JSON texts."""
    facts: dict[str, object] = {
        "e": '"aggTrade"',
        "E": START + number,
        "s": '"BTCUSDT"',
        "a": number,
        "p": f'"{90_000 + number}.25000000"',
        "q": f'"0.{number:05}000"',
        "f": 3 * number,
        "l": 3 * number + number % 3,
        "T": START + number,
        "m": "true" if number % 2 else "false",
        "M": "true",
        **different,
    }
    return b'{"stream":"btcusdt@aggTrade","data":{%s}}' % ",".join(f'"{key}":{value}' for key, value in facts.items()).encode()


ODD = st.sampled_from(
    [
        {"p": '"0.00000000"'},
        {"p": '"90000.256"'},
        {"q": '"1"'},
        {"q": '"0.00000001"'},
        {"p": '"90000.25000001"'},
        {"p": '"NaN"'},
        {"q": '"123456789012.12345678"'},
        {"f": 9_000_000_000},
        {"T": 0},
        {"T": START + 7_200_000_000},
        {"T": START - 7_200_000},
        {"a": -5},
        {"s": '"ETHUSDT"'},
        {"m": "null"},
        {"e": '"trade"'},
    ]
)
QUOTE = b'{"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT","b":"1.0","B":"2.0","a":"1.1","A":"3.0"}}'
FRAMES = st.one_of(
    st.integers(100, 140).map(frame),
    st.builds(lambda number, different: frame(number, **different), st.integers(100, 140), ODD),
    st.sampled_from([QUOTE, b"{", frame(101)[:-7], b'{"result":null,"id":7}']),
)
BURSTS = st.lists(
    st.one_of(
        st.lists(FRAMES, min_size=1, max_size=12),
        st.tuples(st.integers(98, 140), st.integers(1, 40)).map(lambda at: [frame(one) for one in range(at[0], sum(at))]),
    ),
    min_size=1,
    max_size=6,
)


@given(BURSTS)
def test_a_session_makes_the_same_of_bursts_as_of_single_frames(bursts):
    """Whatever is in them: bytes of records, dead letters, requests to REST and counts are equal."""
    told = []
    for dialect in (BINANCE, ONE_BY_ONE):
        made = []
        told.append(made)
        (line,), tally = lines(dialect, [BTC]), Tally()
        position = Position(LAST, START)
        session = Session(
            dialect,
            line,
            {"BTCUSDT": Stream(BTC, dialect.ids(BTC), 1000, "live", position, tally.counts, 0.0)},
            "binance#0",
            tally,
        )
        session.connected(1, START, RECEIVED, 0.0)
        session.frames(1, [b'{"result":null,"id":1}'], RECEIVED, 0.0)
        for at, burst in enumerate(bursts):
            todo = session.frames(1, burst, RECEIVED + at, float(at))
            made.extend(map(codec.encode, todo.records))
            made.extend(todo.wanted)
        made.append(tally.line())
        made.append(tally.messages)
    assert told[0] == told[1]


def test_plain_trades_are_taken_together():
    """A burst of nothing else leaves nothing to be parsed one by one, and becomes one record."""
    runs, rest = BINANCE.burst([frame(number) for number in range(100, 110)])
    assert not rest
    assert [*runs] == ["BTCUSDT"]
    parsed = [trade for number in range(100, 110) for pushed in BINANCE.parse(frame(number)) for trade in pushed.trades]
    assert [*runs["BTCUSDT"]] == parsed
    assert runs["BTCUSDT"].event_time == START + 109


def test_a_run_of_many_trades_is_cut_into_records():
    """As any sequence of trades is."""
    stream = Stream(BTC, BINANCE.ids(BTC), 1000, "live", Position(LAST, START), Tally().counts, 0.0)
    stream.joined(START, RECEIVED, 0.0)
    first = stream.arrived([LAST, *BINANCE.burst([frame(100)])[0]["BTCUSDT"]], RECEIVED, START, 0.5)
    assert first.records
    runs, _ = BINANCE.burst([frame(number) for number in range(101, 1_301)])
    records = stream.arrived(runs["BTCUSDT"], RECEIVED, START, 1.0).records
    assert [len(record.ids) for record in records if isinstance(record, Trades)] == [500, 500, 200]
    assert [one for record in records if isinstance(record, Trades) for one in record.ids] == [*range(101, 1_301)]
