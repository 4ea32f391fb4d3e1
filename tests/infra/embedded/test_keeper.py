"""The keeper serves those who know its token, and nobody else."""

import json
import socket

import psycopg
import pytest

pytestmark = pytest.mark.database


@pytest.mark.parametrize("line", [b'{"token": "guessed", "servers": ["postgres"]}\n', b"GET / HTTP/1.1\r\n", b"[]\n", b"\n"])
def test_a_stranger_is_sent_away(database, state, line):
    """It gets no address, and the users' servers go on."""
    with database() as settings:
        port = json.loads((state / "run" / "keeper.json").read_text())["port"]
        with socket.create_connection(("127.0.0.1", port), timeout=5) as stranger:
            stranger.sendall(line)
            assert stranger.recv(100) == b""
        with psycopg.connect(settings.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_its_note_is_for_its_owner_only(database, state):
    """The token opens the way to the database's password."""
    with database():
        assert (state / "run" / "keeper.json").stat().st_mode & 0o077 == 0
    assert not (state / "run" / "keeper.json").exists()
