"""One instrument and its trades, as the tests of the producers tell them."""

from collections.abc import Iterable
from decimal import Decimal

from producers.dialect import Trade
from schemas.market import Instrument, Trades

START = 1_767_571_200_000  # a whole minute
MINUTE = 60_000

BTC = Instrument(
    venue="okx",
    symbol="BTC/USDT",
    market_id="BTC-USDT",
    type="spot",
    base="BTC",
    quote="USDT",
    settle=None,
    contract_size=Decimal(1),
    inverse=False,
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.00000001"),
    min_amount=Decimal("0.00001"),
    active=True,
    expiry=None,
    valid_from=0,
)


def trade(trade_id: int, *, time: int | None = None, count: int = 1) -> Trade:
    """The trade of an id: one a second from START on, at a price and of an amount that tell it from its neighbours."""
    at = START + trade_id * 1000 if time is None else time
    amount = Decimal(trade_id % 7 + 1).scaleb(-3)
    return Trade(trade_id, trade_id - count + 1, at, 100 + Decimal(trade_id % 10).scaleb(-1), amount, taker_buy=trade_id % 2 == 0)


def trades(first: int, last: int) -> list[Trade]:
    """The trades of these ids, both inclusive."""
    return [trade(trade_id) for trade_id in range(first, last + 1)]


def ids(records: Iterable[Trades]) -> list[int]:
    """Of all the trades in the records, in order."""
    return [trade_id for record in records for trade_id in record.ids]
