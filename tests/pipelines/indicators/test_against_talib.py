"""Every indicator equals TA-Lib's at every prefix."""

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from pipelines.indicators.ema import Ema
from pipelines.indicators.rsi import Rsi
from pipelines.indicators.sma import Sma

CASES: dict[str, tuple[Callable[[], Rsi | Sma | Ema], Callable[[np.ndarray], np.ndarray]]] = {
    "rsi_14": (lambda: Rsi(14), lambda closes: talib.RSI(closes, 14)),
    "sma_20": (lambda: Sma(20), lambda closes: talib.SMA(closes, 20)),
    "sma_50": (lambda: Sma(50), lambda closes: talib.SMA(closes, 50)),
    "ema_20": (lambda: Ema(20), lambda closes: talib.EMA(closes, 20)),
    "ema_50": (lambda: Ema(50), lambda closes: talib.EMA(closes, 50)),
}
# Prices that move by no less than a cent: TA-Lib calls a market still whose average move is below 1e-14.
series = st.lists(st.integers(1, 10_000_000).map(lambda cents: cents / 100), min_size=2, max_size=160)


@pytest.mark.parametrize("name", CASES)
@given(closes=series)
def test_random_series_agree_at_every_prefix(name, closes):
    """None exactly where TA-Lib has no value; elsewhere within 1e-9 of it."""
    agree(name, closes)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("file", ["ftx_btc-perp_1m_2021-12-31_2022-02-01.csv.gz", "ethbtc_5m_2018-01-10_30.csv.gz"])
def test_real_series_agree_from_the_first_candle_to_the_last(shared: Path, name, file):
    """A month of minutes does not drift away."""
    with gzip.open(shared / "series" / file, "rt") as lines:
        agree(name, [float(row["close"]) for row in csv.DictReader(lines)])


def agree(name: str, closes: list[float]) -> None:
    make, batch = CASES[name]
    indicator = make()
    ours = [indicator.update(close) for close in closes]
    theirs = batch(np.array(closes))

    assert [value is None for value in ours] == list(np.isnan(theirs))
    moved = np.maximum.accumulate(np.abs(np.diff(closes, prepend=closes[0]))) > 0
    ready = [at for at, value in enumerate(ours) if value is not None and (moved[at] or not name.startswith("rsi"))]
    np.testing.assert_allclose([ours[at] for at in ready], theirs[ready], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", CASES)
@given(closes=series)
def test_an_indicator_goes_on_from_its_packed_state(name, closes):
    """Bit for bit what it would have been, wherever it was packed."""
    make, _ = CASES[name]
    one, other = make(), make()
    for close in closes:
        other = msgpack.decode(msgpack.encode(other), type=type(other))
        assert other.update(close) == one.update(close)
