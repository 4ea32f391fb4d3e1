"""Frames to files: all of them, in order, in files that stay within their bounds and can be read whatever happened."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from producers.recorder import Recorder, recordings

ROOT = Path(__file__).parents[2]
T = 1_700_000_000_000_000
MB = 1_000_000


def lines(folder: Path, venue: str = "okx") -> list[dict[str, object]]:
    return [json.loads(line) for file in recordings(folder, venue) for line in gzip.open(file, "rt")]


def test_every_frame_is_a_line_with_when_and_where_it_came(tmp_path: Path):
    """Binary frames are the text that they are; what is no text is as near to it as can be."""
    recorder = Recorder(tmp_path, "okx", "b", MB, MB)
    recorder.take("wss://a#1.1", [b'{"a": "\xc3\xa9"}', b"pong"], T + 5)
    recorder.take("wss://a#1.2", [b"\xff"], T + 1_500_000)
    recorder.close()
    assert recordings(tmp_path, "okx") == [tmp_path / "okx.b.000001.ws.ndjson.gz"]
    assert lines(tmp_path) == [
        {"received": 1_700_000_000.000005, "conn": "wss://a#1.1", "data": '{"a": "é"}'},
        {"received": 1_700_000_000.000005, "conn": "wss://a#1.1", "data": "pong"},
        {"received": 1_700_000_001.5, "conn": "wss://a#1.2", "data": "\ufffd"},
    ]
    assert recorder.frames == 3
    assert recorder.written == (tmp_path / "okx.b.000001.ws.ndjson.gz").stat().st_size


def test_files_are_rotated_and_the_oldest_go(tmp_path: Path, monkeypatch):
    """What stays is the newest, without a hole; other venues' files and those of others are not touched."""
    monkeypatch.setattr("producers.recorder.FLUSH_S", 0.01)
    others = [tmp_path / "okx.ws.ndjson.gz", tmp_path / "binance.b.000001.ws.ndjson.gz"]
    for other in others:
        other.write_bytes(b"x" * 100_000)
    recorder = Recorder(tmp_path, "okx", "b", 10_000, 50_000)
    for number in range(60):
        noise = os.urandom(2_000).hex()
        recorder.take("c", [f"{number} {noise}".encode()], T + number)
        begun = recorder.written
        while recorder.written == begun:
            time.sleep(0.001)
    recorder.close()
    own = [file for file in recordings(tmp_path, "okx") if file not in others]
    assert sum(file.stat().st_size for file in own) <= 50_000
    assert max(file.stat().st_size for file in own) <= 10_000
    assert min(int(file.name.split(".")[2]) for file in own) > 1
    for other in others:
        assert other.stat().st_size == 100_000
        other.unlink()
    numbers = [int(str(line["data"]).split()[0]) for line in lines(tmp_path)]
    assert numbers == list(range(numbers[0], 60))


KILLED = """
import os, signal, sys, time
from pathlib import Path
from producers.recorder import Recorder
recorder = Recorder(Path(sys.argv[1]), "okx", "b", 10**6, 10**7)
number = 0
while True:
    recorder.take("c", [b"%d" % number], number)
    number += 1
    time.sleep(0.0001)
"""


def test_killed_it_leaves_what_can_be_read(tmp_path: Path):
    """All but the last second, and no line is broken but the last."""
    with subprocess.Popen([sys.executable, "-c", KILLED, tmp_path], cwd=ROOT) as process:
        while not recordings(tmp_path, "okx") or recordings(tmp_path, "okx")[0].stat().st_size < 5_000:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    numbers = [int(str(line["data"])) for line in lines(tmp_path)]
    assert len(numbers) > 1_000
    assert numbers == list(range(len(numbers)))


def test_a_full_disk_is_told(tmp_path: Path):
    """Once, and nothing is written any more."""
    folder = tmp_path / "gone"
    recorder = Recorder(folder, "okx", "b", MB, MB)
    recorder.take("c", [b"x"], T)
    recorder.close()
    assert isinstance(recorder.failure, OSError)
    assert not recorder.full
