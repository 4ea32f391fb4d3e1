"""Nothing traded is no fault: nobody is disturbed, and time goes on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.checks import judged
from tests.faults.kinds import VENUES
from tests.faults.scene import BEGIN_MS, MINUTE, scene

pytestmark = [pytest.mark.faults, pytest.mark.broker]

QUIET_MINUTES = 10


@pytest.mark.parametrize("name", VENUES)
async def test_ten_minutes_without_a_trade_lead_to_no_new_connection(
    name: str, kafka_bootstrap: str, topic_prefix: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async with scene(kafka_bootstrap, topic_prefix, tmp_path, [name], minutes=1, haste=60.0) as played:
        await played.ended()
        made, ended = played.made[name], played.reconnects(name)
        end = BEGIN_MS + (1 + QUIET_MINUTES) * MINUTE

        def over() -> bool:
            return all(played.watermark(*market) >= end for market in played.markets())

        await played.until(over, "the end of ten quiet minutes")
        assert (played.made[name], played.reconnects(name)) == (made, ended)
        assert played.notices(name, "silent", "refused") == []
        record_property("case", (name, "quiet", await judged(played, name, quiet_minutes=QUIET_MINUTES)))
