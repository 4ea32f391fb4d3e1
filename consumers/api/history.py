"""Routes over what is stored: a page at a time, newest first."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, HTTPException, Query, Request

from consumers.api import database, models, queries
from consumers.api.models import Item, Page, problems
from consumers.api.queries import LATEST_MS, Source, Wanted

LARGEST_PAGE: Final = 1000

router = APIRouter(prefix="/v1", tags=["history"], responses=problems(404, 422, 503))


@dataclass(frozen=True)
class Window:
    """Which rows: of a range of time, one page."""

    since: Annotated[int | None, Query(alias="from", ge=0, le=LATEST_MS, description="epoch ms, included")] = None
    until: Annotated[int | None, Query(alias="to", ge=0, le=LATEST_MS, description="epoch ms, excluded")] = None
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 100
    before: Annotated[str | None, Query(description="`next` of the page before")] = None


Asked = Annotated[Window, Depends()]


@router.get("/candles")
async def candles(
    request: Request, venue: models.Venue, symbol: models.Symbol, timeframe: models.Timeframe, window: Asked
) -> Page[models.Candle]:
    """Candles of one market and timeframe, each in its newest revision; the time is that of their opening."""
    _require_timeframe(request, timeframe)
    return await _page(request, queries.CANDLES, window, venue=venue, symbol=symbol, timeframe=timeframe)


@router.get("/trades")
async def trades(request: Request, venue: models.Venue, symbol: models.Symbol, window: Asked) -> Page[models.Trade]:
    """Public trades of one market."""
    return await _page(request, queries.TRADES, window, venue=venue, symbol=symbol)


@router.get("/signals")
async def signals(
    request: Request,
    window: Asked,
    venue: models.Venue | None = None,
    symbol: models.Symbol | None = None,
    timeframe: models.Timeframe | None = None,
) -> Page[models.Signal]:
    """What the rules said, of all markets or of one."""
    if timeframe is not None:
        _require_timeframe(request, timeframe)
    return await _page(request, queries.SIGNALS, window, venue=venue, symbol=symbol, timeframe=timeframe)


@dataclass(frozen=True)
class Trading:
    """Whose and where, if not everyone's everywhere."""

    venue: models.Venue | None = None
    symbol: models.Symbol | None = None
    account: models.Account | None = None
    strategy: models.Strategy | None = None


Of = Annotated[Trading, Depends()]


@router.get("/orders")
async def orders(request: Request, window: Asked, of: Of) -> Page[models.Order]:
    """Orders, each in its newest state; the time is that of the state."""
    return await _page(request, queries.ORDERS, window, **vars(of))


@router.get("/fills")
async def fills(request: Request, window: Asked, of: Of) -> Page[models.Fill]:
    """Executions of orders."""
    return await _page(request, queries.FILLS, window, **vars(of))


@router.get("/positions")
async def positions(request: Request, window: Asked, of: Of) -> Page[models.Position]:
    """Positions, each in its newest state; the time is that of the state."""
    return await _page(request, queries.POSITIONS, window, **vars(of))


@router.get("/refusals")
async def refusals(request: Request, window: Asked, of: Of) -> Page[models.Refusal]:
    """Signals that became no order, and why."""
    return await _page(request, queries.REFUSALS, window, **vars(of))


async def _page(request: Request, source: Source[Item], window: Window, **equal: str | None) -> Page[Item]:
    given = {column: value for column, value in equal.items() if value is not None}
    if "symbol" in given and "venue" not in given:
        raise HTTPException(422, "symbol: a symbol is one venue's, so give the venue too")
    pool = request.app.state.pool
    if "venue" in given:
        await database.require_market(pool, given["venue"], given.get("symbol"))
    wanted = Wanted(window.limit, given, window.since, window.until, window.before)
    items, following = await database.rows(pool, source, wanted)
    return Page(items=[source.model.model_validate(row) for row in items], next=following)


def _require_timeframe(request: Request, timeframe: str) -> None:
    allowed = request.app.state.settings.timeframes
    if timeframe not in allowed:
        raise HTTPException(422, f"unknown timeframe {timeframe!r}: allowed are {', '.join(allowed)}")
