"""A producer that is killed, and one that is started where it was: every trade once, none missing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.checks import judged
from tests.faults.kinds import VENUES
from tests.faults.scene import scene

pytestmark = [pytest.mark.faults, pytest.mark.broker]


@pytest.mark.parametrize("name", VENUES)
async def test_killed_while_all_is_well(
    name: str, kafka_bootstrap: str, topic_prefix: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async with scene(kafka_bootstrap, topic_prefix, tmp_path, [name]) as played:
        await played.under_way()
        await played.kill()
        await played.clock.sleep(8)
        played.start()
        await played.ended()
        record_property("case", (name, "killed", await judged(played, name)))


@pytest.mark.parametrize("name", VENUES)
async def test_killed_in_the_middle_of_its_first_start(
    name: str, kafka_bootstrap: str, topic_prefix: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async with scene(kafka_bootstrap, topic_prefix, tmp_path, [name]) as played:
        first = played.symbols[name][0]
        await played.until(lambda: played.live(name, first) > 0, "the first live trade")
        await played.kill()
        await played.clock.sleep(4)
        played.start()
        await played.ended()
        record_property("case", (name, "killed first", await judged(played, name)))


@pytest.mark.parametrize("name", VENUES)
async def test_killed_while_it_fetches_what_it_has_missed(
    name: str, kafka_bootstrap: str, topic_prefix: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async with scene(kafka_bootstrap, topic_prefix, tmp_path, [name]) as played:
        await played.under_way()
        await played.strike(name, "skip", count=4)
        await played.strike(name, "server_error", seconds=4)
        await played.strike(name, "disconnect")
        first = played.symbols[name][0]
        await played.until(lambda: played.fetching(name, first), "a gap that is being fetched")
        await played.kill()
        await played.clock.sleep(4)
        played.start()
        await played.ended()
        record_property("case", (name, "killed fetching", await judged(played, name)))
