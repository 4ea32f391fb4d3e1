"""OKX v5 as one of the simulated venues."""

from pathlib import Path
from typing import Final

from infra.simulated.board import Board
from infra.simulated.exchange import Answer, Close, Opening, Query, Rules
from infra.simulated.faults import FaultKind
from infra.simulated.feeds import Frame, Moment
from infra.simulated.listing import listings
from infra.simulated.market import Market
from infra.simulated.okx import rest
from infra.simulated.okx.channels import ADDRESSES
from infra.simulated.okx.encoding import status_row
from infra.simulated.okx.naming import by_inst_id
from infra.simulated.okx.recorded import recorded_market
from infra.simulated.okx.talk import Talk
from infra.simulated.tape import Tape

_REST, _WEBSOCKET = "/api/v5/", "/ws/v5/"
_ERRORS: Final = {
    FaultKind.RATE_LIMIT: (429, "50011", "Too Many Requests"),
    FaultKind.SERVER_ERROR: (500, "50026", "System error. Try again later"),
    FaultKind.MAINTENANCE: (503, "50001", "Service temporarily unavailable. Try again later"),
}


class Okx:
    """A connection on which nothing was said for 30 seconds, by either side, is closed with code 4004."""

    name = "okx"
    rules = Rules(silence=30.0, idle=Close(4004, "No data received in 30s."))
    garbage: tuple[Frame, ...] = (
        '{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"1306394',
        '{"arg":{"channel":"moon-phases","instId":"BTC-USDT"},"data":[{"phase":"waxing","ts":"1597026383085"}]}',
        '{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"1","px":"NaN","sz":[],"ts":-1}]}',
        bytes(range(256)),
    )

    def __init__(self, market: Market) -> None:
        self.board = Board(market, by_inst_id(market.listings))

    def told(self, name: str, now_ms: int) -> Tape:
        """Each trade is told by itself."""
        return self.board.tape(name, now_ms)

    def trade_id(self, name: str, tape_id: int) -> int:  # noqa: ARG002 - part of the contract
        """The ids of the tape are OKX's: one above the other."""
        return tape_id

    def accepts(self, path: str, query: Query) -> bool:  # noqa: ARG002 - part of the contract
        """`/ws/v5/public` and `/ws/v5/business`."""
        return path.removeprefix(_WEBSOCKET) in ADDRESSES

    def talk(self, path: str, query: Query, connection: str, now: Moment) -> Talk:  # noqa: ARG002 - part of the contract
        """Begin to talk."""
        return Talk(self.board, path.removeprefix(_WEBSOCKET), connection)

    def rest(self, method: str, path: str, query: Query, body: bytes, now: Moment) -> Answer:  # noqa: ARG002 - nothing is sent
        """Answer a request below `/api/v5/`."""
        if method != "GET" or not path.startswith(_REST):
            return Answer(*rest.MISSING)
        return Answer(*rest.answer(self.board, path.removeprefix(_REST), query, now))

    def refusal(self, kind: FaultKind, path: str, seconds: float, now: Moment) -> Answer | None:
        """In maintenance, the system's status is still told."""
        if kind is FaultKind.MAINTENANCE and path == f"{_REST}system/status":
            row = status_row(now.told, now.told + int(seconds * 1000), now.told)
            return Answer(200, {"code": "0", "msg": "", "data": [row]})
        status, code, message = _ERRORS[kind]
        return Answer(status, {"code": code, "msg": message, "data": []})


def _recorded(capture: Path, start_ms: int) -> Market:
    return recorded_market(capture, capture.parent / "instruments.json", start_ms)


OKX: Final = Opening(listings, Okx, _recorded)
