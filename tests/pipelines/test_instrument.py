"""One packed state an instrument: whatever is redelivered, the same bytes or nothing come out."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from pipelines.config import Config
from pipelines.instrument import StateError, step
from schemas import codec
from schemas.market import Candle, DeadLetter, Gap, HistoryCandle, Indicators, Move, Trades
from schemas.signals import Signal
from tests.pipelines.strategies import deliveries, tapes
from tests.pipelines.tape import MINUTE, START, Trade, heartbeat, record, run


def walk(minutes: int, seed: int = 1) -> list[Trade]:
    """A random walk of a trade every ten seconds, long enough for indicators to warm up and rules to speak."""
    rng, price, tape = random.Random(seed), 1000, []
    for at in range(minutes * 6):
        price = max(1, price + rng.randrange(-9, 10))
        tape.append(Trade(at + 1, START + at * 10_000, str(price), str(rng.randrange(1, 50)), rng.random() < 0.5))
    return tape


def batches(tape: list[Trade], size: int) -> list[Trades]:
    """The tape in records of `size` trades; each is received when its last trade is."""
    parts = [tape[at : at + size] for at in range(0, len(tape), size)]
    return [record(*part, received=part[-1].time * 1000) for part in parts]


def said(outputs: list, *kinds: type) -> list[bytes]:
    """Encoded outputs of these kinds, less when they were received: that tells of the batching."""
    return [codec.encode(structs.replace(each, received=0)) for each in outputs if isinstance(each, kinds)]


@given(data=st.data())
def test_a_redelivered_record_gives_nothing_and_an_older_state_gives_the_same_bytes(data):
    """After a crash the state is either ahead of a record, then it is skipped, or behind it, then it says the same again."""
    records = data.draw(deliveries(data.draw(tapes(20))))
    states, spoken = [None], []
    for offset, each in enumerate(records):
        state, outputs = step(states[-1], each, codec.encode(each), offset, Config(), 3)
        states.append(state)
        spoken.append([codec.encode(output) for output in outputs])
    crashed = data.draw(st.integers(0, len(records)))
    state, again = states[crashed], []
    for offset in range(data.draw(st.integers(0, crashed)), len(records)):
        state, outputs = step(state, records[offset], codec.encode(records[offset]), offset, Config(), 3)
        again += [codec.encode(output) for output in outputs]

    assert again == [output for each in spoken[crashed:] for output in each]
    assert state == states[-1]


@pytest.mark.parametrize("size", [1, 7, 20, 500])
def test_candles_indicators_and_signals_do_not_depend_on_the_batching(size):
    """500 minutes in records of any size: equal bytes, and rules have spoken."""
    tape = walk(500)
    _, whole = run(batches(tape, 60))
    _, outputs = run(batches(tape, size))

    last = max(output.open_time for output in outputs if isinstance(output, Candle))
    assert last > START + 480 * MINUTE
    for kind in (Candle, Indicators, Signal):
        ours, theirs = said(outputs, kind), said(whole, kind)
        assert ours[: len(theirs)] == theirs[: len(ours)]
    assert len(said(outputs, Signal)) > 3


def test_outputs_come_in_order_and_the_move_last():
    """Candles, then indicators, then signals, then one move that holds the record and its signals."""
    order = [Candle, Indicators, Signal, DeadLetter, Move]
    for offset, each in enumerate(records := batches(walk(300), 30)):
        _, outputs = run(records[: offset + 1][-1:], state=run(records[:offset])[0] if offset else None, first=offset)
        kinds = [order.index(type(output)) for output in outputs]
        assert kinds == sorted(kinds)
        assert kinds.count(4) == 1
        move = outputs[-1]
        assert (move.offset, move.trades) == (offset, codec.encode(each))
        assert move.signals == tuple(codec.encode(output) for output in outputs if isinstance(output, Signal))


def test_no_output_looks_ahead():
    """Whatever is changed after a record, everything said up to it stays the same."""
    tape = walk(200)
    for cut in (300, 700, 1100):
        changed = [doubled(trade) if at >= cut else trade for at, trade in enumerate(tape)]
        ours = run(batches(tape, 1)[:cut])[1]

        assert run(batches(changed, 1))[1][: len(ours)] == ours


def doubled(trade: Trade) -> Trade:
    """The trade at twice its price."""
    return Trade(trade.id, trade.time, str(int(trade.price) * 2), trade.amount, trade.buy)


class TestMoves:
    """Which records lead to a move."""

    @pytest.mark.parametrize(
        ("then", "moves"),
        [
            (record(Trade(2, START + 1)), 1),
            (heartbeat(START + 30_000), 0),
            (heartbeat(START + MINUTE), 1),
            (heartbeat(START, gap=Gap(1, 3, START, START + 9, "being fetched")), 1),
            (heartbeat(START, gap=Gap(1, 3, START, START + 9, "being fetched", open=False)), 1),
            (record(Trade(1, START)), 0),
            (heartbeat(START - 5 * MINUTE), 0),
        ],
    )
    def test_a_move_follows_trades_that_count_gaps_and_minutes_that_close(self, then, moves):
        """A heartbeat within a minute and known trades move nothing."""
        _, outputs = run([record(Trade(1, START)), then])

        assert len([output for output in outputs if isinstance(output, Move)]) == 1 + moves

    def test_a_move_holds_only_trades_that_count(self):
        """Who matches orders against a move must not meet a trade twice."""
        _, outputs = run([record(Trade(1, START)), record(Trade(1, START), Trade(2, START + 1))])

        assert codec.decode_as(Trades, outputs[-1].trades) == record(Trade(2, START + 1))

    def test_history_warms_up_and_moves_nothing(self):
        """500 venue minutes warm one minute and five; no signal comes of them, and no move."""
        prices = [record(trade).prices[0] for trade in walk(500)[::6]]
        told = tuple(
            HistoryCandle(START + at * MINUTE, *[type(ONE)(price)] * 4, ONE, ONE) for at, price in enumerate(prices)
        )  # fmt: skip
        end = START + 500 * MINUTE
        _, outputs = run(
            [heartbeat(0, kind="history", history=told), record(Trade(1, end), watermark=end + MINUTE, received=end * 1000)]
        )

        assert not [output for output in outputs[:-10] if isinstance(output, Move | Signal)]
        first = next(output for output in outputs if isinstance(output, Indicators) and output.open_time == end)
        assert first.warm


class TestDeadLetters:
    """What cannot be used is kept, with its place and reason."""

    def test_a_late_trade_is_kept_as_a_record_of_its_own(self):
        """It can be decoded, and says why."""
        late = record(Trade(1, START), Trade(2, START + MINUTE), watermark=START + MINUTE)
        _, outputs = run([heartbeat(START + MINUTE), late])
        (letter,) = [output for output in outputs if isinstance(output, DeadLetter)]

        assert (letter.source, letter.partition, letter.offset) == ("market.trades", 3, 1)
        assert letter.reason.startswith("late")
        assert codec.decode_as(Trades, letter.payload).ids == (1,)
        assert codec.decode_as(Trades, outputs[-1].trades).ids == (2,)

    def test_a_record_that_makes_no_sense_changes_nothing(self):
        """Its bytes are kept whole, and the next record is folded as if it had not been."""
        broken = structs.replace(record(Trade(2, START)), ids=(2, 3))
        good = [record(Trade(1, START)), record(Trade(2, START + MINUTE))]
        _, outputs = run([good[0], broken, good[1]])
        (letter,) = [output for output in outputs if isinstance(output, DeadLetter)]

        assert letter.payload == codec.encode(broken)
        assert [output for output in outputs if isinstance(output, Candle)] == [
            output for output in run(good)[1] if isinstance(output, Candle)
        ]


@pytest.mark.parametrize("state", [b"", b"\xc1", b"\x94\x02\x00\x00\x00"])
def test_state_that_cannot_be_read_stops_the_pipeline(state):
    """Going on from nothing would silently start every indicator afresh."""
    with pytest.raises(StateError):
        step(state, heartbeat(START), b"", 0, Config())


ONE = heartbeat(0).contract_size
