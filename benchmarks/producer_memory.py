"""Whether the producer's memory stays what it is at two thousand trades a second, with quotes, books and minutes.

    python benchmarks/producer_memory.py [--minutes 10]

Simulated Binance with 200 instruments, as in producer_latency.py. The resident memory of the producer is looked at every five
seconds after a first minute; told is the slope of the line of least squares through what was seen.
"""

import argparse
import statistics
import threading
import time

from producer import ledger
from producer.rig import Running, rig

EVERY_S = 5.0
WARM_S = 60.0


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--minutes", type=float, default=10.0)
    seconds = ask.parse_args().minutes * 60
    with rig(["--seconds", str(WARM_S + seconds), "--live"], flat_out=False) as everything, everything.producer() as producer:
        seen: list[tuple[float, float]] = []
        watch = threading.Thread(target=watched, args=(producer, seen, WARM_S + seconds), daemon=True)
        watch.start()
        told = producer.blast()
        watch.join()
        producer.acknowledged(told["trades"], 30.0)
        print(ledger.read(producer.settings).check(told["ids"]))
        now = producer.metrics()
    minutes, sizes = zip(*seen, strict=True)
    slope = statistics.linear_regression(minutes, sizes).slope
    rate = told["trades"] / (told["done"] - told["begun"])
    print(
        f"{rate:,.0f} trades/s, {now['tapeflow_messages_total']:,.0f} messages in all: {sizes[0]:.1f} MB after the first minute, "
        f"{sizes[-1]:.1f} MB after {minutes[-1]:.1f} minutes, "
        f"at most {max(sizes):.1f} MB, slope {slope:+.3f} MB/min over {len(seen)} looks"
    )


def watched(producer: Running, seen: list[tuple[float, float]], seconds: float) -> None:
    """Note minutes since the beginning and megabytes."""
    begun = time.monotonic()
    time.sleep(WARM_S)
    while (passed := time.monotonic() - begun) < seconds:
        seen.append((passed / 60, producer.process.memory_info().rss / 1024 / 1024))
        time.sleep(EVERY_S)


if __name__ == "__main__":
    main()
