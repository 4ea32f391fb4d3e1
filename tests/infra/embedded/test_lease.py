"""The embedded servers run while somebody uses them, however users and servers end."""

import signal
import subprocess
import sys
from contextlib import ExitStack
from io import StringIO

import psycopg
import pytest
from rich.console import Console
from tenacity import Retrying, stop_after_delay, wait_fixed

from infra.embedded import found, lease, running
from infra.settings import Settings, UserError
from tests.infra.processes import ended, on

pytestmark = pytest.mark.database

USER = """
import sys
from rich.console import Console
from tenacity import Retrying, stop_after_delay, wait_fixed
from infra.embedded import running
from infra.settings import load_settings
with running(load_settings(), Console(stderr=True)) as settings:
    print(settings.database_url, flush=True)
    sys.stdin.read()
"""


def _value(url, statement):
    with psycopg.connect(url) as connection:
        row = connection.execute(statement).fetchone()
        return row and row[0]


def test_what_was_stored_is_there_after_a_restart_at_the_same_address(database, state):
    """The data, the password and, if it is free, the port outlive the servers; the processes do not."""
    with database() as settings:
        first = settings.database_url
        with psycopg.connect(first) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
        assert on(state)
    assert on(state) == []
    with database() as settings:
        assert settings.database_url == first
        assert _value(first, "SELECT seven FROM kept") == 7


def test_the_servers_stop_with_the_last_user_not_with_the_first(database, state):
    """A second user gets the servers that run; whoever came first may leave first."""
    first, second = ExitStack(), ExitStack()
    with second:
        with first:
            url = first.enter_context(database()).database_url
            pids = {process.pid for process in on(state)}
            assert second.enter_context(database()).database_url == url
        assert {process.pid for process in on(state)} == pids
        assert _value(url, "SELECT 1") == 1
    assert on(state) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_user_that_dies_takes_the_servers_with_it(state, number):
    """By whatever signal: nothing is left, and the next user starts anew."""
    environment = Settings(state=state, kafka_bootstrap="none:1").environment()
    user = subprocess.Popen([sys.executable, "-c", USER], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with user:
        assert _value(user.stdout.readline().decode().strip(), "SELECT 1") == 1
        started = on(state)
        assert len(started) >= 2
        user.send_signal(number)
        user.wait(10)
    assert ended(started, timeout=10)


def test_a_killed_keeper_takes_the_servers_with_it_and_has_a_successor(database, state):
    """kill -9 leaves a note, a lock file and PostgreSQL's pid file: none of them is in the way."""
    with database() as settings:
        with psycopg.connect(settings.database_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
        started = on(state)
        keeper = next(process for process in started if "infra.embedded.keeper" in process.cmdline())
        keeper.kill()
        assert ended(started, timeout=10)
        with database() as again:
            assert _value(again.database_url, "SELECT seven FROM kept") == 7


def test_a_server_that_dies_is_started_again(database, state):
    """Its users see the connection go, and it come back at the same address."""
    with database() as settings:
        connection = psycopg.connect(settings.database_url)
        postmaster = next(process for process in on(state) if process.name() == "postgres")
        postmaster.kill()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT pg_sleep(60)")
        assert ended([postmaster], timeout=5)
        for attempt in Retrying(wait=wait_fixed(0.05), stop=stop_after_delay(20), reraise=True):
            with attempt:
                assert _value(settings.database_url, "SELECT 1") == 1


def test_one_who_only_looks_starts_nothing_and_stops_nothing(database, state):
    """`found` sees what others run, as long as they do."""
    settings = Settings(state=state, kafka_bootstrap="none:1")
    assert found(settings) is settings
    with database() as running_now:
        assert found(settings) == running_now
        assert _value(running_now.database_url, "SELECT 1") == 1
    assert found(settings).database_url is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_user_that_dies_while_the_servers_start_is_not_waited_for(state, number):
    """They are stopped at once, not when they have come up."""
    user = subprocess.Popen([sys.executable, "-c", USER], env=Settings(state=state).environment(), stdin=subprocess.PIPE)
    with user:
        for attempt in Retrying(wait=wait_fixed(0.02), stop=stop_after_delay(20), reraise=True):
            with attempt:
                assert {"java", "postgres"} <= {process.name() for process in on(state)}
        user.send_signal(number)
        user.wait(10)
        started = on(state)
    assert ended(started, timeout=10)


def test_nothing_is_started_for_one_who_has_servers(state):
    """Configured addresses are used as they are."""
    settings = Settings(state=state, kafka_bootstrap="b:1", database_url="postgresql://h/d")
    with running(settings, Console(stderr=True)) as same:
        assert same is settings
    assert not state.exists()


def test_a_server_that_cannot_start_says_why_and_where_to_look(database, state):
    """The last line of its log, and the log."""
    with database():
        pass
    (state / "postgres" / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(UserError, match=r"PostgreSQL ended while starting: .*(version|VERSION).*postgres\.log\)"), database():
        pass


def test_too_little_disk_is_said_before_anything_starts(state, monkeypatch):
    """How much there is, how much is needed, what to do."""
    monkeypatch.setattr(lease, "_FREE_BYTES", 2**62)
    with pytest.raises(UserError, match=r"MB left .* need .* TAPEFLOW_STATE"):
        running(Settings(state=state), Console(file=StringIO())).__enter__()
    assert on(state) == []


def test_a_state_directory_that_cannot_be_made_is_named(tmp_path):
    """A file is in the way."""
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot write to .*file/state: .*TAPEFLOW_STATE"):
        running(Settings(state=tmp_path / "file" / "state"), Console(file=StringIO())).__enter__()


def test_broker_settings_without_a_broker_are_refused(state):
    """The embedded broker has no SASL: silence would hide that the wrong one is used."""
    with pytest.raises(UserError, match=r"KAFKA_SASL_USERNAME is set .* KAFKA_BOOTSTRAP"):
        running(Settings(state=state, kafka={"sasl.username": "me"}), Console(file=StringIO())).__enter__()
