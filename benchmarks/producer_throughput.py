"""How many trades a second one producer brings to Kafka, against how many cryptofeed merely decodes, from the same frames.

    python benchmarks/producer_throughput.py [--trades 5000000]

Simulated Binance with 200 instruments; the real producer process as `tapeflow run producer` starts it (markets, history,
subscriptions, the gaps of a start); a real Kafka; all of them and the venue that tells on the same two cores. Then the venue
tells its trades, an `aggTrade` frame each, as fast as it is read. Counted are trades a second from the first byte until Kafka
has the last record. Afterwards the topic is read: every id has to be there once, in order and without a gap.

cryptofeed decodes the first half million of the same frames before and after, when all else is idle.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from producer import ledger
from producer.rig import Running, rig

SAMPLED = 500_000
ROOT = Path(__file__).parents[1]
RIVAL = Path(__file__).parent / "producer" / "rival.py"


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--trades", type=int, default=5_000_000)
    trades = ask.parse_args().trades
    with TemporaryDirectory() as folder:
        sample = Path(folder) / "frames"
        blast = ["--trades", str(trades), "--sample", str(sample), "--sampled", str(min(trades, SAMPLED))]
        with rig(blast, flat_out=True) as everything:
            before = decoded(sample)
            with everything.producer() as producer:
                ours = brought(producer)
            after = decoded(sample)
            print(f"cryptofeed, one core, decoding only: {before:,.0f} frames/s before, {after:,.0f} frames/s after")
            print(f"ratio {ours / ((before + after) / 2):.2f}")


def decoded(sample: Path) -> float:
    """Frames a second of cryptofeed."""
    own = ROOT / ".venv-bench" / "bin" / "python"
    python = str(own) if own.exists() else sys.executable
    done = subprocess.run([python, RIVAL, str(sample)], check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"cryptofeed does not run: {done.stderr.strip().splitlines()[-1]}; `make bench` installs it")
    return float(done.stdout)


def brought(producer: Running) -> float:
    """Trades a second of ours, when it is certain that each of them is there."""
    before, spent = producer.metrics(), producer.spent()
    told = producer.blast()
    producer.acknowledged(told["trades"], 60.0)
    used, trades = producer.spent(), told["trades"]
    found = ledger.read(producer.settings)
    print(found.check(told["ids"]))
    if producer.metrics()["tapeflow_dead_letters_total"] > before["tapeflow_dead_letters_total"]:
        raise SystemExit("there were frames that were not understood")
    seconds = max(found.appended) / 1000 - told["begun"]
    print(
        f"tapeflow, from the socket to Kafka's log: {trades / seconds:,.0f} frames/s over {seconds:.1f} s, "
        f"{trades / len(found.trades):.1f} trades a record"
    )
    busy = used.thread - spent.thread
    shares = {
        f"the producer's main thread, busy {busy / seconds:.0%} of the time": busy,
        "its other threads": used.producer - spent.producer - busy,
        "the broker": used.broker - spent.broker,
        "the venue": told["cpu_s"],
    }
    print("CPU a frame: " + ", ".join(f"{share / trades * 1e6:.2f} us in {what}" for what, share in shares.items()))
    return float(trades / seconds)


if __name__ == "__main__":
    main()
