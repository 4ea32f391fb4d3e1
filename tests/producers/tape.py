"""One instrument and its trades, as the tests of the producers tell them."""

from decimal import Decimal

from producers.continuity import Counts, Position, Repair, Repaired, State, Stream
from producers.dialect import Ticker, Trade
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


def ticker(time: int, last: Trade, market_id: str = "BTC-USDT") -> Ticker:
    """A ticker of a time that knows `last` as the last trade."""
    one = Decimal(1)
    return Ticker(market_id, time, last.price - one, one, last.price + one, one, last.price, last.amount)


def live(position: Trade | None = None, *, now: float = 0.0) -> Stream:
    """A stream that has just become live behind `position`, or that has never seen a trade."""
    stream = Stream(BTC, "live", Position(position, position.time if position else START), Counts(), now)
    stream.state = State.LIVE
    return stream


def ids(records: list[Trades]) -> list[int]:
    """Of all the trades in the records, in order."""
    return [trade_id for record in records for trade_id in record.ids]


def answer(wanted: Repair, newest: int, oldest: int = 1) -> Repaired:
    """What a venue finds that still has the trades `oldest` to `newest`."""
    before = newest + 1 if wanted.before_id is None else min(wanted.before_id, newest + 1)
    kept = trades(oldest, before - 1) if before > oldest else []
    if wanted.after_id is not None:
        return Repaired(wanted.since, tuple(one for one in kept if one.id > wanted.after_id))
    base = next((one for one in reversed(kept) if one.time < wanted.since), None)
    return Repaired(wanted.since, tuple(one for one in kept if one.time >= wanted.since), base=base)
