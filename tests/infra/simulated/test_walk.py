"""The walk of a price jolts against its trend and stays within reach of where it began."""

import random
from itertools import islice

import pytest

from infra.simulated.listing import BRISK, BURSTY, RANGING, SLOW, TRENDING, Temper
from infra.simulated.walk import minutes


@pytest.mark.parametrize("temper", [TRENDING, RANGING, BURSTY, BRISK, SLOW])
def test_a_week_stays_between_half_and_twice_the_first_price(temper: Temper) -> None:
    for seed in range(10):
        week = list(islice(minutes(temper, random.Random(seed).random), 7 * 24 * 60))
        assert min(week) > -0.69
        assert max(week) < 0.69


def test_both_trends_occur_within_two_swings() -> None:
    """Over any two swings of the longest length, some hour rises and some hour falls."""
    for seed in range(20):
        levels = list(islice(minutes(TRENDING, random.Random(seed).random), int(2 * 1.3 * TRENDING.swing) + 120))
        hours = [later - earlier for earlier, later in zip(levels, levels[60:], strict=False)]
        assert min(hours) < -0.005
        assert max(hours) > 0.005


def test_the_same_dice_give_the_same_walk() -> None:
    one, other = (list(islice(minutes(RANGING, random.Random(3).random), 500)) for _ in range(2))
    assert one == other
