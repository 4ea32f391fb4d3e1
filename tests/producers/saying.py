"""What a stream does, in the words of a test; and streams that stand somewhere."""

from collections.abc import Sequence
from typing import Any

from producers.continuity import Audit, Audited, Counts, Outcome, Position, Repair, Repaired, Stream
from producers.dialect import Ids, Trade
from schemas.market import DeadLetter, Trades
from tests.producers.tape import BTC, START, trades

RECEIVED = (START + 300_000) * 1000
REACH = 20


def said(out: Outcome) -> list[Any]:
    """Each record in a few words: trades as (kind, ids), gaps as (what, after, before), a heartbeat as ms after START."""
    return [_words(record) for record in out.records]


def _words(record: Trades | DeadLetter) -> Any:
    if isinstance(record, DeadLetter):
        return ("dead", record.reason)
    if record.history:
        return ("history", len(record.history))
    if record.gap is not None:
        gap = record.gap
        return ("closed" if not gap.open else gap.reason, gap.after_id, gap.before_id)
    return (record.kind, record.ids) if record.ids else record.watermark - START


def following(last: Trade | None, ids: Ids = Ids.CONSECUTIVE, kind: str = "live", recent: Sequence[Trade] = ()) -> Stream:
    """A stream that is subscribed, and has told everything up to `last`."""
    position = None if last is None else Position(last, last.time, tuple(recent))
    stream = Stream(BTC, ids, REACH, kind, position, Counts(), 0.0, 100)
    if kind == "live":
        stream.joined(START, RECEIVED, 0.0)
        if last is not None:
            wanted = stream.tick(START, RECEIVED, 1.5).wanted[0]
            stream.repaired(Repaired(wanted, (last,), since=wanted.since), RECEIVED, 1.6)
            assert stream.open_gaps == ()
    return stream


def arrive(stream: Stream, told: Sequence[Trade], now: float = 2.0, **more: Any) -> Outcome:
    """Trades come."""
    return stream.arrived(told, RECEIVED, 0, now, **more)


def asked(stream: Stream, now: float = 10.0) -> Repair:
    """The repair that is wanted when time has passed."""
    (wanted,) = [one for one in stream.tick(0, RECEIVED, now).wanted if isinstance(one, Repair)]
    return wanted


def answer(wanted: Repair, first: int, last: int, **more: Any) -> Repaired:
    """REST told these ids."""
    return Repaired(wanted, tuple(trades(first, last)), since=wanted.since, **more)


def audit(stream: Stream, seen: int = 0, now: float = 100.0) -> Audit:
    """The audit that is wanted now."""
    (wanted,) = [one for one in stream.tick(seen, RECEIVED, now).wanted if isinstance(one, Audit)]
    return wanted


def page(wanted: Audit, told: Sequence[Trade], complete_to: int, **more: Any) -> Audited:
    """REST's newest trades."""
    return Audited(wanted, tuple(told), complete_to, **more)
