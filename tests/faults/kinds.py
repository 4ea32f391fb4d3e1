"""The faults, what can be seen of each in what the producer publishes, and where one does not apply."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.faults.scene import SYMBOLS, Scene

REPORTED_S: Final = 5.0
NOTICED_S: Final = 15.0

Seen = Callable[[Scene, str], None]


def _gap_reported(scene: Scene, name: str) -> None:
    """Every instrument tells that something may be missing, soon after the fault began."""
    for symbol in scene.symbols[name]:
        _stated(scene, name, symbol, REPORTED_S)


def _noticed(scene: Scene, name: str) -> None:
    """The busiest instrument is found silent in time: a gap is told."""
    _stated(scene, name, max(scene.symbols[name], key=lambda symbol: scene.live(name, symbol)), NOTICED_S)


def _stated(scene: Scene, name: str, symbol: str, within_s: float) -> None:
    struck = scene.struck_us[name]
    stated = [one.received for one in scene.published.records(name, symbol) if one.gap and one.received >= struck]
    assert stated, f"no gap of {symbol} was reported"
    assert stated[0] <= struck + within_s * 1_000_000, f"{symbol}: reported after {(stated[0] - struck) / 1e6:.1f} s"


def _buried(scene: Scene, name: str) -> None:
    """What could not be understood is kept."""
    assert scene.dead(name)


def _resumed(scene: Scene, name: str) -> None:
    """The maintenance is told, and its end."""
    _gap_reported(scene, name)
    kinds = [notice.kind for notice in scene.notices(name, "maintenance", "resumed")]
    assert kinds, "nothing was said of the maintenance"
    assert kinds[-1] == "resumed", kinds


def _broken_and_whole_again(scene: Scene, name: str) -> None:
    """The break shows, and the book is begun again."""
    books = [book for (venue, _), told in scene.published.books.items() if venue == name for book in told]
    assert any(book.broken for book in books), "no book was said to be broken"


def _repaired(scene: Scene, name: str) -> None:
    assert scene.venues[name].tally.counts.repaired >= len(scene.symbols[name]), scene.told()


def _duplicates(scene: Scene, name: str) -> None:
    assert scene.venues[name].tally.counts.duplicates >= 20, scene.told()


def _overlapped(scene: Scene, name: str) -> None:
    """A second connection took over: nothing had to be fetched."""
    tally = scene.venues[name].tally
    assert set(tally.reconnects) == {"planned"}, tally.reconnects
    struck = scene.struck_us[name]
    for symbol in scene.symbols[name]:
        assert not [one.gap for one in scene.published.records(name, symbol) if one.gap and one.received > struck]


def _no_reconnect(scene: Scene, name: str) -> None:
    """What is harmless disturbs nobody."""
    assert scene.reconnects(name) == 0, scene.told()


@dataclass(frozen=True)
class Kind:
    """A fault: its numbers, in the venue's seconds, what must be seen of it, and where it is not to be had, and why."""

    numbers: Mapping[str, Any] = field(default_factory=dict)
    seen: tuple[Seen, ...] = ()
    dropped: bool = False
    """Whether every connection is dropped once it has begun, so that it meets a repair."""
    rubbish: bool = False
    """Whether it leads to dead letters."""
    lacks: Mapping[str, str] = field(default_factory=dict)
    """By venue, why there is no such fault there."""


_NEVER_SAYS = "the venue announces no end"

KINDS: Final[Mapping[str, Kind]] = {
    "disconnect": Kind(seen=(_gap_reported,)),
    "notice": Kind(
        {"seconds": 12},
        seen=(_overlapped,),
        lacks=dict.fromkeys(("binanceusdm", "bybit", "bitget", "upbit", "deribit"), _NEVER_SAYS),
    ),
    "garbage": Kind(seen=(_buried, _no_reconnect), rubbish=True),
    "binary": Kind(seen=(_buried, _no_reconnect), rubbish=True),
    "huge": Kind({"count": 900}, seen=(_buried, _no_reconnect), rubbish=True),
    # Where ids do not show it, trades skipped of all instruments at once may look like a connection that tells nothing.
    "skip": Kind({"count": 5}, seen=(_repaired,)),
    "duplicate": Kind({"count": 20}, seen=(_duplicates, _no_reconnect)),
    "reorder": Kind({"count": 4}, seen=(_no_reconnect,)),
    "book_break": Kind(
        {"count": 3},
        seen=(_broken_and_whole_again, _no_reconnect),
        lacks=dict.fromkeys(("upbit",), "every push is a whole book"),
    ),
    "silence": Kind({"seconds": 25}, seen=(_noticed,)),
    "heartbeats_only": Kind({"seconds": 25}, seen=(_noticed,)),
    "stale": Kind({"seconds": 20, "count": 30}, seen=(_gap_reported,), dropped=True),
    "rate_limit": Kind({"seconds": 6}, seen=(_gap_reported,), dropped=True),
    "server_error": Kind({"seconds": 6}, seen=(_gap_reported,), dropped=True),
    "maintenance": Kind({"seconds": 10}, seen=(_resumed,)),
    "slow_drip": Kind({"seconds": 6, "count": 200}),
    "half_open": Kind({"seconds": 40}, seen=(_noticed,)),
    "clock_skew": Kind({"seconds": 10, "count": 700}, seen=(_no_reconnect,)),
}
VENUES: Final = tuple(SYMBOLS)
