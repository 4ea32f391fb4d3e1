"""The Java archives of Apache Kafka: a pinned list, downloaded once into the user's cache and checked."""

import hashlib
import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import requests
from filelock import FileLock
from jgo.maven import MavenContext
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from infra.embedded import kafka
from infra.settings import UserError

_LIST: Final = Path(__file__).with_name("kafka.jars")
_AT_ONCE: Final = 8
_TIMEOUT_S: Final = 30
_ATTEMPTS: Final = 3


def pinned() -> dict[str, str]:
    """Coordinates (`group:artifact:version`) of every archive and its SHA-256."""
    lines = (line for line in _LIST.read_text().splitlines() if not line.startswith("#"))
    return dict(line.split() for line in lines)


def fetch(console: Console, into: Path | None = None) -> Path:
    """The folder with all archives, downloaded first if this machine has none. Raises UserError naming what cannot be had."""
    target = into or kafka.archives()
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    # A download that is interrupted leaves no half of a cache: the folder appears under its name when it is complete.
    with FileLock(target.with_suffix(".lock")):
        if not target.exists():
            partial = target.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            _download(console, partial)
            partial.rename(target)
    return target


def _download(console: Console, partial: Path) -> None:
    logging.getLogger("jgo").setLevel(logging.ERROR)
    maven = MavenContext(repo_cache=partial / "repository", timeout=_TIMEOUT_S)
    columns = (TextColumn(f"downloading Apache Kafka {kafka.VERSION}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    archives = pinned()
    with Progress(*columns, console=console, transient=True) as progress, ThreadPoolExecutor(_AT_ONCE) as pool:
        task = progress.add_task("", total=len(archives))
        waiting = [pool.submit(_one, maven, coordinates, digest, partial) for coordinates, digest in archives.items()]
        try:
            for future in waiting:
                future.result()
                progress.advance(task)
        finally:
            pool.shutdown(cancel_futures=True)
    shutil.rmtree(partial / "repository")


def _one(maven: MavenContext, coordinates: str, digest: str, into: Path) -> None:
    artifact = maven.create_dependency(coordinates).artifact
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            found: Path = artifact.resolve()
            break
        except (requests.RequestException, RuntimeError, OSError) as error:
            artifact.cached_path.unlink(missing_ok=True)
            if attempt == _ATTEMPTS:
                reason = str(error).splitlines()[0]
                raise UserError(
                    f"cannot download {coordinates} of the embedded Kafka ({reason}); "
                    "check the network, or set KAFKA_BOOTSTRAP to a broker that runs already"
                ) from None
    if hashlib.sha256(found.read_bytes()).hexdigest() != digest:
        raise UserError(f"the downloaded {coordinates} is not the pinned one; try again, or set KAFKA_BOOTSTRAP to a broker")
    found.rename(into / found.name)
