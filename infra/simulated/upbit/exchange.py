"""Upbit v1 as one of the simulated venues: its address, rules and refusals."""

from infra.simulated.exchange import Answer, Close, Opening, Query, Rules
from infra.simulated.faults import FaultKind
from infra.simulated.feeds import Frame, Moment
from infra.simulated.listing import paced
from infra.simulated.market import Market
from infra.simulated.tape import Tape
from infra.simulated.upbit import rest
from infra.simulated.upbit.board import UpbitBoard
from infra.simulated.upbit.encoding import sequential_id
from infra.simulated.upbit.listings import LISTINGS
from infra.simulated.upbit.talk import UpbitTalk

_REFUSALS: dict[FaultKind, tuple[int, int | str, str]] = {
    FaultKind.RATE_LIMIT: (429, "too_many_requests", "Too many API requests."),
    FaultKind.MAINTENANCE: (503, 503, "Service Temporarily Unavailable"),
    FaultKind.SERVER_ERROR: (500, "server_error", "Internal Server Error"),
}


class Upbit:
    """Upbit over one market."""

    name = "upbit"
    rules = Rules(
        silence=120.0,
        idle=Close(1000, "idle timeout"),
        messages_per_second=5,
        excess=Close(1008, "too many requests"),
        binary=True,
        connects_limited=True,
    )
    garbage: tuple[Frame, ...] = (
        b'{"type":"trade","code":"KRW-BTC","timestamp":17302523',
        b'{"type":"moonPhase","code":"KRW-BTC","phase":"waxing","stream_type":"REALTIME"}',
        b'{"type":"trade","code":"KRW-BTC","trade_price":"dear","trade_volume":-1e400,"sequential_id":null,"ask_bid":"HOLD"}',
    )

    def __init__(self, market: Market) -> None:
        self._board = UpbitBoard(market)
        self.board = self._board.board

    def told(self, name: str, now_ms: int) -> Tape:
        """Return the trades as they are: each is told by itself."""
        return self.board.tape(name, now_ms)

    def trade_id(self, name: str, tape_id: int) -> int | str:
        """Return a trade's sequential id."""
        return sequential_id(self.board.tape(name, 0), tape_id)

    def accepts(self, path: str, query: Query) -> bool:  # noqa: ARG002 - part of the contract
        """Whether there is such an address."""
        return path == "/websocket/v1"

    def talk(self, path: str, query: Query, connection: str, now: Moment) -> UpbitTalk:  # noqa: ARG002 - part of the contract
        """Begin to talk."""
        return UpbitTalk(self._board)

    def rest(self, method: str, path: str, query: Query, body: bytes, now: Moment) -> Answer:  # noqa: ARG002 - only GETs here
        """Answer a request."""
        return rest.answer(self._board, path, query, now)

    def refusal(self, kind: FaultKind, path: str, seconds: float, now: Moment) -> Answer | None:  # noqa: ARG002 - all alike
        """Return what everything is answered with for a while."""
        return rest.refused(*_REFUSALS[kind])


UPBIT = Opening(lambda count, pace: paced(LISTINGS, count, pace), Upbit)
