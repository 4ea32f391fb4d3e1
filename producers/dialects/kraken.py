"""Kraken, websocket API v2: https://docs.kraken.com/api/docs/websocket-v2/trade - spot.

Trade ids rise by one within a market; `side` is the taker's; numbers are bare and must be read exactly, since the checksum of a
book is taken over their digits, zeros at the end and all:

    {"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":105944.2,"qty":0.00027625,
     "ord_type":"limit","trade_id":10218208,"timestamp":"2023-10-06T17:35:55.440295Z"}]}

Subscribing brings the last 50 trades first. Each market of a request is acknowledged, or refused, by a frame of its own. REST
reads trades forward from a time: asked for older ones, it is read from a minute before the oldest known. A market's name here is
the websocket's (`BTC/USD`); REST says `XBTUSD`.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from producers.dialect import (
    Acknowledged,
    Announced,
    BookPushed,
    BookRule,
    CandlePushed,
    Channel,
    Event,
    FrameError,
    Ids,
    Ignored,
    Kind,
    Level,
    Limits,
    Message,
    Quoted,
    Refused,
    Request,
    Told,
    Trade,
    TradesPushed,
    VenueCandle,
)
from producers.digits import Table, above, decode, guarded, moment, positive, shaped, whole
from schemas.market import HistoryCandle, Instrument, NoticeKind

_DEPTH: Final = 25  # levels; the venue has 10, 25, 100, 500 and 1000
_CHANNELS: Final[dict[Kind, dict[str, Any]]] = {
    Kind.TRADES: {"channel": "trade", "snapshot": True},
    Kind.QUOTES: {"channel": "ticker", "event_trigger": "bbo"},
    Kind.BOOK: {"channel": "book", "depth": _DEPTH},
    Kind.CANDLES: {"channel": "ohlc", "interval": 1},
}
_KINDS: Final = {params["channel"]: kind for kind, params in _CHANNELS.items()}
_SIDES: Final = {"buy": True, "sell": False, "b": True, "s": False}
_REST_CODES: Final = {"BTC": "XBT", "DOGE": "XDG"}
_STATES: Final[dict[str, NoticeKind]] = {"online": "resumed", "maintenance": "maintenance"}
_COLUMNS: Final = ("open", "high", "low", "close", "vwap", "volume")
_REQUEST: Final = 100  # markets a request
_PAGE: Final = 1_000
_BACK_MS: Final = 60_000
_MINUTES: Final = 720  # what REST has of candles


class Kraken:
    """The dialect of Kraken."""

    name = "kraken"
    hosts: tuple[str, ...] = ("wss://ws.kraken.com",)
    limits = Limits(channels=400, messages_per_s=5.0, connects_per_minute=15)
    ping: str | None = '{"method":"ping"}'
    keepalive_s = 30.0
    acknowledges = True
    margin_ms = 1_000

    def path(self, channel: Channel, instrument: Instrument) -> str | None:
        """One path for all that spot has."""
        del instrument
        return "/v2" if channel.kind in _CHANNELS else None

    def ids(self, instrument: Instrument) -> Ids:
        """`trade_id`."""
        del instrument
        return Ids.CONSECUTIVE

    def recent_trades(self, instrument: Instrument) -> int:
        """The most that one answer holds."""
        del instrument
        return _PAGE

    def greeting(self) -> tuple[Message, ...]:
        """Nothing: the venue itself begins with its status."""
        return ()

    def subscribe(self, wanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """One request a kind, trades first."""
        del held
        return _requests("subscribe", wanted, request)

    def unsubscribe(self, unwanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """The same."""
        del held
        return _requests("unsubscribe", unwanted, request)

    def parse(self, frame: bytes) -> tuple[Event, ...]:
        """What one frame says."""
        return guarded(_events, decode(frame))

    def instrument(self, market: Mapping[str, Any]) -> Instrument:
        """From `AssetPairs`."""
        return guarded(_instrument, market, market.get("info"))

    def trades_request(self, instrument: Instrument, before: Trade | None) -> Request | None:
        """`Trades`: the newest, or those from a minute before a trade on. A fuller minute leaves a hole, which ids show."""
        older = {} if before is None else {"since": f"{max(0, before.time - _BACK_MS)}000000"}
        return Request("public_get_trades", {"pair": _rest_name(instrument.market_id), "count": str(_PAGE), **older})

    def trades_page(self, instrument: Instrument, answer: Any) -> tuple[Trade, ...]:
        """Rows of [price, amount, seconds, side, order type, miscellaneous, id], oldest first."""
        del instrument
        return guarded(lambda: tuple(_rest_trade(*row) for row in _rows(answer, 7)))

    def candles_request(self, instrument: Instrument, before: int) -> Request:
        """`OHLC`: the last 720 minutes, however old those are that are asked for."""
        since = str(max(0, before // 1_000 - (_MINUTES + 1) * 60))
        return Request("public_get_ohlc", {"pair": _rest_name(instrument.market_id), "interval": "1", "since": since})

    def candles_page(self, instrument: Instrument, answer: Any) -> tuple[VenueCandle, ...]:
        """Rows of [seconds, open, high, low, close, average price, volume, trades]; `last` is the newest that is closed."""
        del instrument
        return guarded(lambda: tuple(_rest_candle(whole(answer["result"]["last"]), *row) for row in _rows(answer, 8)))

    def book_request(self, instrument: Instrument) -> Request | None:
        """The websocket sends a snapshot first."""
        del instrument
        return None

    def book_page(self, instrument: Instrument, answer: Any) -> BookPushed:
        """Never asked for."""
        del answer
        raise FrameError(f"nobody asked for a book of {instrument.market_id}")

    def book_rule(self, instrument: Instrument) -> BookRule:
        """No numbers, but a checksum over the best ten."""
        del instrument
        return BookRule("counted", checksum="kraken", depth=_DEPTH)


def _requests(method: str, channels: Sequence[Channel], request: int) -> tuple[Message, ...]:
    kinds = ([channel for channel in channels if channel.kind is kind] for kind in _CHANNELS)
    parts = [part[begin : begin + _REQUEST] for part in kinds for begin in range(0, len(part), _REQUEST)]
    return tuple(_request(method, part, number) for number, part in enumerate(parts, request))


def _request(method: str, part: Sequence[Channel], number: int) -> Message:
    params = {**_CHANNELS[part[0].kind], "symbol": [channel.market_id for channel in part]}
    return Message(msgspec.json.encode({"method": method, "params": params, "req_id": number}).decode(), number, tuple(part))


def _events(told: dict[str, Any]) -> tuple[Event, ...]:
    if "method" in told:
        return (_answer(told),)
    name = told["channel"]
    if name in _READ:
        snapshot = {"snapshot": True, "update": False}[told["type"]]
        return _READ[name](shaped(told["data"], Table), snapshot)
    if name == "status":
        return tuple(_status(row) for row in shaped(told["data"], Table)) or (Ignored("status"),)
    return (Ignored(shaped(name, str)),)


def _answer(told: dict[str, Any]) -> Event:
    """An acknowledgement concerns one market on one channel; a refusal names at most the market."""
    if told.get("success") is False or "error" in told:
        market_id, number = told.get("symbol"), told.get("req_id")
        channels = tuple(Channel(kind, market_id) for kind in _CHANNELS) if isinstance(market_id, str) else ()
        return Refused("", shaped(told["error"], str), None if channels or type(number) is not int else number, channels)
    result = told.get("result")
    if told["method"] not in ("subscribe", "unsubscribe") or result is None or result["channel"] not in _KINDS:
        return Ignored(shaped(told["method"], str))
    return Acknowledged(channels=(Channel(_KINDS[result["channel"]], shaped(result["symbol"], str)),))


def _status(row: Mapping[str, Any]) -> Event:
    state = shaped(row["system"], str)
    return Announced(_STATES.get(state, "other"), state, f"system {state}")


def _read_trades(rows: Table, snapshot: bool) -> tuple[Event, ...]:
    """A frame may hold several markets; each market's trades by rising id."""
    by_market: dict[str, list[Trade]] = {}
    for row in sorted(rows, key=lambda row: whole(row["trade_id"])):
        number, times = whole(row["trade_id"]), moment(row["timestamp"])
        trade = Trade(number, number, times, positive(row["price"]), positive(row["qty"]), _SIDES[row["side"]])
        by_market.setdefault(shaped(row["symbol"], str), []).append(trade)
    pushed = (TradesPushed(market_id, tuple(trades), snapshot=snapshot) for market_id, trades in by_market.items())
    return tuple(pushed) or (Ignored("no trades"),)


def _read_quotes(rows: Table, snapshot: bool) -> tuple[Event, ...]:
    """Older forms have no time; then the last price is no sign of anything."""
    del snapshot
    events: list[Event] = []
    for row in rows:
        market_id, time = shaped(row["symbol"], str), moment(row["timestamp"]) if "timestamp" in row else 0
        bid, bid_amount, ask, ask_amount = (above(row[name]) for name in ("bid", "bid_qty", "ask", "ask_qty"))
        events.append(Quoted(market_id, time, bid, bid_amount, ask, ask_amount))
        last = above(row.get("last") or 0)
        if time and last:
            events.append(Told(market_id, time, price=last))
    return tuple(events) or (Ignored("no quotes"),)


def _read_books(rows: Table, snapshot: bool) -> tuple[Event, ...]:
    return tuple(_book(row, snapshot) for row in rows) or (Ignored("no book"),)


def _book(row: Mapping[str, Any], snapshot: bool) -> BookPushed:
    market_id, time = shaped(row["symbol"], str), moment(row["timestamp"]) if "timestamp" in row else 0
    return BookPushed(market_id, time, _levels(row["bids"]), _levels(row["asks"]), snapshot, checksum=whole(row["checksum"]))


def _levels(rows: object) -> tuple[Level, ...]:
    return tuple((positive(row["price"]), above(row["qty"])) for row in shaped(rows, Table))


def _read_candles(rows: Table, snapshot: bool) -> tuple[Event, ...]:
    del snapshot
    return tuple(_pushed_candle(row) for row in rows if row["interval"] == 1) or (Ignored("no candles of one minute"),)


def _pushed_candle(row: Mapping[str, Any]) -> CandlePushed:
    candle = _candle(moment(row["interval_begin"]), *(row[name] for name in _COLUMNS))
    return CandlePushed(shaped(row["symbol"], str), candle, whole(row["trades"]), closed=False)


def _candle(open_time: int, opened: Any, high: Any, low: Any, close: Any, average: Any, volume: Any) -> HistoryCandle:
    """Kraken tells the average price instead of the quote volume, rounded: so is their product."""
    amount = above(volume)
    prices = positive(opened), positive(high), positive(low), positive(close)
    return HistoryCandle(open_time, *prices, amount, amount * above(average))


def _rows(answer: Any, width: int) -> list[list[Any]]:
    """The rows of the one market in an answer."""
    (name,) = (name for name in answer["result"] if name != "last")
    rows = shaped(answer["result"][name], list[list[Any]])
    if any(len(row) != width for row in rows):
        raise FrameError(f"a row that has not {width} columns")
    return rows


def _rest_trade(price: Any, amount: Any, seconds: Any, side: Any, _order: Any, _other: Any, number: Any) -> Trade:
    time = whole(int(positive(seconds) * 1_000))
    return Trade(whole(number), whole(number), time, positive(price), positive(amount), _SIDES[side])


def _rest_candle(last: int, seconds: Any, *columns: Any) -> VenueCandle:
    opened = whole(seconds)
    return VenueCandle(_candle(whole(opened * 1_000), *columns[:6]), closed=opened <= last)


def _rest_name(market_id: str) -> str:
    return "".join(_REST_CODES.get(code, code) for code in market_id.split("/"))


def _instrument(market: Mapping[str, Any], info: Mapping[str, Any]) -> Instrument:
    codes = {rest: code for code, rest in _REST_CODES.items()}
    step = Decimal(1).scaleb(-whole(info["pair_decimals"]))
    return Instrument(
        venue=Kraken.name,
        symbol=market["symbol"],
        market_id="/".join(codes.get(code, code) for code in info["wsname"].split("/")),
        type="spot",
        base=market["base"],
        quote=market["quote"],
        settle=None,
        contract_size=Decimal(1),
        inverse=False,
        tick_size=positive(info["tick_size"]) if "tick_size" in info else step,
        lot_size=Decimal(1).scaleb(-whole(info["lot_decimals"])),
        min_amount=positive(info["ordermin"]),
        active=info.get("status", "online") == "online",
        expiry=None,
        valid_from=0,
    )


_READ: Final[dict[str, Callable[[Table, bool], tuple[Event, ...]]]] = {
    "trade": _read_trades,
    "ticker": _read_quotes,
    "book": _read_books,
    "ohlc": _read_candles,
}
