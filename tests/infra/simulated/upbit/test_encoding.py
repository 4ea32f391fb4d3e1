"""An id is a time and a counter, and leads back to its trade; figures keep all their digits."""

import json
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.simulated.tape import Tape, Trades
from infra.simulated.upbit.encoding import body, position, sequential_id, sequential_ids, written


def tape_of(times: list[int]) -> Tape:
    tape, count = Tape(), len(times)
    ones = np.ones(count, dtype=np.int64)
    tape.append(Trades(np.arange(100, 100 + count, dtype=np.int64), np.array(times, dtype=np.int64), ones, ones, ones))
    return tape


def test_trades_of_a_millisecond_are_counted() -> None:
    tape = tape_of([5, 5, 5, 7, 9, 9])
    ids = [50_000, 50_001, 50_002, 70_000, 90_000, 90_001]
    assert sequential_ids(tape, tape.slice(0, 6)) == ids
    assert sequential_ids(tape, tape.slice(2, 5)) == ids[2:5]
    assert [sequential_id(tape, one) for one in range(100, 106)] == ids


@given(st.lists(st.integers(1, 30), min_size=1, max_size=40).map(sorted))
def test_an_id_leads_back_to_the_place_of_its_trade(times: list[int]) -> None:
    tape = tape_of(times)
    ids = sequential_ids(tape, tape.slice(0, len(times)))
    assert ids == sorted(set(ids))
    assert [position(tape, one) for one in ids] == list(range(len(times)))
    assert position(tape, ids[-1] + 1) == len(times)


@pytest.mark.parametrize("figure", ["0.00000062", "98765432.10000001", "142000000", "123456789012.12345678"])
def test_a_figure_is_a_number_with_all_its_digits(figure: str) -> None:
    assert json.loads(body({"n": Decimal(figure)}), parse_float=Decimal)["n"] == Decimal(figure)


def test_dates_have_another_short_name_in_tickers_than_in_trades() -> None:
    row = {"trade_date": "20260105", "type": "ticker"}
    assert json.loads(written(row, "SIMPLE")) == {"tdt": "20260105", "ty": "ticker"}
    assert json.loads(written(row | {"type": "trade"}, "SIMPLE_LIST")) == [{"td": "20260105", "ty": "trade"}]
