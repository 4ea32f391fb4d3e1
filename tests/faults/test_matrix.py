"""Every fault on every venue: afterwards Kafka holds what the venue's ledger holds, or says what it lacks and why."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.faults.checks import judged
from tests.faults.kinds import KINDS, VENUES
from tests.faults.scene import Scene, scene

pytestmark = [pytest.mark.faults, pytest.mark.broker]

CASES = [pytest.param(name, kind, id=f"{name}-{kind}") for kind in KINDS for name in VENUES if name not in KINDS[kind].lacks]

# What the suite runs: several venues in one process, each with a fault of its own.
TOGETHER: list[Mapping[str, str]] = [
    {"okx": "notice", "bybit": "disconnect", "upbit": "silence", "deribit": "skip"},
    {"binance": "notice", "bitget": "disconnect", "deribit": "silence", "upbit": "skip"},
    {"okx": "half_open", "binanceusdm": "heartbeats_only", "bitget": "reorder", "bybit": "garbage"},
    {"binance": "half_open", "bybit": "heartbeats_only", "upbit": "reorder", "deribit": "garbage"},
    {"okx": "maintenance", "bitget": "stale", "binanceusdm": "binary", "upbit": "duplicate"},
    {"deribit": "maintenance", "bybit": "stale", "binance": "binary", "okx": "duplicate"},
    {"bitget": "rate_limit", "okx": "server_error", "binanceusdm": "book_break", "upbit": "clock_skew"},
    {"upbit": "rate_limit", "binance": "server_error", "bybit": "book_break", "okx": "clock_skew"},
    {"deribit": "slow_drip", "bitget": "slow_drip", "binanceusdm": "huge", "okx": "huge"},
]


async def suffered(played: Scene, faults: Mapping[str, str], record_property: Callable[[str, object], None]) -> None:
    """Let faults strike, wait for the end of trading, and judge what every venue's instruments came to."""
    await played.under_way()
    for name, kind in faults.items():
        record_property("case", (name, kind, "FAILED"))
        await played.strike(name, kind, **KINDS[kind].numbers)
        if KINDS[kind].dropped:
            await played.strike(name, "disconnect")
    await played.ended()
    for name, kind in faults.items():
        for seen in KINDS[kind].seen:
            seen(played, name)
        record_property("case", (name, kind, await judged(played, name, rubbish=KINDS[kind].rubbish)))


@pytest.mark.parametrize(("name", "kind"), CASES)
async def test_what_is_in_kafka_after_a_fault_is_what_the_venue_traded(
    name: str, kind: str, kafka_bootstrap: str, topic_prefix: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async with scene(kafka_bootstrap, topic_prefix, tmp_path, [name]) as played:
        await suffered(played, {name: kind}, record_property)


@pytest.mark.parametrize("faults", TOGETHER, ids=lambda faults: "-".join(dict.fromkeys(faults.values())))
async def test_what_one_venue_suffers_is_nothing_to_the_others(
    faults: Mapping[str, str],
    kafka_bootstrap: str,
    topic_prefix: str,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    async with scene(kafka_bootstrap, topic_prefix, tmp_path, list(faults), minutes=1) as played:
        await suffered(played, faults, record_property)


def test_the_suite_has_every_fault_and_every_venue_twice() -> None:
    faults = Counter(kind for together in TOGETHER for kind in together.values())
    venues = Counter(name for together in TOGETHER for name in together)
    assert all(faults[kind] == 2 for kind in KINDS)
    assert all(venues[name] >= 2 for name in VENUES)
    assert not [1 for together in TOGETHER for name, kind in together.items() if name in KINDS[kind].lacks]
