"""A lost connection in real time, on every venue."""

import time
from pathlib import Path

import pytest

from tests.faults.checks import judged
from tests.faults.kinds import REPORTED_S, VENUES
from tests.faults.scene import scene

pytestmark = [pytest.mark.faults, pytest.mark.broker]


@pytest.mark.parametrize("name", VENUES)
async def test_after_a_lost_connection_every_trade_is_there(
    name: str, kafka_bootstrap: str, topic_prefix: str, tmp_path: Path
) -> None:
    """The market is played thirty times as fast as time passes, the watches of both sides are real."""
    async with scene(kafka_bootstrap, topic_prefix, tmp_path, [name], haste=1.0, speed=30.0, pace=2.0) as played:
        await played.under_way()
        made = played.made[name]
        struck = time.monotonic()
        await played.strike(name, "disconnect")
        await played.until(lambda: all(played.fetching(*market) for market in played.markets()), "the gaps")
        assert time.monotonic() - struck < REPORTED_S
        await played.ended()
        assert played.reconnects(name) == made
        await judged(played, name)
