"""The demo: nothing lost, nothing doubled, nothing left behind."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from tapeflow.demo import summary_table as demo_table
from tests.infra import processes
from tests.tapeflow.command import ROOT, tapeflow

COUNTED = ("trades", "candles", "signals", "orders", "fills", "rows_stored")


@pytest.mark.timeout(240)
def test_half_an_hour_of_market_is_stored_whole(tmp_path: Path) -> None:
    """Exit 0, one JSON object, every count above zero, the venue's ledger and the database the same."""
    done = tapeflow("demo", "--seconds", "30", "--seed", "3", "--json", TAPEFLOW_STATE=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [name for name in COUNTED if not told[name]] == []
    assert {name: told[name] for name in ("lost", "duplicates", "gaps", "dead_letters")} == {
        "lost": 0,
        "duplicates": 0,
        "gaps": 0,
        "dead_letters": 0,
    }
    assert set(told["latency_ms"]) == {"p50", "p99"}
    assert processes.on(tmp_path) == []
    assert list((tmp_path / "demo").iterdir()) == []


def test_people_read_the_summary_as_a_table() -> None:
    """Every kind of value that it has."""
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(demo_table({"trades": 13505, "lost": 0, "realized": "38.5", "latency_ms": {"p50": 8.05, "p99": None}}))
    shown = console.export_text()
    for text in ("13,505", "38.5", "p50 8.05, p99 None"):
        assert text in shown


@pytest.mark.timeout(240)
@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_it_leaves_no_process(signal_number: signal.Signals, tmp_path: Path) -> None:
    """Within ten seconds, wherever it was: here with every part at work."""
    environment = os.environ | {"TAPEFLOW_STATE": str(tmp_path)}
    command = [sys.executable, "-m", "tapeflow", "demo", "--seconds", "120", "--json"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as demo:
        deadline = time.monotonic() + 90
        while not list(tmp_path.glob("demo/*/run/producer-okx.ready")):
            assert demo.poll() is None, demo.stderr and demo.stderr.read()
            assert time.monotonic() < deadline, "the demo did not start"
            time.sleep(0.1)
        demo.send_signal(signal_number)
        told = time.monotonic()
        demo.wait(20)
        assert time.monotonic() - told < 10
        assert demo.stdout
        assert demo.stdout.read() == b""
    assert demo.returncode in (130, 143)
    assert processes.on(tmp_path) == []
