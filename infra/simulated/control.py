"""The venues' back door, below `/control/<venue>`: clock, ledger and faults. No real venue has one.

GET    /control/okx/clock                                  {"now", "start", "speed", "state"}
POST   /control/okx/clock   {"speed": 60, "state": "pause"}  either or both; answers as GET does
GET    /control/okx/ledger                                 {"now", "instruments": {name: first_id, last_id, trades .. }}
GET    /control/okx/ledger/trades?instrument=&skip=&limit= rows [id or name, time, price, amount, side], oldest first
POST   /control/okx/fault   {"kind": "skip", "count": 5, "instrument": "BTC-USDT"}   {"connections": 1}
DELETE /control/okx/fault                                  ends every fault

Trades are what the venue tells as one and go by the id it gives them: on Binance, aggregates.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, Field

from infra.simulated.clock import ClockState
from infra.simulated.faults import Fault, FaultKind
from infra.simulated.ledger import account
from infra.simulated.venue import Venue

PAGE = 10_000  # most rows of the ledger in one answer


class ClockOrder(BaseModel):
    """What to change about the clock."""

    speed: float | None = Field(default=None, gt=0)
    state: Literal["run", "pause", "stop"] | None = None


class FaultOrder(BaseModel):
    """Which fault to let happen; see FaultKind for what the numbers mean."""

    kind: FaultKind
    count: int = Field(default=1, ge=-86_400_000, le=86_400_000)
    seconds: float = Field(default=1.0, ge=0)
    instrument: str | None = None


def control(venues: Mapping[str, Venue]) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/control/{name}")

    def named(name: str) -> Venue:
        if name not in venues:
            raise HTTPException(404, f"no venue {name}; there are {', '.join(venues)}")
        return venues[name]

    One = Annotated[Venue, Depends(named)]  # noqa: N806 - a type

    @router.get("/clock")
    async def read_clock(venue: One) -> dict[str, Any]:
        return _clock(venue)

    @router.post("/clock")
    async def set_clock(venue: One, order: ClockOrder) -> dict[str, Any]:
        return _set_clock(venue, order)

    @router.get("/ledger")
    async def read_ledger(venue: One) -> dict[str, Any]:
        return _ledger(venue)

    @router.get("/ledger/trades")
    async def read_trades(venue: One, instrument: str, skip: int = 0, limit: int = PAGE) -> dict[str, Any]:
        return _trades(venue, _known(venue, instrument), max(0, skip), max(0, min(limit, PAGE)))

    @router.post("/fault")
    async def strike(venue: One, order: FaultOrder) -> dict[str, int]:
        return _strike(venue, order)

    @router.delete("/fault")
    async def clear(venue: One) -> dict[str, Any]:
        venue.clear()
        return {}

    return router


def _set_clock(venue: Venue, order: ClockOrder) -> dict[str, Any]:
    try:
        if order.state is not None:
            venue.clock.set_state(ClockState(order.state))
        if order.speed is not None:
            venue.clock.set_speed(order.speed)
    except ValueError as error:
        raise HTTPException(409, str(error)) from error
    venue.wake()
    return _clock(venue)


def _ledger(venue: Venue) -> dict[str, Any]:
    now, start = venue.clock.now_ms(), venue.market.start_ms
    instruments = {}
    for name in venue.board.listings:
        counted = account(venue.exchange.told(name, now), start, now)._asdict()
        named = {
            key: venue.exchange.trade_id(name, one) for key, one in counted.items() if key.endswith("_id") and one is not None
        }
        instruments[name] = {**counted, **named}
    return {"now": now, "instruments": instruments}


def _strike(venue: Venue, order: FaultOrder) -> dict[str, int]:
    if order.instrument is not None:
        _known(venue, order.instrument)
    if order.count < 1 and order.kind is not FaultKind.CLOCK_SKEW:
        raise HTTPException(422, "count has to be 1 or more")
    return {"connections": venue.strike(Fault(order.kind, order.count, order.seconds, order.instrument))}


def _clock(venue: Venue) -> dict[str, Any]:
    clock = venue.clock
    return {"now": clock.now_ms(), "start": clock.start_ms, "speed": clock.speed, "state": clock.state.value}


def _trades(venue: Venue, name: str, skip: int, limit: int) -> dict[str, Any]:
    now = venue.clock.now_ms()
    tape, figures = venue.exchange.told(name, now), venue.board.figures[name]
    low = tape.before(venue.market.start_ms) + skip
    trades = tape.slice(low, max(low, min(tape.through(now), low + limit)))
    rows = [
        [venue.exchange.trade_id(name, i), t, figures.short_price(p), figures.short_size(s), "buy" if b else "sell"]
        for i, t, p, s, b in zip(*(column.tolist() for column in trades), strict=True)
    ]
    return {"now": now, "trades": rows}


def _known(venue: Venue, name: str) -> str:
    if name not in venue.board.listings:
        raise HTTPException(404, f"no instrument {name}; there are {', '.join(venue.board.listings)}")
    return name
