"""Bitget v2 as one of the simulated venues: its address, rules and refusals."""

from infra.simulated.bitget import rest
from infra.simulated.bitget.board import Boards
from infra.simulated.bitget.encoding import trade_name
from infra.simulated.bitget.listings import LISTINGS
from infra.simulated.bitget.talk import BitgetTalk
from infra.simulated.exchange import Answer, Close, Opening, Query, Rules
from infra.simulated.faults import FaultKind
from infra.simulated.feeds import Frame, Moment
from infra.simulated.listing import paced
from infra.simulated.market import Market
from infra.simulated.tape import Tape

_REFUSALS = {
    FaultKind.RATE_LIMIT: (429, "429", "Too Many Requests"),
    FaultKind.MAINTENANCE: (503, "40200", "Server upgrade, please try again later"),
    FaultKind.SERVER_ERROR: (500, "40725", "service return an error"),
}


class Bitget:
    """Bitget over one market."""

    name = "bitget"
    rules = Rules(
        unheard=120.0,
        idle=Close(1000, "no ping within 2 minutes"),
        lifetime=86_400.0,
        messages_per_second=10,
        excess=Close(1008, "too many requests"),
        connects_limited=True,
    )
    garbage: tuple[Frame, ...] = (
        '{"action":"update","arg":{"instType":"SPOT","channel":"trade","instId":"BTCUSDT"},"data":[{"ts":"169571',
        '{"action":"update","arg":{"instType":"SPOT","channel":"moon-phase","instId":"BTCUSDT"},"data":[{"phase":"full"}],"ts":1}',
        '{"action":"update","arg":{"instType":"SPOT","channel":"trade","instId":"BTCUSDT"},"data":[{"ts":null,"price":"-1"}],"ts":{}}',
    )

    def __init__(self, market: Market) -> None:
        self._boards = Boards(market)
        self.board = self._boards.board

    def told(self, name: str, now_ms: int) -> Tape:
        """Return the trades as they are: each is told by itself."""
        return self.board.tape(name, now_ms)

    def trade_id(self, name: str, tape_id: int) -> int | str:  # noqa: ARG002 - all instruments are numbered alike
        """Return a trade's id."""
        return trade_name(tape_id)

    def accepts(self, path: str, query: Query) -> bool:  # noqa: ARG002 - part of the contract
        """Whether there is such an address."""
        return path == "/v2/ws/public"

    def talk(self, path: str, query: Query, connection: str, now: Moment) -> BitgetTalk:  # noqa: ARG002 - part of the contract
        """Begin to talk."""
        return BitgetTalk(self._boards)

    def rest(self, method: str, path: str, query: Query, body: bytes, now: Moment) -> Answer:  # noqa: ARG002 - only GETs here
        """Answer a request."""
        return rest.answer(self._boards, path, query, now)

    def refusal(self, kind: FaultKind, path: str, seconds: float, now: Moment) -> Answer | None:  # noqa: ARG002 - all alike
        """Return what everything is answered with for a while."""
        status, code, message = _REFUSALS[kind]
        return Answer(status, rest.envelope(code, message, None, now.told))


BITGET = Opening(lambda count, pace: paced(LISTINGS, count, pace), Bitget)
