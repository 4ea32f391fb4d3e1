"""The broker's archives: pinned, checked, complete or absent."""

import hashlib
import re
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from threading import Thread

import pytest
from jgo.maven import MavenContext
from rich.console import Console

from infra.embedded import jars, kafka
from infra.settings import UserError

COORDINATES = "org.example:thing:1.0"


@pytest.fixture
def maven(tmp_path):
    """A repository that serves one archive over HTTP, and nothing else."""
    folder = tmp_path / "remote" / "org" / "example" / "thing" / "1.0"
    folder.mkdir(parents=True)
    (folder / "thing-1.0.jar").write_bytes(b"an archive")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path / "remote"))
    Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "jars").mkdir()
    yield MavenContext(repo_cache=tmp_path / "cache", remote_repos={"local": f"http://127.0.0.1:{server.server_port}"})
    server.shutdown()
    server.server_close()


def test_the_list_is_one_version_of_each_archive_with_its_digest():
    """All that a broker needs, of the version that the folder is named after."""
    pinned = jars.pinned()
    names = [coordinates.rpartition(":")[0] for coordinates in pinned]
    assert len(names) == len(set(names)) == 46
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in pinned.values())
    of_kafka = {coordinates.rpartition(":")[2] for coordinates in pinned if coordinates.startswith("org.apache.kafka:")}
    assert of_kafka == {kafka.VERSION}


def test_an_archive_is_kept_when_it_is_the_pinned_one(maven, tmp_path):
    """Its content decides."""
    jars._one(maven, COORDINATES, hashlib.sha256(b"an archive").hexdigest(), tmp_path / "jars")
    assert (tmp_path / "jars" / "thing-1.0.jar").read_bytes() == b"an archive"


def test_an_archive_with_other_content_is_refused(maven, tmp_path):
    """Nothing that was changed on its way is ever started."""
    with pytest.raises(UserError, match=r"org\.example:thing:1\.0 is not the pinned one"):
        jars._one(maven, COORDINATES, "0" * 64, tmp_path / "jars")
    assert list((tmp_path / "jars").iterdir()) == []


def test_an_archive_that_is_not_there_is_named(maven, tmp_path):
    """With the way around: a broker that runs already."""
    with pytest.raises(UserError, match=r"cannot download org.example:thing:2.0 .*KAFKA_BOOTSTRAP"):
        jars._one(maven, "org.example:thing:2.0", "0" * 64, tmp_path / "jars")


def test_without_network_it_says_so_and_leaves_nothing_half_done(tmp_path, monkeypatch):
    """The next attempt begins afresh."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(UserError, match=r"cannot download .*check the network") as raised:
        jars.fetch(Console(file=StringIO()), into=tmp_path / "kafka")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "kafka").exists()


def test_what_is_there_is_not_downloaded(tmp_path):
    """The folder exists only when it is complete."""
    (tmp_path / "kafka").mkdir()
    assert jars.fetch(Console(file=StringIO()), into=tmp_path / "kafka") == tmp_path / "kafka"
