"""A venue as a stream sees it: what it trades, what of that its websocket and its REST interface tell, and when."""

from collections.abc import Coroutine, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from producers.clock import Clock
from producers.dialect import Ids, Request, Trade, VenueCandle
from producers.rest import RestError
from schemas.ids import name_id
from schemas.market import HistoryCandle, Instrument
from tests.producers.tape import MINUTE, START

T = TypeVar("T")
PAGE = 8
CANDLES = 3


class ModelVenue:
    """Its trades so far, and its clock (ms). Every trade has a price of its own, by which it is told from all others.

    `forgets`: REST keeps only so many of them. `lag_ms`: how far it is behind. `failing`: it answers with errors.
    """

    def __init__(self, ids: Ids, *, forgets: int = 10**9) -> None:
        self.ids = ids
        self.time = START + 30_000
        self.lag_ms = 0
        self.failing = False
        self.trades: list[Trade] = []
        self._forgets = forgets

    def trade(self, gap_ms: int) -> Trade:
        """The next trade, so long after the one before."""
        self.time += gap_ms
        number = len(self.trades) + 1
        name = name_id(f"trade {number}")
        key = {Ids.CONSECUTIVE: number, Ids.RISING: number * 10 + name % 7, Ids.NAMED: name}[self.ids]
        amount = Decimal(number % 7 + 1).scaleb(-3)
        made = Trade(key, key, self.time, Decimal(1000 + number).scaleb(-1), amount, taker_buy=number % 2 == 0)
        self.trades.append(made)
        return made

    def told(self) -> list[Trade]:
        """What REST knows."""
        known = [trade for trade in self.trades if trade.time <= self.time - self.lag_ms]
        return known[-self._forgets :]


class ModelRest:
    """The REST interface of the model; candles of a quarter of an hour before the first trade."""

    def __init__(self, venue: ModelVenue) -> None:
        self._venue = venue

    async def time(self) -> int:
        self._fail()
        return self._venue.time

    async def ask(self, request: Request) -> list[Trade] | list[VenueCandle]:
        self._fail()
        if request.method == "candles":
            before = int(request.params["before"])
            opened = range(START // MINUTE * MINUTE - CANDLES * MINUTE, min(before, self._venue.time), MINUTE)
            return [VenueCandle(self._candle(at), closed=at + MINUTE <= self._venue.time - self._venue.lag_ms) for at in opened]
        known = self._venue.told()
        if "before" in request.params:
            edge = int(request.params["before"])
            known = [trade for trade in known if trade.first_id < edge]
        return known[-PAGE:]

    def _candle(self, open_time: int) -> HistoryCandle:
        inside = [trade for trade in self._venue.trades if open_time <= trade.time < open_time + MINUTE]
        price = inside[-1].price if inside else Decimal(1)
        return HistoryCandle(open_time, price, price, price, price, Decimal(len(inside)), Decimal(1))

    def _fail(self) -> None:
        if self._venue.failing:
            raise RestError("500 no answer")


class ModelDialect:
    """As much of a dialect as fetching needs. `cursor`: REST can be asked for older trades."""

    name = "okx"
    margin_ms = 500

    def __init__(self, venue: ModelVenue, *, cursor: bool) -> None:
        self._venue = venue
        self._cursor = cursor

    def ids(self, instrument: Instrument) -> Ids:
        return self._venue.ids

    def recent_trades(self, instrument: Instrument) -> int:
        return PAGE

    def trades_request(self, instrument: Instrument, before: Trade | None) -> Request | None:
        if before is None:
            return Request("trades", {})
        return Request("trades", {"before": str(before.first_id)}) if self._cursor else None

    def trades_page(self, instrument: Instrument, answer: Any) -> tuple[Trade, ...]:
        return tuple(answer)

    def candles_request(self, instrument: Instrument, before: int) -> Request:
        return Request("candles", {"before": str(before)})

    def candles_page(self, instrument: Instrument, answer: Any) -> tuple[VenueCandle, ...]:
        return tuple(answer)


class ModelClock(Clock):
    """The venue's own clock: to wait is to let it trade nothing for so long."""

    def __init__(self, venue: ModelVenue) -> None:
        super().__init__()
        self._venue = venue

    async def sleep(self, seconds: float) -> None:
        self._venue.time += int(seconds * 1000)


def finish(work: Coroutine[Any, Any, T]) -> T:
    """The result of work that never really waits."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waits for something")


def by_price(venue: ModelVenue) -> Mapping[Decimal, Trade]:
    """Every trade of the venue by what tells it from all others."""
    return {trade.price: trade for trade in venue.trades}
