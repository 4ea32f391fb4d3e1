"""OKX, API v5: https://www.okx.com/docs-v5/en/ (public websocket channels `trades` and `tickers`, market data over REST).

A trade, `count` trades of one taker order at one price told as one, the last of which has `tradeId`; ids rise by one:

    {"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"130639474","px":"42219.9",
     "sz":"0.12060306","side":"buy","ts":"1630048897897","count":"3"}]}
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from producers.dialect import (
    Event,
    FrameError,
    Ignored,
    Notice,
    Refused,
    Request,
    Subscribed,
    Ticker,
    Trade,
    TradesPushed,
    VenueCandle,
    integer,
    number,
    positive,
)
from schemas.market import HistoryCandle, Instrument

TRADES: Final = "trades"
TICKERS: Final = "tickers"
SERVICE_UPGRADE: Final = "64008"
_ARGS: Final = 100  # of one request: far below the limit of 64 KB
_TRADES_PAGE: Final = 100
_CANDLES_PAGE: Final = 300
_TYPES: Final[dict[str, Literal["spot", "swap", "future", "option"]]] = {
    "SPOT": "spot",
    "SWAP": "swap",
    "FUTURES": "future",
    "OPTION": "option",
}
_SIDES: Final = {"buy": True, "sell": False}

# Channels that OKX has and that nothing here reads.
UNREAD: Final = {
    "trades-all", "option-trades", "bbo-tbt", "books", "books5", "books-l2-tbt", "books50-l2-tbt", "instruments", "status",
    "open-interest", "funding-rate", "price-limit", "opt-summary", "estimated-price", "mark-price", "index-tickers",
    "liquidation-orders", "adl-warning", "economic-calendar",
}  # fmt: skip
UNREAD_PREFIXES: Final = ("candle", "index-candle", "mark-price-candle", "sprd-")
EVENTS: Final = {"unsubscribe", "channel-conn-count", "channel-conn-count-error", "login"}


_NOTHING: Final = msgspec.Raw()


class _Arg(Struct):
    channel: str = ""
    instId: str = ""  # noqa: N815 - the venue's spelling, here and below


class _Frame(Struct):
    event: str = ""
    arg: _Arg | None = None
    code: str = ""
    msg: str = ""
    data: msgspec.Raw = _NOTHING


class _TradeRow(Struct):
    instId: str  # noqa: N815
    tradeId: str  # noqa: N815
    px: str
    sz: str
    side: str
    ts: str
    count: str = "1"


class _TickerRow(Struct):
    instId: str  # noqa: N815
    ts: str
    bidPx: str  # noqa: N815
    bidSz: str  # noqa: N815
    askPx: str  # noqa: N815
    askSz: str  # noqa: N815
    last: str
    lastSz: str  # noqa: N815


_frame = msgspec.json.Decoder(_Frame)
_trade_rows = msgspec.json.Decoder(list[_TradeRow])
_ticker_rows = msgspec.json.Decoder(list[_TickerRow])


class Okx:
    """The dialect of OKX."""

    name = "okx"
    url = "wss://ws.okx.com:8443"
    path = "/ws/v5/public"
    ping = "ping"
    keepalive_s = 20.0
    connection_instruments = 100
    trades_channel = TRADES
    margin_ms = 1_000

    def subscribe(self, market_ids: Sequence[str]) -> list[str]:
        """One or more requests of at most a hundred channels."""
        return _requests("subscribe", market_ids)

    def unsubscribe(self, market_ids: Sequence[str]) -> list[str]:
        """The same channels, given up."""
        return _requests("unsubscribe", market_ids)

    def parse(self, text: str) -> tuple[Event, ...]:
        """What one frame says; `pong` is the answer to `ping`."""
        if text == "pong":
            return (Ignored("pong"),)
        frame = _decode(_frame, text)
        if frame.event:
            return (_event(frame),)
        if frame.arg is None or not bytes(frame.data):
            raise FrameError("neither an event nor data of a channel")
        read = CHANNELS.get(frame.arg.channel)
        if read is not None:
            return read(frame.arg.instId, frame.data)
        if frame.arg.channel in UNREAD or frame.arg.channel.startswith(UNREAD_PREFIXES):
            return (Ignored(frame.arg.channel),)
        raise FrameError(f"unknown channel {frame.arg.channel!r:.60}")

    def instrument(self, market: Mapping[str, Any]) -> Instrument:
        """Contract size: base units of one contract (`ctVal` times `ctMult`), of inverse ones quote units; 1 for spot."""
        try:
            return self._instrument(market, market["info"])
        except KeyError as missing:
            raise FrameError(f"an instrument without {missing}") from None

    def _instrument(self, market: Mapping[str, Any], info: Mapping[str, str]) -> Instrument:
        spot = info["instType"] == "SPOT"
        return Instrument(
            venue=self.name,
            symbol=market["symbol"],
            market_id=info["instId"],
            type=_TYPES[info["instType"]],
            base=market["base"],
            quote=market["quote"],
            settle=market["settle"] or None,
            contract_size=Decimal(1) if spot else positive(info["ctVal"]) * positive(info["ctMult"] or "1"),
            inverse=info["ctType"] == "inverse",
            tick_size=number(info["tickSz"]),
            lot_size=number(info["lotSz"]),
            min_amount=number(info["minSz"]),
            active=info["state"] == "live",
            expiry=integer(info["expTime"]) if info["expTime"] else None,
            valid_from=integer(info["listTime"]) if info["listTime"] else 0,
        )

    def trades_request(self, market_id: str, before_id: int | None) -> Request:
        """`GET market/history-trades`: by id, newest first; `after` means older than."""
        older = {} if before_id is None else {"after": str(before_id)}
        params = {"instId": market_id, "type": "1", "limit": str(_TRADES_PAGE), **older}
        return Request("public_get_market_history_trades", params)

    def trades_page(self, market_id: str, answer: Any) -> tuple[Trade, ...]:
        """Rows like those of the `trades` channel."""
        return _trades(market_id, _rows(answer, list[_TradeRow]))

    def candles_request(self, market_id: str, before: int) -> Request:
        """`GET market/candles`: the last 1,440 minutes, newest first; `after` means older than."""
        params = {"instId": market_id, "bar": "1m", "after": str(before), "limit": str(_CANDLES_PAGE)}
        return Request("public_get_market_candles", params)

    def candles_page(self, instrument: Instrument, answer: Any) -> tuple[VenueCandle, ...]:
        """Rows of [ts, open, high, low, close, vol, volCcy, volCcyQuote, confirm].

        `vol` counts base units of spot and contracts of everything else, whose base units are in `volCcy`.
        """
        base = 5 if instrument.type == "spot" else 6
        candles = []
        for row in _rows(answer, list[list[str]]):
            if len(row) != 9:
                raise FrameError(f"a candle of {len(row)} columns instead of 9")
            opened, high, low, close = (positive(price) for price in row[1:5])
            volumes = number(row[base]), number(row[7])
            candle = HistoryCandle(integer(row[0]), opened, high, low, close, *volumes)
            candles.append(VenueCandle(candle, closed=row[8] == "1"))
        return tuple(candles)


def _requests(operation: str, market_ids: Sequence[str]) -> list[str]:
    """Trades before tickers of each instrument, so that no ticker is told before its trade."""
    args = [{"channel": channel, "instId": market_id} for market_id in market_ids for channel in (TRADES, TICKERS)]
    parts = [args[begin : begin + _ARGS] for begin in range(0, len(args), _ARGS)]
    return [msgspec.json.encode({"op": operation, "args": part}).decode() for part in parts]


def _decode(decoder: msgspec.json.Decoder[Any], text: str | msgspec.Raw) -> Any:
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise FrameError(f"not a frame of OKX: {error}") from None


def _rows(answer: Any, shape: Any) -> Any:
    """The `data` of a REST answer."""
    try:
        return msgspec.convert(answer["data"], shape)
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        raise FrameError(f"not an answer of OKX: {error}") from None


def _event(frame: _Frame) -> Event:
    arg = frame.arg or _Arg()
    if frame.event == "subscribe":
        return Subscribed(arg.channel, arg.instId)
    if frame.event == "error":
        return Refused(frame.code, frame.msg)
    if frame.event == "notice":
        return Notice(frame.code, frame.msg, closing=frame.code == SERVICE_UPGRADE)
    if frame.event in EVENTS:
        return Ignored(frame.event)
    raise FrameError(f"unknown event {frame.event!r:.60}")


def _read_trades(market_id: str, data: msgspec.Raw) -> tuple[Event, ...]:
    return (TradesPushed(market_id, _trades(market_id, _decode(_trade_rows, data))),)


def _trades(market_id: str, rows: list[_TradeRow]) -> tuple[Trade, ...]:
    trades = []
    for row in rows:
        trade_id, count, buy = integer(row.tradeId), integer(row.count), _SIDES.get(row.side)
        if row.instId != market_id:
            raise FrameError(f"a trade of {row.instId!r:.60} among those of {market_id!r:.60}")
        if buy is None or not 1 <= count <= trade_id + 1:
            raise FrameError(f"side {row.side!r:.60} or count {count} of trade {trade_id} cannot be")
        trades.append(Trade(trade_id, trade_id - count + 1, integer(row.ts), positive(row.px), positive(row.sz), buy))
    return tuple(trades)


def _read_tickers(market_id: str, data: msgspec.Raw) -> tuple[Event, ...]:
    """The last row: an older quote is of no use to anybody. A side without orders is told as an empty string."""
    rows = [row for row in _decode(_ticker_rows, data) if row.bidPx and row.askPx and row.last]
    if any(row.instId != market_id for row in rows):
        raise FrameError(f"a ticker of another instrument among those of {market_id!r:.60}")
    return tuple(_ticker(row) for row in rows[-1:]) or (Ignored("ticker without quotes"),)


def _ticker(row: _TickerRow) -> Ticker:
    bid, bid_amount, ask, ask_amount = number(row.bidPx), number(row.bidSz), number(row.askPx), number(row.askSz)
    return Ticker(row.instId, integer(row.ts), bid, bid_amount, ask, ask_amount, number(row.last), number(row.lastSz))


CHANNELS: Final[dict[str, Callable[[str, msgspec.Raw], tuple[Event, ...]]]] = {TRADES: _read_trades, TICKERS: _read_tickers}
