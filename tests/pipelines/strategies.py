"""Random tapes and random ways to deliver them."""

from decimal import Decimal

from hypothesis import strategies as st

from schemas.market import Trades
from tests.pipelines.tape import MINUTE, START, Trade, heartbeat, record


@st.composite
def tapes(draw: st.DrawFn, most: int = 40) -> list[Trade]:
    """Trades with rising ids and times that may be equal, minutes apart or on the very minute."""
    steps = st.one_of(st.integers(0, 3), st.integers(0, 20_000), st.integers(0, 5 * MINUTE), st.sampled_from([MINUTE]))
    numbers = st.decimals("0.0001", 10**9, places=4).map(lambda value: format(value, "f"))
    time, trade_id = START + draw(st.integers(0, MINUTE)), draw(st.integers(1, 10**12))
    trades = []
    for _ in range(draw(st.integers(1, most))):
        trades.append(Trade(trade_id, time, draw(numbers), draw(numbers), draw(st.booleans())))
        time += draw(steps)
        trade_id += draw(st.integers(1, 3))
    return trades


@st.composite
def deliveries(draw: st.DrawFn, trades: list[Trade], size: str = "1", *, inverse: bool = False) -> list[Trades]:
    """The trades cut into records anywhere, in any scale, with duplicates and heartbeats between them."""
    cuts = sorted(draw(st.sets(st.integers(1, len(trades)))) | {len(trades)})
    fields = {"contract_size": Decimal(size), "inverse": inverse, "received": trades[-1].time * 1000}
    records: list[Trades] = []
    begin = 0
    for end in cuts:
        # the feed is complete up to any time that no later trade precedes
        until = trades[end].time if end < len(trades) else trades[-1].time
        watermark = draw(st.integers(trades[begin].time, until))
        again = draw(st.integers(max(0, begin - 3), begin)) if begin else 0
        records.append(record(*trades[again:end], watermark=watermark, places=draw(st.integers(0, 4)), **fields))
        if draw(st.booleans()):
            records.append(heartbeat(until, **fields))
        begin = end
    return [*records, heartbeat(trades[-1].time + 3 * MINUTE, **fields)]
