"""The embedded PostgreSQL: not root, not open, not half made."""

import os

import psutil
import psycopg
import pytest

from infra.embedded import postgres
from tests.infra.processes import on

pytestmark = pytest.mark.database


def test_it_runs_on_loopback_without_root_and_asks_for_the_password(database, state):
    """What listens on a machine others use is closed to them."""
    with database() as settings:
        server = next(process for process in on(state) if process.name() == "postgres")
        assert server.uids().effective != 0
        assert {connection.laddr.ip for connection in server.net_connections("inet")} == {"127.0.0.1"}
        assert (state / "postgres" / "password").stat().st_mode & 0o077 == 0
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(
                settings.database_url.replace(":", "x:", 1).replace("postgresqlx:", "postgresql:"), password="guessed"
            )


def test_an_interrupted_first_start_is_begun_again(database, state):
    """What initdb left unfinished is thrown away."""
    unfinished = state / "postgres" / "data.partial"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18")
    with database() as settings, psycopg.connect(settings.database_url) as connection:
        assert connection.info.server_version >= 170000
    assert not unfinished.exists()


def test_a_pid_file_that_names_another_process_is_no_obstacle(database, state):
    """After a crash and a reboot the pid may be anybody's."""
    with database():
        note = (state / "postgres" / "data" / "postmaster.pid").read_text()
    (state / "postgres" / "data" / "postmaster.pid").write_text("\n".join([str(os.getpid()), *note.splitlines()[1:]]) + "\n")
    with database() as settings, psycopg.connect(settings.database_url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (postgres.USER,)
    assert psutil.pid_exists(os.getpid())
