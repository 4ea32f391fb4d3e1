"""What a session wants done."""

from msgspec import Struct

from producers.outcome import Audit, Repair
from schemas.codec import Record
from schemas.market import Notice


class Send(Struct, frozen=True):
    """Say something on a connection; None asks for a sign of life in the websocket's own way."""

    connection: int
    text: str | None


class End(Struct, frozen=True):
    """Give a connection up; `cause` is one of few, `detail` says more. `next_host`: the next one leads elsewhere."""

    connection: int
    cause: str
    detail: str = ""
    next_host: bool = False


class Snapshot(Struct, frozen=True):
    """Fetch a book over REST, for the books of one connection."""

    connection: int
    market_id: str


class Todo(Struct):
    """Each list in order; `notices` are records too. `overlap`: make a second connection. `listing`: something is listed."""

    records: list[Record] = []
    notices: list[Notice] = []
    wanted: list[Repair | Audit | Snapshot] = []
    sends: list[Send] = []
    ends: list[End] = []
    overlap: bool = False
    listing: bool = False
