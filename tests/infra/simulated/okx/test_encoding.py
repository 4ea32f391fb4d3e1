"""Volumes are in the units OKX counts in, and a trade says the same on the websocket and over REST."""

import json

import numpy as np
import pytest

from infra.simulated.bars import Bar
from infra.simulated.figures import Figures
from infra.simulated.listing import LISTINGS, Listing
from infra.simulated.okx.encoding import candle_row, trade_frames, trade_rows, volumes
from infra.simulated.tape import Trades

SPOT, LINEAR, INVERSE = LISTINGS[0], LISTINGS[3], LISTINGS[4]


@pytest.mark.parametrize(
    ("listing", "bar", "written"),
    [
        # Two spot trades: 0.5 at 97000.0 and 0.25 at 96000.0 are 0.75 BTC for 72500 USDT.
        (SPOT, Bar(0, 1, 1, 1, 1, 75_000_000, 970_000 * 50_000_000 + 960_000 * 25_000_000, 0.0), ("0.75", "72500", "72500")),
        # 1.5 contracts of 0.01 BTC at 97000.0 are 0.015 BTC for 1455 USDT.
        (LINEAR, Bar(0, 1, 1, 1, 1, 150, 970_000 * 150, 0.0), ("1.5", "0.015", "1455")),
        # 628 contracts of 100 USD at 24324.0 are 2.5818 BTC, rounded to four places.
        (INVERSE, Bar(0, 1, 1, 1, 1, 628, 243_240 * 628, 628 / 243_240), ("628", "2.5818", "62800")),
    ],
)
def test_volumes_are_in_contracts_base_and_quote(listing: Listing, bar: Bar, written: tuple[str, str, str]) -> None:
    assert volumes(Figures(listing), bar) == written
    assert candle_row(Figures(listing), bar, closed=True)[5:] == [*written, "1"]


def test_a_trade_is_the_same_in_a_frame_and_in_a_row() -> None:
    """The frame says more; what both say is equal, and rows are newest first."""
    columns = ([11, 12], [1_767_571_200_000, 1_767_571_200_001], [970_001, 969_999], [120_000, 1], [1, 0])
    trades = Trades(*(np.array(column, dtype=np.int64) for column in columns))
    frames = [json.loads(frame) for frame in trade_frames(Figures(SPOT), trades)]
    assert frames[0] == {
        "arg": {"channel": "trades", "instId": "BTC-USDT"},
        "data": [
            {
                "instId": "BTC-USDT",
                "tradeId": "11",
                "px": "97000.1",
                "sz": "0.0012",
                "side": "buy",
                "ts": "1767571200000",
                "count": "1",
                "source": "0",
                "seqId": 33,
            }
        ],
    }
    rows = trade_rows(Figures(SPOT), trades)
    assert [row["tradeId"] for row in rows] == ["12", "11"]
    assert all(frame["data"][0].items() >= row.items() for frame, row in zip(frames, rows[::-1], strict=True))
