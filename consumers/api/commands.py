"""Routes that change something: each becomes a record in `trading.commands`, and the log decides what comes of it."""

import time
import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from consumers.api import database, token
from consumers.api.models import CommandAccepted, CommandRequest, problems
from consumers.execution.strategy import StrategySettings
from schemas import ids
from schemas.trading import Command

STRATEGIES = (StrategySettings.name,)

router = APIRouter(prefix="/v1", tags=["commands"], responses=problems(401, 404, 422, 503))
_bearer = HTTPBearer(auto_error=False, description="the content of `<state>/token`")


def authorized(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> None:
    """Let only holders of the token pass."""
    if given is None or not token.matches(given.credentials, request.app.state.token):
        wrong = "a bearer token is needed" if given is None else "this is not the token"
        where = request.app.state.settings.state / "token"
        raise HTTPException(401, f"{wrong}: it is in {where}", headers={"WWW-Authenticate": "Bearer"})


@router.post("/strategies/{strategy}/{action}", status_code=202, dependencies=[Depends(authorized)])
async def command(
    request: Request,
    strategy: str,
    action: Literal["start", "stop"],
    market: CommandRequest,
) -> CommandAccepted:
    """Start or stop a strategy in one market. Accepted means published: the strategy obeys in the order of its inputs."""
    if strategy not in STRATEGIES:
        raise HTTPException(404, f"unknown strategy {strategy!r}: known are {', '.join(STRATEGIES)}")
    await database.require_market(request.app.state.pool, market.venue, market.symbol)
    account = request.app.state.settings.account
    published = Command(
        id=ids.derive("command", account, strategy, action, market.venue, market.symbol, str(uuid.uuid4())),
        venue=market.venue,
        symbol=market.symbol,
        account=account,
        strategy=strategy,
        action=action,
        requested=time.time_ns() // 1_000_000,
        by="api",
    )
    await request.app.state.broker.publish(published)
    return CommandAccepted(
        id=published.id,
        venue=published.venue,
        symbol=published.symbol,
        account=account,
        strategy=strategy,
        action=action,
        requested=published.requested,
    )
