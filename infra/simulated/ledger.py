"""The ledger: every trade there was, to compare with what arrived."""

from typing import NamedTuple

from infra.simulated.tape import Tape


class Account(NamedTuple):
    """The trades of one instrument from the market's start until now, and those of its history before that.

    Ids are inclusive and None where there was no trade.
    """

    first_id: int | None
    last_id: int | None
    trades: int
    history_first_id: int | None
    history_last_id: int | None
    history_trades: int


def account(tape: Tape, start_ms: int, now_ms: int) -> Account:
    """Count an instrument's trades, of the run and of the history apart."""
    start, known = tape.before(start_ms), tape.through(now_ms)
    ids = tape.slice(0, known).ids
    return Account(*_ends(ids[start:].tolist()), known - start, *_ends(ids[:start].tolist()), start)


def _ends(ids: list[int]) -> tuple[int | None, int | None]:
    return (ids[0], ids[-1]) if ids else (None, None)
