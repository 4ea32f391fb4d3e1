"""The command line: bad input gets one line that names it and what is allowed, and exit code 2."""

import json
from pathlib import Path

import pytest

from infra import topics as broker
from infra.settings import Settings
from schemas import topics
from tests.tapeflow.command import tapeflow


@pytest.mark.parametrize(
    ("arguments", "variables", "says"),
    [
        (["frobnicate"], {}, "No such command 'frobnicate'"),
        (["demo", "--seconds", "many"], {}, "'--seconds': Input should be a valid integer"),
        (["demo", "--seconds", "1"], {}, "'--seconds'"),
        (["demo"], {"TAPEFLOW_TIMEFRAMES": "1m,2m"}, "TAPEFLOW_TIMEFRAMES"),
        (["demo"], {"TAPEFLOW_MARKET": "okx:BTC/USDT"}, "nearest is TAPEFLOW_MARKETS"),
        (["demo", "--venues", "okx,okex"], {}, "no simulated venue 'okex'; there are okx"),
        (["demo", "--venues", ","], {}, "--venues names none"),
        (["up"], {"TAPEFLOW_MARKETS": "okex:BTC/USDT"}, "the nearest is okx"),
        (["up"], {"TAPEFLOW_MARKETS": "okx:BTCUSDT"}, "venue:symbol"),
        (["run", "producer-upbit"], {}, "there are no markets of 'upbit' in TAPEFLOW_MARKETS; there are those of okx"),
        (["run", "storage-okx"], {}, "there is no part 'storage-okx'"),
        (["record", "--out", "tape", "--markets", "BTC/USDT"], {}, "venue:symbol"),
        (["record"], {}, "--out"),
        (["backfill", "--venue", "okex", "--symbol", "BTC/USDT", "--from", "2026-01-01"], {}, "unknown venue 'okex'"),
        (["backfill", "--venue", "okx", "--symbol", "BTC/USDT", "--from", "yesterday"], {}, "--from 'yesterday' is no time"),
        (["backfill", "--venue", "okx", "--symbol", "BTC/USDT", "--from", "2026-01-01", "--to", "x"], {}, "--to 'x' is no time"),
        (
            ["backfill", "--venue", "okx", "--symbol", "BTC/USDT", "--from", "2026-01-01", "--out", "no/a.csv"],
            {},
            "there is no folder",
        ),
        (["tail", "sgnals"], {}, "did you mean signals?"),
        (["tail", "signals"], {}, "`tapeflow up` starts it"),
        (["tail", "nonsense"], {}, "there are market.instruments"),
        (["run", "engine"], {}, "there are producer, pipeline, sequencer, execution, storage, api"),
        (["replay", "capture", "none.gz", "--venue", "okx"], {}, "there is no recording none.gz"),
        (["replay", "capture", "README.md", "--venue", "okex"], {}, "unknown venue 'okex'; there are"),
        (["replay", "capture", "README.md", "--venue", "okx", "--timeframe", "2m"], {}, "there are 1m, 5m, 15m, 1h, all"),
        (["replay", "capture", "README.md", "--venue", "okx"], {}, "name one with --instruments"),
        (["replay", "capture", "README.md"], {}, "--venue"),
        (["topics", "--create"], {"KAFKA_BOOTSTRAP": "127.0.0.1:1", "DATABASE_URL": "postgresql://x"}, "check KAFKA_BOOTSTRAP"),
        (["migrate"], {"KAFKA_BOOTSTRAP": "127.0.0.1:1", "DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "DATABASE_URL"),
    ],
)
def test_bad_input_gets_one_line(arguments: list[str], variables: dict[str, str], says: str, tmp_path: Path) -> None:
    """It names what is wrong and what would be right; no traceback."""
    done = tapeflow(*arguments, TAPEFLOW_STATE=tmp_path, **variables)
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert done.returncode == 2


def test_without_a_command_it_says_what_there_is() -> None:
    """And the version is told."""
    done = tapeflow()
    assert done.returncode == 0
    assert {"demo", "up", "replay", "record", "backfill", "topics", "tail", "status", "migrate", "doctor"} <= set(
        done.stdout.split()
    )
    assert tapeflow("--version").stdout.startswith("tapeflow 0.")


@pytest.mark.parametrize(
    "command", ["demo", "up", "record", "backfill", "topics", "tail", "status", "migrate", "doctor", "replay capture"]
)
def test_every_command_has_an_example(command: str) -> None:
    """In its own help."""
    assert "Example:" in tapeflow(*command.split(), "--help").stdout


def test_the_table_of_topics_is_shown() -> None:
    """Every topic is a line of it."""
    shown = tapeflow("topics").stdout
    assert [topic.name for topic in topics.TOPICS if topic.name not in shown] == []


def test_status_tells_when_nothing_runs(tmp_path: Path) -> None:
    """It starts nothing to find out."""
    told = json.loads(tapeflow("status", "--json", TAPEFLOW_STATE=tmp_path).stdout)
    assert told["kafka"] is None
    assert told["database"] is None
    assert told["parts"]["pipeline"] is told["parts"]["producer-okx"] is False
    assert "tapeflow up" in tapeflow("status", TAPEFLOW_STATE=tmp_path).stdout


def test_status_tells_what_is_there(settings: Settings) -> None:
    """Lag and rows of configured servers, and what is missing on them."""
    broker.create(settings)
    told = json.loads(tapeflow("status", "--json", **settings.environment()).stdout)
    assert told["lag"] == {"pipeline": 0, "sequencer": 0, "execution": 0, "storage": 0}
    assert "tapeflow migrate" in told["rows"]
    assert "applied" in tapeflow("migrate", **settings.environment()).stdout
    assert "up to date" in tapeflow("migrate", **settings.environment()).stdout
    assert json.loads(tapeflow("status", "--json", **settings.environment()).stdout)["rows"]["trades"] == 0


def test_the_doctor_names_what_is_wrong(settings: Settings) -> None:
    """A broker that does not answer is bad; a database that does is not."""
    variables = settings.environment() | {"KAFKA_BOOTSTRAP": "127.0.0.1:1"}
    done = tapeflow("doctor", **variables)
    assert done.returncode == 1
    assert "check KAFKA_BOOTSTRAP" in " ".join(done.stdout.split())
    assert "PostgreSQL" in done.stdout
