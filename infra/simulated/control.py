"""The venue's back door, below `/control`: its clock, its ledger and its faults. No real venue has one.

GET  /control/clock                                    {"now", "start", "speed", "state"}
POST /control/clock   {"speed": 60, "state": "pause"}  either or both; answers as GET does
GET  /control/ledger                                   {"now", "instruments": {instId: first_id, last_id, trades .. }}
GET  /control/ledger/trades?instId=&after=&limit=      rows [id, time, price, amount, side], oldest first
POST /control/fault   {"kind": "skip", "count": 5, "instrument": "BTC-USDT"}   {"connections": 1}
"""

from typing import Any, Literal

from fastapi import APIRouter, HTTPException
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
    count: int = Field(default=1, ge=1, le=PAGE)
    seconds: float = Field(default=1.0, ge=0)
    instrument: str | None = None


def control(venue: Venue) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/control")

    @router.get("/clock")
    async def read_clock() -> dict[str, Any]:
        clock = venue.clock
        return {"now": clock.now_ms(), "start": clock.start_ms, "speed": clock.speed, "state": clock.state.value}

    @router.post("/clock")
    async def set_clock(order: ClockOrder) -> dict[str, Any]:
        try:
            if order.state is not None:
                venue.clock.set_state(ClockState(order.state))
            if order.speed is not None:
                venue.clock.set_speed(order.speed)
        except ValueError as error:
            raise HTTPException(409, str(error)) from error
        return await read_clock()

    @router.get("/ledger")
    async def read_ledger() -> dict[str, Any]:
        now = venue.clock.now_ms()
        accounts = {name: account(venue.market, one, now) for name, one in venue.board.listings.items()}
        return {"now": now, "instruments": {name: one._asdict() for name, one in accounts.items()}}

    @router.get("/ledger/trades")
    async def read_trades(instId: str, after: int = 0, limit: int = PAGE) -> dict[str, Any]:  # noqa: N803 - OKX's word
        _known(venue, instId)
        now = venue.clock.now_ms()
        tape, numbers = venue.board.tape(instId, now), venue.board.numbers[instId]
        low = max(tape.before(venue.market.start_ms), tape.position(after + 1))
        trades = tape.slice(low, max(low, min(tape.through(now), low + min(limit, PAGE))))
        columns = zip(*(column.tolist() for column in trades), strict=True)
        rows = [[i, t, numbers.price(p), numbers.size(s), "buy" if b else "sell"] for i, t, p, s, b in columns]
        return {"now": now, "trades": rows}

    @router.post("/fault")
    async def strike(order: FaultOrder) -> dict[str, int]:
        if order.instrument is not None:
            _known(venue, order.instrument)
        return {"connections": venue.strike(Fault(order.kind, order.count, order.seconds, order.instrument))}

    return router


def _known(venue: Venue, name: str) -> None:
    if name not in venue.board.listings:
        raise HTTPException(404, f"no instrument {name}; there are {', '.join(venue.board.listings)}")
