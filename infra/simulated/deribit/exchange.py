"""Deribit v2 as one of the simulated venues: its address, rules and refusals, and JSON-RPC over REST."""

from collections.abc import Mapping
from typing import Any

from infra.simulated.deribit import rpc
from infra.simulated.deribit.board import DeribitBoard
from infra.simulated.deribit.encoding import text
from infra.simulated.deribit.listings import LISTINGS
from infra.simulated.deribit.parameters import RpcError
from infra.simulated.deribit.talk import DeribitTalk
from infra.simulated.exchange import Answer, Opening, Query, Rules
from infra.simulated.faults import FaultKind
from infra.simulated.feeds import Frame, Moment
from infra.simulated.listing import paced
from infra.simulated.market import Market
from infra.simulated.tape import Tape

_REST = "/api/v2"
_REFUSALS = {
    FaultKind.RATE_LIMIT: (429, RpcError(10028, "too_many_requests")),
    FaultKind.MAINTENANCE: (503, RpcError(11051, "system_maintenance")),
    FaultKind.SERVER_ERROR: (500, RpcError(11094, "internal_server_error")),
}


class Deribit:
    """Deribit over one market."""

    name = "deribit"
    rules = Rules(connects_limited=True)
    garbage: tuple[Frame, ...] = (
        '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.BTC-PERPETUAL.100ms","data":[{"trade_seq":4',
        '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"moon_phase.btc_usd","data":{"phase":"waxing"}}}',
        '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.BTC-PERPETUAL.100ms","data":[{"price":-1e999}]}}',
    )

    def __init__(self, market: Market) -> None:
        self._board = DeribitBoard(market)
        self.board = self._board.board

    def told(self, name: str, now_ms: int) -> Tape:
        """Return the trades as they are: each is told by itself."""
        return self.board.tape(name, now_ms)

    def trade_id(self, name: str, tape_id: int) -> int | str:  # noqa: ARG002 - the same of all instruments
        """Return a trade's `trade_seq`, which counts the trades of its instrument."""
        return tape_id

    def accepts(self, path: str, query: Query) -> bool:  # noqa: ARG002 - part of the contract
        """Whether there is such an address."""
        return path == "/ws/api/v2"

    def talk(self, path: str, query: Query, connection: str, now: Moment) -> DeribitTalk:  # noqa: ARG002 - part of the contract
        """Begin to talk."""
        return DeribitTalk(self._board, now)

    def rest(self, method: str, path: str, query: Query, body: bytes, now: Moment) -> Answer:
        """Answer a request: a GET with a query, or a POST with the JSON-RPC request as its body."""
        number: object = None
        named, params = path.removeprefix(f"{_REST}/"), dict[str, Any](query)
        if method == "POST":
            request = rpc.parsed(body)
            if request is None:
                return _answer(400, None, now, error=rpc.error(RpcError(-32700, "Parse error")))
            number, given = request.get("id"), request.get("params")
            named, params = str(request.get("method", named)), given if isinstance(given, dict) else {}
        try:
            result = rpc.call(self._board, named, params, now)
        except RpcError as refusal:
            return _answer(400, number, now, error=rpc.error(refusal))
        return _answer(200, number, now, result=result)

    def refusal(self, kind: FaultKind, path: str, seconds: float, now: Moment) -> Answer | None:  # noqa: ARG002 - part of the contract
        """Return what everything is answered with for a while; that the platform is locked is told also then."""
        if kind is FaultKind.MAINTENANCE and path == f"{_REST}/public/status":
            return _answer(200, None, now, result={"locked": "true"})
        status, refusal = _REFUSALS[kind]
        return _answer(status, None, now, error=rpc.error(refusal))


def _answer(status: int, number: object, now: Moment, **outcome: Any) -> Answer:
    told: Mapping[str, Any] = rpc.reply(number, now, **outcome)
    return Answer(status, text(told))


DERIBIT = Opening(lambda count, pace: paced(LISTINGS, count, pace), Deribit)
