"""What Prometheus may ask for, and that the table in the documentation names all of it."""

import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from infra.settings import UserError
from producers.dialect import Acknowledged, Kind
from producers.metrics import Metrics, served
from producers.offset import WINDOW_S
from tests.producers.test_session import Play
from tests.producers.toy import pushed

DOCUMENTED = Path(__file__).parents[2] / "docs" / "metrics.md"


class Stopped:
    """A clock that stands where the play does."""

    def __init__(self, play: Play) -> None:
        self._play = play

    def now(self) -> float:
        return self._play.now

    def received(self) -> int:
        return self._play.received


@pytest.fixture
def play() -> Play:
    """Three trades told twice, a frame that nobody understands, a gap that is open; five seconds later."""
    play = Play().live()
    play.hear(pushed(4, 5, 6), pushed(4, 5, 6))
    play.read(b"?")
    play.session.left(1, play.received, play.now)
    play.tally.reconnects["connection closed"] += 1
    play.connect(2)
    play.hear(Acknowledged(request=1), connection=2)
    play.now += 5.0
    assert play.now < WINDOW_S
    return play


def shown(play: Play) -> dict[str, float]:
    """Sample names with their labels, and values."""
    registry = CollectorRegistry()
    feed = SimpleNamespace(connections=1, held=42)
    venue = SimpleNamespace(name="toy", tally=play.tally, sessions=[play.session], feeds=[feed])
    registry.register(Metrics([venue], SimpleNamespace(in_flight=7), Stopped(play)))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        "|".join([sample.name, *(value for _, value in sorted(sample.labels.items()))]): sample.value
        for family in families
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_the_numbers_are_those_of_the_moment(play: Play):
    found = shown(play)
    assert {
        "tapeflow_trades_total|toy": 3.0,
        "tapeflow_duplicates_total|toy": 3.0,
        "tapeflow_dead_letters_total|toy": 1.0,
        "tapeflow_gaps_total|toy": 2.0,
        "tapeflow_gaps_repaired_total|toy": 1.0,
        "tapeflow_open_gaps|toy": 1.0,
        "tapeflow_messages_total|trades|toy": 2.0,
        "tapeflow_reconnects_total|connection closed|toy": 1.0,
        "tapeflow_connections|toy": 1.0,
        "tapeflow_held_bytes|toy": 42.0,
        "tapeflow_maintenance|toy": 0.0,
        "tapeflow_unacknowledged_records": 7.0,
    }.items() <= found.items()
    assert found["tapeflow_tick_age_seconds|trades|toy"] == pytest.approx(5.0)
    play.hear(pushed(7), connection=2)
    assert shown(play)["tapeflow_tick_age_seconds|trades|toy"] == 0.0
    assert shown(play)["tapeflow_trades_total|toy"] == 4.0


def test_the_clocks_and_the_watermarks_are_held_against_the_venue_s_time(play: Play):
    found = shown(play)
    assert play.tally.offset.ms is not None
    assert found["tapeflow_clock_offset_seconds|toy"] == play.tally.offset.ms / 1000
    behind = play.received // 1000 - play.tally.offset.ms - play.session.streams["BTC"].watermark
    assert found["tapeflow_watermark_age_seconds|BTC/USDT|toy"] == pytest.approx(behind / 1000)


def test_every_metric_stands_in_the_documentation_and_no_other(play: Play):
    play.tally.conflated[Kind.QUOTES] += 1
    rows = {line.split("`")[1] for line in DOCUMENTED.read_text().splitlines() if line.startswith("| `tapeflow_")}
    assert rows == {name.partition("|")[0] for name in shown(play)}


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_they_are_served_on_loopback_for_as_long_as_they_are_wanted(unused_tcp_port: int, play: Play):
    with served(unused_tcp_port, [], SimpleNamespace(in_flight=0), Stopped(play)):
        assert "tapeflow_unacknowledged_records 0.0" in httpx.get(f"http://127.0.0.1:{unused_tcp_port}/metrics").text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{unused_tcp_port}/metrics")


def test_port_zero_serves_nothing(play: Play):
    with served(0, [], SimpleNamespace(in_flight=0), Stopped(play)):
        pass


def test_a_port_that_is_taken_is_said_with_the_setting_that_names_another(taken: int, play: Play):
    wanted = served(taken, [], SimpleNamespace(in_flight=0), Stopped(play))
    with pytest.raises(UserError, match=rf"127\.0\.0\.1:{taken}.*TAPEFLOW_METRICS_PORT"):
        wanted.__enter__()
