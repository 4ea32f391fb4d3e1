"""OKX, API v5: https://www.okx.com/docs-v5/en/ (public websocket channels, market data over REST)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec

from producers.dialect import (
    BookPushed,
    BookRule,
    Channel,
    FrameError,
    Ids,
    Kind,
    Limits,
    Message,
    Request,
    Trade,
    VenueCandle,
    integer,
    number,
    positive,
)
from producers.dialects import okx_stream
from producers.dialects.okx_shapes import TradeRow
from producers.dialects.okx_stream import CHANNELS, STATUS
from schemas.market import Instrument

_PUBLIC: Final = "/ws/v5/public"
_BUSINESS: Final = "/ws/v5/business"
_ORDER: Final = list(CHANNELS)
_ARGS: Final = 100  # of one request: far below the limit of 64 KB
_TRADES_PAGE: Final = 100
_CANDLES_PAGE: Final = 300
_BOOK_LEVELS: Final = 400
_TYPES: Final[dict[str, Literal["spot", "swap", "future", "option"]]] = {
    "SPOT": "spot",
    "SWAP": "swap",
    "FUTURES": "future",
    "OPTION": "option",
}
_OPTIONS: Final[dict[str, Literal["call", "put"]]] = {"C": "call", "P": "put"}
# What only some types of instruments have.
_ONLY: Final = {
    Kind.MARK: ("swap", "future", "option"),
    Kind.FUNDING: ("swap",),
    Kind.INTEREST: ("swap", "future", "option"),
}


class Okx:
    """The dialect of OKX."""

    name = "okx"
    hosts: tuple[str, ...] = ("wss://ws.okx.com:8443",)
    # Subscriptions are limited to 480 requests an hour: they are few, as each is large.
    limits = Limits(channels=300, messages_per_s=2.0, connects_per_minute=120)
    ping: str | None = "ping"
    keepalive_s = 20.0
    acknowledges = True
    margin_ms = 1_000

    parse = staticmethod(okx_stream.parse)

    def path(self, channel: Channel, instrument: Instrument) -> str | None:
        """Candles are on the business address, everything else on the public one."""
        if channel.kind in _ONLY and instrument.type not in _ONLY[channel.kind]:
            return None
        return _BUSINESS if channel.kind is Kind.CANDLES else _PUBLIC

    def ids(self, instrument: Instrument) -> Ids:
        """Every trade of an instrument has the next number; one told for several has the last of theirs."""
        del instrument
        return Ids.CONSECUTIVE

    def recent_trades(self, instrument: Instrument) -> int:
        """A page of `GET market/history-trades`."""
        del instrument
        return _TRADES_PAGE

    def greeting(self) -> tuple[Message, ...]:
        """Nothing."""
        return ()

    def subscribe(self, wanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """Requests of at most a hundred channels; the first on a public connection asks for the venue's status as well."""
        public = any(channel.kind is not Kind.CANDLES for channel in wanted)
        return _requests("subscribe", wanted, request, [{"channel": STATUS}] if public and not held else [])

    def unsubscribe(self, unwanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """The same channels, given up."""
        del held
        return _requests("unsubscribe", unwanted, request, [])

    def instrument(self, market: Mapping[str, Any]) -> Instrument:
        """Contract size: base units of one contract (`ctVal` times `ctMult`), of inverse ones quote units; 1 for spot."""
        try:
            return self._instrument(market, market["info"])
        except (KeyError, TypeError) as missing:
            raise FrameError(f"an instrument without {missing}") from None

    def _instrument(self, market: Mapping[str, Any], info: Mapping[str, str]) -> Instrument:
        kind, settle = _TYPES[info["instType"]], market["settle"] or None
        return Instrument(
            venue=self.name,
            symbol=market["symbol"],
            market_id=info["instId"],
            type=kind,
            base=market["base"],
            quote=market["quote"],
            settle=settle,
            contract_size=Decimal(1) if kind == "spot" else positive(info["ctVal"]) * positive(info["ctMult"] or "1"),
            inverse=info["ctType"] == "inverse",
            tick_size=number(info["tickSz"]),
            lot_size=number(info["lotSz"]),
            min_amount=number(info["minSz"]),
            active=info["state"] == "live",
            expiry=integer(info["expTime"]) if info["expTime"] else None,
            valid_from=integer(info["listTime"]) if info["listTime"] else 0,
            quanto=settle is not None and settle not in (market["base"], market["quote"]),
            strike=positive(info["stk"]) if kind == "option" else None,
            option=_OPTIONS[info["optType"]] if kind == "option" else None,
        )

    def trades_request(self, instrument: Instrument, before: Trade | None) -> Request | None:
        """`GET market/history-trades`: by id, newest first; `after` means older than."""
        if before is not None and before.first_id <= 0:
            return None
        older = {} if before is None else {"after": str(before.first_id)}
        params = {"instId": instrument.market_id, "type": "1", "limit": str(_TRADES_PAGE), **older}
        return Request("public_get_market_history_trades", params)

    def trades_page(self, instrument: Instrument, answer: Any) -> tuple[Trade, ...]:
        """Rows like those of the `trades` channel, the newest first."""
        return okx_stream.trades(instrument.market_id, _rows(answer, list[TradeRow])[::-1])

    def candles_request(self, instrument: Instrument, before: int) -> Request:
        """`GET market/candles`: the last 1,440 minutes, newest first; `after` means older than."""
        params = {"instId": instrument.market_id, "bar": "1m", "after": str(before), "limit": str(_CANDLES_PAGE)}
        return Request("public_get_market_candles", params)

    def candles_page(self, instrument: Instrument, answer: Any) -> tuple[VenueCandle, ...]:
        """Rows like those of the candle channels."""
        rows = _rows(answer, list[list[str]])
        return tuple(VenueCandle(*okx_stream.candle(row, spot=instrument.type == "spot")) for row in rows)

    def book_request(self, instrument: Instrument) -> Request | None:
        """The channel sends a snapshot first."""
        del instrument
        return None

    def book_page(self, instrument: Instrument, answer: Any) -> BookPushed:
        """Never asked for."""
        del answer
        raise FrameError(f"nobody asked for a book of {instrument.market_id}")

    def book_rule(self, instrument: Instrument) -> BookRule:
        """400 levels a side, each change naming the one before it."""
        del instrument
        return BookRule(continues="previous", depth=_BOOK_LEVELS)


def _requests(
    operation: str, channels: Sequence[Channel], request: int, besides: Sequence[Mapping[str, str]]
) -> tuple[Message, ...]:
    """Trades first, so that no ticker is told before its trade. `id` comes back with an error."""
    ordered = sorted(channels, key=lambda channel: _ORDER.index(channel.kind))
    messages = []
    for number_, begin in enumerate(range(0, len(ordered), _ARGS), request):
        part = ordered[begin : begin + _ARGS]
        args = [{"channel": CHANNELS[channel.kind], "instId": channel.market_id} for channel in part]
        text = msgspec.json.encode({"id": str(number_), "op": operation, "args": [*args, *(besides if begin == 0 else ())]})
        messages.append(Message(text.decode(), number_, tuple(part)))
    return tuple(messages)


def _rows(answer: Any, shape: Any) -> Any:
    """The `data` of a REST answer."""
    try:
        return msgspec.convert(answer["data"], shape, strict=False)
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError) as error:
        raise FrameError(f"not an answer of OKX: {error}") from None
