"""Writes what arrives to gzipped files, in a thread: rotated by size, bounded on disk.

A file is a row of complete gzip members, one a second or so: whatever ends the process, all but the last second can be read.
"""

import gzip
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

SUFFIX: Final = ".ws.ndjson.gz"
FLUSH_S: Final = 1.0
PENDING: Final = 64 * 1024 * 1024  # bytes that wait to be written, above which nobody should bring more


class _Line(Struct):
    received: msgspec.Raw
    conn: str
    data: str


class Recorder:
    """One venue's files in a folder: `okx.20261121T164003.000001.ws.ndjson.gz` and so on, in order of their names.

    All files of the venue that were recorded into the folder count to `most` bytes; the oldest are removed.
    """

    def __init__(self, folder: Path, venue: str, begun: str, rotate: int, most: int) -> None:
        self._folder = folder
        self._venue = venue
        self._begun = begun
        self._rotate = min(rotate, max(1, most // 2))
        self._most = most
        self._pending: list[tuple[str, Sequence[bytes], int]] = []
        self._held = 0
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, name=f"recorder of {venue}")
        self._number = self._size = 0
        self.frames = self.written = 0
        """Frames taken, and bytes of files."""
        self.failure: OSError | None = None
        """Why nothing is written any more."""
        self._thread.start()

    @property
    def full(self) -> bool:
        """Whether the disk is so slow that nobody should bring more."""
        return self._held > PENDING

    def take(self, connection: str, messages: Sequence[bytes], received: int) -> None:
        """Messages that were read together at an epoch microsecond."""
        with self._guard:
            self._pending.append((connection, messages, received))
            self._held += sum(map(len, messages))
            self.frames += len(messages)

    def close(self) -> None:
        """Write what is there, and end."""
        self._stop.set()
        self._thread.join()

    def _write(self) -> None:
        while self.failure is None:
            stopped = self._stop.wait(FLUSH_S)
            with self._guard:
                taken, self._pending, self._held = self._pending, [], 0
            try:
                if taken:
                    self._append(gzip.compress(b"".join(map(_lines, taken)), mtime=0))
            except OSError as error:
                self.failure = error
            if stopped:
                return

    def _append(self, member: bytes) -> None:
        if not self._number or self._size + len(member) > self._rotate:
            self._number += 1
            self._size = 0
            self._make_room()
        with self._file(self._number).open("ab") as file:
            file.write(member)
        self._size += len(member)
        self.written += len(member)

    def _file(self, number: int) -> Path:
        return self._folder / f"{self._venue}.{self._begun}.{number:06}{SUFFIX}"

    def _make_room(self) -> None:
        """For one more file of full size."""
        files = sorted(self._folder.glob(f"{self._venue}.*.??????{SUFFIX}"))
        sizes = [file.stat().st_size for file in files]
        left = sum(sizes) + self._rotate
        for file, size in zip(files, sizes, strict=True):
            if left <= self._most:
                return
            file.unlink()
            left -= size


def recordings(folder: Path, venue: str) -> list[Path]:
    """A venue's recordings in a folder, oldest first."""
    return sorted(folder.glob(f"{venue}.*{SUFFIX.removeprefix('.ws')}"))


def _lines(taken: tuple[str, Sequence[bytes], int]) -> bytes:
    connection, messages, received = taken
    time = msgspec.Raw(b"%d.%06d" % divmod(received, 1_000_000))
    encode = msgspec.json.encode
    return b"".join(encode(_Line(time, connection, one.decode("utf-8", "replace"))) + b"\n" for one in messages)
