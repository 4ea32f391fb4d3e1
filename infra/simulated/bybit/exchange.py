"""Bybit v5 as one of the simulated venues: its addresses, rules and refusals."""

from infra.simulated.bybit import rest
from infra.simulated.bybit.board import Boards
from infra.simulated.bybit.encoding import trade_name
from infra.simulated.bybit.listings import LISTINGS
from infra.simulated.bybit.talk import STATUS, BybitTalk, maintenance_row
from infra.simulated.exchange import Answer, Close, Opening, Query, Rules
from infra.simulated.faults import FaultKind
from infra.simulated.feeds import Frame, Moment
from infra.simulated.listing import paced
from infra.simulated.market import Market
from infra.simulated.tape import Tape

_ADDRESSES = {
    "/v5/public/spot": "spot",
    "/v5/public/linear": "linear",
    "/v5/public/inverse": "inverse",
    "/v5/public/option": "option",
    "/v5/public/misc/status": STATUS,
}
_REFUSALS = {
    FaultKind.RATE_LIMIT: (429, 10006, "Too many visits. Exceeded the API Rate Limit."),
    FaultKind.MAINTENANCE: (503, 10016, "Service is restarting, please try again later."),
    FaultKind.SERVER_ERROR: (500, 10016, "Internal System Error."),
}


class Bybit:
    """Bybit over one market."""

    name = "bybit"
    rules = Rules(unheard=600.0, idle=Close(1000, "no message within 10 minutes"), connects_limited=True)
    garbage: tuple[Frame, ...] = (
        '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672304486868,"data":[{"T":16723044868',
        '{"topic":"moonPhase.BTCUSDT","type":"snapshot","ts":1672304486868,"data":[{"phase":"waxing"}]}',
        '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":"soon","data":{"T":[],"s":7,"p":-1,"v":"NaN","S":"Hold"}}',
    )

    def __init__(self, market: Market) -> None:
        self._boards = Boards(market)
        self.board = self._boards.board

    def told(self, name: str, now_ms: int) -> Tape:
        """Return the trades as they are: each is told by itself."""
        return self.board.tape(name, now_ms)

    def trade_id(self, name: str, tape_id: int) -> int | str:
        """Return a trade's name."""
        return trade_name(self.board.listings[name], tape_id)

    def accepts(self, path: str, query: Query) -> bool:  # noqa: ARG002 - part of the contract
        """Whether there is such an address."""
        return path in _ADDRESSES

    def talk(self, path: str, query: Query, connection: str, now: Moment) -> BybitTalk:  # noqa: ARG002 - part of the contract
        """Begin to talk on an address."""
        return BybitTalk(self._boards, _ADDRESSES[path], connection)

    def rest(self, method: str, path: str, query: Query, body: bytes, now: Moment) -> Answer:  # noqa: ARG002 - only GETs here
        """Answer a request."""
        return rest.answer(self._boards, path, query, now)

    def refusal(self, kind: FaultKind, path: str, seconds: float, now: Moment) -> Answer | None:
        """Return what everything is answered with for a while; the status of the system is told also then."""
        if path == "/v5/public/misc/status":
            return None
        if kind is FaultKind.MAINTENANCE and path == "/v5/system/status":
            return Answer(200, rest.envelope(0, "", {"list": [maintenance_row(seconds, now)]}, now.told))
        status, code, message = _REFUSALS[kind]
        return Answer(status, rest.envelope(code, message, {}, now.told))


BYBIT = Opening(lambda count, pace: paced(LISTINGS, count, pace), Bybit)
