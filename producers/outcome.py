"""What goes in and out of a stream (`producers.continuity`): records, what it wants of REST, and what REST answered.

Venue times are epoch milliseconds, `received` is epoch microseconds, `now` seconds of a clock that never runs back.
"""

from typing import Final

from msgspec import Struct

from producers.dialect import Trade
from schemas.exact import INT64_MAX
from schemas.market import DeadLetter, Gap, HistoryCandle, Trades

BEING_FETCHED: Final = "being fetched"
NOT_RECORDED: Final = "not in the recording"
NOTHING: Final = -(2**63)
"""What comes before the first trade we shall ever know: below every id."""
OPEN_END: Final = INT64_MAX
"""Where a gap ends, by ids and by time, while no trade after it is known."""


class Counts(Struct):
    """What happened to the trades of one stream (or of all that share it) since the start."""

    trades: int = 0
    """Published, whichever way they came."""
    repaired: int = 0
    """Of these, those that the websocket did not bring, or not in order."""
    duplicates: int = 0
    gaps: int = 0
    """Opened."""
    closed: int = 0
    """Gaps of which every trade was found."""
    given_up: int = 0
    """Gaps, or parts of them, that stay open for good."""
    unverified: int = 0
    """Stretches that REST could not confirm, where ids do not show what is missing."""
    audits: int = 0
    """Times that REST was asked what its newest trades are."""
    repairs: int = 0
    """Times that REST was asked for missing trades."""
    set_aside: int = 0
    """Trades that became dead letters."""
    heartbeats: int = 0


class Repair(Struct, frozen=True):
    """Wanted: trades between two that we have.

    Of `after` and `before` ids and times count, nothing else. `after` None: from the time `since` on, as nothing older is known.
    `before` None: up to the newest. `history`: also the venue's own minutes, up to the one that begins at `since`, as nothing of
    this instrument was ever published; trades are then wanted from where those end. `seen`: a venue time (ms) that has passed
    already; 0 where the venue is to be asked for its time.
    """

    market_id: str
    after: Trade | None
    before: Trade | None
    since: int
    history: bool = False
    seen: int = 0


class Repaired(Struct, frozen=True):
    """What a repair found, oldest first; some may lie outside of what was wanted.

    `bottom`: it reaches down to `wanted.after` or `since`; `top`: up to `wanted.before`, or to the newest. Where one is false,
    `failure` says why, and `again` whether it may succeed later. `complete_to`: venue time (ms), less the venue's margin, at
    which the newest were asked for; 0 where nobody needs it. `since`: the time at which `history` ends and trades begin;
    `wanted.since` where the venue had not closed that minute yet.
    """

    wanted: Repair
    trades: tuple[Trade, ...] = ()
    bottom: bool = True
    top: bool = True
    failure: str | None = None
    again: bool = False
    complete_to: int = 0
    since: int = 0
    history: tuple[HistoryCandle, ...] = ()


class Audit(Struct, frozen=True):
    """Wanted: the newest trades, back to `after` where the venue pages so far (None: one page). `seen` as in `Repair`."""

    market_id: str
    after: Trade | None = None
    seen: int = 0


class Audited(Struct, frozen=True):
    """The newest trades, oldest first. `reached`: they go back to `wanted.after`.

    `complete_to`: venue time (ms), less the venue's margin, at which they were asked for. `failure`: why there is no answer.
    """

    wanted: Audit
    trades: tuple[Trade, ...] = ()
    complete_to: int = 0
    reached: bool = True
    failure: str | None = None


class Unfinished(Struct, frozen=True):
    """A gap that was being fetched when the process before us ended, and the newest trade that it had published of it."""

    gap: Gap
    found: Trade | None = None


class Position(Struct, frozen=True):
    """Where a stream stood when it was last published.

    `recent`: what was published of times from the watermark on (and a little before), by rising ids. `unfinished`: by rising ids.
    """

    last: Trade | None
    watermark: int
    recent: tuple[Trade, ...] = ()
    unfinished: tuple[Unfinished, ...] = ()


class Outcome(Struct):
    """What a stream wants done: records to publish, in this order, and REST to be asked."""

    records: list[Trades | DeadLetter] = []
    wanted: list[Repair | Audit] = []
