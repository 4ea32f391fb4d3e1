"""Where a market's price goes: slow swings, and jolts against them that are made good again.

A relative strength index leaves its range when a sharp move meets a market that was calm, so each cycle is a calm
stretch along the trend, a jolt of a few minutes, mostly against the trend, and its recovery. The trend turns after
each swing and is drawn back to where the market started, so no seed runs away to nothing or to the sky.
"""

import math
from collections.abc import Callable, Iterator

from infra.simulated.listing import Temper

Uniform = Callable[[], float]  # from 0 up to, and without, 1

_REVERSAL = 0.12  # share of jolts that go with the trend instead of against it
_NOISE = 0.02  # of a jolt's size, in each calm minute
_FAR = 0.25  # the distance from the start at which a trend outwards all but stands still


def minutes(temper: Temper, uniform: Uniform) -> Iterator[float]:
    """Yield, without end, the price at the end of each minute as the logarithm of its ratio to the first price."""
    level, direction = 0.0, 1.0 if uniform() < 0.5 else -1.0
    while True:
        left = int(temper.swing * (0.7 + 0.6 * uniform()))
        while left > 0:
            for step in _cycle(temper, direction, level, uniform):
                level += step
                left -= 1
                yield level
        direction = -direction


def _cycle(temper: Temper, direction: float, level: float, uniform: Uniform) -> Iterator[float]:
    """One calm stretch, one jolt, one recovery, as steps of a minute each."""
    outwards = direction * level / _FAR
    trend = direction * temper.drift * (1.0 - min(0.9, max(-0.9, outwards)))
    against = -direction if uniform() >= _REVERSAL else direction
    size = temper.jolt * (0.75 + 0.5 * uniform())
    sharp = 1 + int(2 * uniform())
    slow = 3 + int(3 * uniform())
    calm = max(4, int(temper.cycle * (0.75 + 0.5 * uniform())) - sharp - slow)
    for _ in range(calm):
        yield trend + temper.jolt * _NOISE * _bell(uniform)
    for _ in range(sharp):
        yield trend + against * size / sharp
    for _ in range(slow):
        yield trend - against * size / slow


def _bell(uniform: Uniform) -> float:
    """A draw of mean 0 and variance 1, normal near enough, bounded at both ends by about 3.5."""
    return math.sqrt(2.0) * (uniform() + uniform() + uniform() + uniform() + uniform() + uniform() - 3.0)
