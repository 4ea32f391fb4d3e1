"""How long a trade takes through the producer at two thousand trades a second: from the socket to Kafka's acknowledgement.

    python benchmarks/producer_latency.py [--seconds 60]

Simulated Binance with 200 instruments at the market's own, uneven rhythm, 2,000 trades a second on average; beside them the
best bid and ask of all, the books of some and the venue's minutes. The producer, a real Kafka and the venue share two cores.

Measured twice, and each trade counts: until the producer has heard of the acknowledgement, which it looks for whenever it has
something to do; and until the broker had appended the record, by its own stamps of whole milliseconds.
"""

import argparse
import json
from collections.abc import Iterable
from itertools import chain, repeat
from pathlib import Path
from tempfile import TemporaryDirectory

from producer import ledger
from producer.rig import rig

SHARES = (0.5, 0.99, 0.999)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seconds", type=float, default=60.0)
    seconds = ask.parse_args().seconds
    with TemporaryDirectory() as folder, rig(["--seconds", str(seconds)], flat_out=False) as everything:
        rows = Path(folder) / "rows"
        with everything.producer(["-m", "producer.measured", str(rows)]) as producer:
            told = producer.blast()
            producer.acknowledged(told["trades"], 30.0)
        found = ledger.read(everything.settings)
        print(found.check(told["ids"]))
        begun = told["begun"] * 1e6
        acknowledged = [(trades, us) for received, trades, us in json.loads(rows.read_text()) if received >= begun]
    print(f"{told['trades'] / (told['done'] - told['begun']):,.0f} trades/s for {told['done'] - told['begun']:.0f} s")
    print(f"from the socket to the acknowledgement: {shown(acknowledged)}")
    print(f"from the socket to the broker's log: {shown(zip(found.trades, found.waits(), strict=True))}")


def shown(rows: Iterable[tuple[int, float]]) -> str:
    """Shares of trades, from how many there are and how many microseconds each of them took."""
    times = sorted(chain.from_iterable(repeat(us, trades) for trades, us in rows))
    parts = [f"p{share * 100:g} {times[int(share * (len(times) - 1))] / 1000:.1f} ms" for share in SHARES]
    return f"{', '.join(parts)}, most {times[-1] / 1000:.1f} ms"


if __name__ == "__main__":
    main()
