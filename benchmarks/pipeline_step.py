"""What the pipeline's step costs a trade, on records of 1, 20 and 500 trades, against the least that one could do per trade.

    python benchmarks/pipeline_step.py

Three things are timed on the same trades in the same run, the best of several rounds each:

- `step`: everything between the decoded record and its outputs: exact candles of four timeframes, indicators, signals, the packed
  state unpacked and packed again for every record. Decoding (Avro) is timed apart; encoding of outputs is left out.
- `dict`: one Python dictionary a minute with sums of integers, a loop over trades, nothing else.
- `columns`: sums over one record's columns by the built-in functions, as the pipeline does it, and by numpy with the arrays made
  from the tuples that the codec delivers.
"""

import random
import time
from collections.abc import Callable
from decimal import Decimal
from itertools import compress
from operator import mul

import numpy as np

from pipelines.config import Config
from pipelines.instrument import step
from schemas import codec
from schemas.market import Trades

TRADES_A_MINUTE = 3_000
ROUNDS = 5
SIZES = {1: 30_000, 20: 100_000, 500: 500_000}


def records(size: int, count: int) -> list[Trades]:
    """`count` trades of a random walk in records of `size`, fifty trades a second."""
    rng, price, made = random.Random(1), 6_000_000, []
    for first in range(1, count + 1, size):
        ids = tuple(range(first, first + size))
        prices = []
        for _ in ids:
            price = max(1, price + rng.randrange(-50, 51))
            prices.append(price)
        times = tuple(1_700_000_400_000 + each * 60_000 // TRADES_A_MINUTE for each in ids)
        made.append(
            Trades(
                venue="okx",
                symbol="BTC/USDT",
                market_id="BTC-USDT",
                kind="live",
                received=times[-1] * 1000,
                watermark=times[-1],
                contract_size=Decimal(1),
                inverse=False,
                tick_size=Decimal("0.01"),
                lot_size=Decimal("0.00000001"),
                price_scale=2,
                amount_scale=8,
                ids=ids,
                times=times,
                prices=tuple(prices),
                amounts=tuple(rng.randrange(1, 10**9) for _ in ids),
                taker_buys=tuple(rng.random() < 0.5 for _ in ids),
            )
        )
    return made


def by_step(tape: list[Trades], raws: list[bytes]) -> None:
    state, config = None, Config()
    for offset, (record, raw) in enumerate(zip(tape, raws, strict=True)):
        state, _ = step(state, record, raw, offset, config)


def by_dict(tape: list[Trades]) -> None:
    candles: dict[int, list[float]] = {}
    for record in tape:
        for at, price, amount, buy in zip(record.times, record.prices, record.amounts, record.taker_buys, strict=True):
            candle = candles.get(at // 60_000)
            if candle is None:
                candles[at // 60_000] = [price, price, price, price, amount, amount if buy else 0, price * amount, 1]
                continue
            candle[1] = max(candle[1], price)
            candle[2] = min(candle[2], price)
            candle[3] = price
            candle[4] += amount
            candle[5] += amount if buy else 0
            candle[6] += price * amount
            candle[7] += 1


def by_builtins(tape: list[Trades]) -> None:
    for record in tape:
        max(record.prices), min(record.prices), sum(record.amounts)
        sum(map(mul, record.prices, record.amounts)), sum(compress(record.amounts, record.taker_buys))


def by_numpy(tape: list[Trades]) -> None:
    for record in tape:
        prices, amounts = np.array(record.prices), np.array(record.amounts)
        int(prices.max()), int(prices.min()), int(amounts.sum())
        int((prices * amounts).sum()), int(amounts[np.array(record.taker_buys)].sum())


def rate(work: Callable[[], object], trades: int) -> float:
    """Trades a second in the best of the rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begun)
    return trades / best


def main() -> None:
    for size, count in SIZES.items():
        tape = records(size, count)
        raws = [codec.encode(record) for record in tape]
        ours, plain = rate(lambda: by_step(tape, raws), count), rate(lambda: by_dict(tape), count)  # noqa: B023 - called here
        decoding = rate(lambda: [codec.decode(raw) for raw in raws], count)  # noqa: B023 - called here
        builtins, arrays = rate(lambda: by_builtins(tape), count), rate(lambda: by_numpy(tape), count)  # noqa: B023
        print(
            f"{size:>4} trades a record: step {ours:>10,.0f}/s, dict {plain:>10,.0f}/s, step/dict {ours / plain:.2f}; "
            f"decoding {decoding:>10,.0f}/s; columns: built-in/numpy {builtins / arrays:.2f}"
        )


if __name__ == "__main__":
    main()
