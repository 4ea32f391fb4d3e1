"""How many of the same frames cryptofeed decodes a second, on one core: `python rival.py FILE`, best of three.

It is given texts, one after the other, and decodes each to its own trade object; nobody is called back, nothing is sent anywhere.
It runs in an environment of its own (`make bench` makes it): nothing of ours is imported here.
"""

import asyncio
import sys
import time
from pathlib import Path

from cryptofeed.defines import TRADES
from cryptofeed.exchanges import Binance
from cryptofeed.symbols import Symbols

ROUNDS = 3


async def decoded(feed: Binance, texts: list[str]) -> float:
    """Frames a second."""
    handle, begun = feed.message_handler, time.perf_counter()
    for text in texts:
        await handle(text, None, 0.0)
    return len(texts) / (time.perf_counter() - begun)


def main() -> None:
    """Print the best round."""
    texts = Path(sys.argv[1]).read_text().split("\n")
    names = sorted({text[11 : text.index("@")].upper() for text in texts})
    Symbols.set(Binance.id, {f"{name.removesuffix('USDT')}-USDT": name for name in names}, {})
    feed = Binance(symbols=[f"{names[0].removesuffix('USDT')}-USDT"], channels=[TRADES], callbacks={})
    print(max(asyncio.run(decoded(feed, texts)) for _ in range(ROUNDS)))


if __name__ == "__main__":
    main()
