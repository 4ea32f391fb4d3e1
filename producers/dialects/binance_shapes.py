"""The shapes of what Binance sends, with its letters for names."""

from typing import Annotated, Final, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from schemas.exact import INT64_MAX

Whole = Annotated[int, Meta(ge=0, le=INT64_MAX)]
Levels = list[tuple[str, str]]
_NOTHING: Final = msgspec.Raw()
_Data = TypeVar("_Data")


class Wrapped(Struct, Generic[_Data], gc=False):
    """What comes on a combined stream."""

    data: _Data


class Error(Struct):
    """Why a request is refused."""

    code: int
    msg: str


class Frame(Struct):
    """Any frame: data of a stream, which is not read yet, or an answer to a request."""

    stream: str = ""
    data: msgspec.Raw = _NOTHING
    event: msgspec.Raw = _NOTHING
    id: int | str | None = None
    result: msgspec.Raw = _NOTHING
    error: Error | None = None
    code: int | None = None
    msg: str = ""


class Tagged(Struct):
    """Data of any kind; without `e` it is a quote of spot or a part of a book."""

    e: str = ""
    last_update_id: int | None = field(default=None, name="lastUpdateId")


class Aggregate(Struct, gc=False):
    """Trades `f` to `l`; `m`: the buyer was the maker."""

    e: Literal["aggTrade"]
    E: Whole
    s: str
    a: Whole
    p: str
    q: str
    f: Whole
    l: Whole  # noqa: E741 - the venue's spelling
    T: Whole
    m: bool


class Single(Struct, gc=False):
    """Trade `t`; `X` says of futures' trades whether they went through the book."""

    E: Whole
    s: str
    t: Whole
    p: str
    q: str
    T: Whole
    m: bool
    X: str = "MARKET"


class Quote(Struct, gc=False):
    """Best bid and ask; spot tells no time."""

    s: str
    b: str
    B: str
    a: str
    A: str
    T: Whole = 0


class Depth(Struct):
    """Changes `U` to `u` of a book."""

    E: Whole
    s: str
    U: Whole
    u: Whole
    b: Levels
    a: Levels
    T: Whole = 0
    pu: Whole | None = None


class Bar(Struct):
    """A candle as far as it has come; `x`: it is final."""

    t: Whole
    i: str
    o: str
    h: str
    l: str  # noqa: E741 - the venue's spelling
    c: str
    v: str
    q: str
    n: Whole
    x: bool


class Candle(Struct):
    """A candle of a symbol."""

    s: str
    k: Bar


class Mark(Struct):
    """Mark and index price; contracts that expire have no rate."""

    E: Whole
    s: str
    p: str
    i: str = ""
    r: str = ""
    T: Whole = 0


class Contract(Struct):
    """A contract that was listed or has changed."""

    s: str
    cs: str


wrapped_aggregate: Final = msgspec.json.Decoder(Wrapped[Aggregate]).decode
wrapped_quote: Final = msgspec.json.Decoder(Wrapped[Quote]).decode
frame: Final = msgspec.json.Decoder(Frame).decode
tagged: Final = msgspec.json.Decoder(Tagged).decode
aggregate: Final = msgspec.json.Decoder(Aggregate).decode
single: Final = msgspec.json.Decoder(Single).decode
quote: Final = msgspec.json.Decoder(Quote).decode
depth: Final = msgspec.json.Decoder(Depth).decode
candle: Final = msgspec.json.Decoder(Candle).decode
mark: Final = msgspec.json.Decoder(Mark).decode
contract: Final = msgspec.json.Decoder(Contract).decode
