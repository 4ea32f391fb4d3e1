"""The ledger counts the trades of the run, and those of the history apart."""

from infra.simulated.ledger import Account, account
from infra.simulated.listing import LISTINGS
from infra.simulated.market import MINUTE, random_market

START = 1_767_571_200_000


def test_before_anything_trades_there_is_only_history() -> None:
    market = random_market(7, LISTINGS[:1], START)
    tape = market.tape(LISTINGS[0], START)
    before = account(market.tape(LISTINGS[0], START - 1), START, START - 1)
    assert before[:3] == (None, None, 0)
    assert before.history_trades == tape.before(START)


def test_the_run_follows_the_history_without_a_gap() -> None:
    market = random_market(7, LISTINGS[:1], START)
    entry = account(market.tape(LISTINGS[0], START + 10 * MINUTE), START, START + 10 * MINUTE)
    assert entry.first_id is not None
    assert entry.history_first_id is not None
    assert entry.first_id == entry.history_first_id + entry.history_trades
    assert entry.last_id == entry.first_id + entry.trades - 1
    assert 100 < entry.trades < 600


def test_a_market_without_history_has_none() -> None:
    market = random_market(7, LISTINGS[:1], START, history=0)
    assert account(market.tape(LISTINGS[0], START - 1), START, START - 1) == Account(None, None, 0, None, None, 0)
