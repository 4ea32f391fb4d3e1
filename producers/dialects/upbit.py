"""Upbit, API v1: https://docs.upbit.com/kr/reference (public websocket and REST; spot alone, quoted in KRW, BTC and USDT)."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from producers.dialect import (
    BookPushed,
    BookRule,
    Channel,
    FrameError,
    Ids,
    Limits,
    Message,
    Request,
    Trade,
    VenueCandle,
    integer,
)
from producers.dialects import upbit_stream
from producers.dialects.upbit_stream import TYPES
from schemas.market import Instrument

_TRADES_PAGE: Final = 500
_CANDLES_PAGE: Final = 200
_MINUTE: Final = 60_000
_STEP: Final = Decimal("0.00000001")
_PRICES: Final = ("opening_price", "high_price", "low_price", "trade_price")
_JSON_NUMBER: Final = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")


class Upbit:
    """The dialect of Upbit. A request tells all that is wanted on a connection, in place of what was; none is answered."""

    name = "upbit"
    hosts: tuple[str, ...] = ("wss://api.upbit.com",)
    # Five connections a second; five messages a second and a hundred a minute.
    limits = Limits(channels=400, messages_per_s=1.5, connects_per_minute=60)
    ping: str | None = "PING"
    keepalive_s = 30.0  # a quiet connection is ended after two minutes
    acknowledges = False
    margin_ms = 1_000

    parse = staticmethod(upbit_stream.parse)

    def path(self, channel: Channel, instrument: Instrument) -> str | None:
        """One for everything there is."""
        del instrument
        return "/websocket/v1" if channel.kind in TYPES else None

    def ids(self, instrument: Instrument) -> Ids:
        """A millisecond and a counter within it."""
        del instrument
        return Ids.RISING

    def recent_trades(self, instrument: Instrument) -> int:
        """A page of `GET trades/ticks`."""
        del instrument
        return _TRADES_PAGE

    def greeting(self) -> tuple[Message, ...]:
        """Nothing."""
        return ()

    def subscribe(self, wanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """One request for everything, trades first. Upbit begins again with a snapshot of what was held, too."""
        return (Message(_asked([*held, *wanted], request), request, tuple(wanted)),) if wanted else ()

    def unsubscribe(self, unwanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """A request for the rest. There is none for nothing: then the connection is to be closed."""
        return (Message(_asked(held, request), request, tuple(unwanted)),) if unwanted and held else ()

    def instrument(self, market: Mapping[str, Any]) -> Instrument:
        """Contract size: 1. Upbit's price step depends on the price: `tick_size` is the finest, that of the lowest prices."""
        try:
            return Instrument(
                venue=self.name,
                symbol=market["symbol"],
                market_id=market["info"]["market"],
                type="spot",
                base=market["base"],
                quote=market["quote"],
                settle=None,
                contract_size=Decimal(1),
                inverse=False,
                tick_size=_STEP,
                lot_size=_STEP,
                min_amount=_STEP,
                active=market["active"] is not False,
                expiry=None,
                valid_from=0,
            )
        except (KeyError, TypeError) as missing:
            raise FrameError(f"an instrument without {missing}") from None

    def trades_request(self, instrument: Instrument, before: Trade | None) -> Request | None:
        """`GET trades/ticks`: by id, the newest first, of the present day (UTC)."""
        older = {} if before is None else {"cursor": str(before.first_id)}
        params = {"market": instrument.market_id, "count": str(_TRADES_PAGE), **older}
        return Request("public_get_trades_ticks", params)

    def trades_page(self, instrument: Instrument, answer: Any) -> tuple[Trade, ...]:
        """Rows much like frames of trades."""
        trades = []
        for row in _rows(instrument, answer):
            name, time = (integer(str(row.get(key))) for key in ("sequential_id", "timestamp"))
            price, amount = (_number(row.get(key)) for key in ("trade_price", "trade_volume"))
            trades.append(upbit_stream.trade(name, time, price, amount, str(row.get("ask_bid"))))
        return tuple(sorted(trades, key=lambda trade: trade.id))

    def candles_request(self, instrument: Instrument, before: int) -> Request:
        """`GET candles/minutes/1`: the newest first, of minutes that have ended by then, as no row tells whether its has."""
        to = datetime.fromtimestamp(before // _MINUTE * 60, UTC)
        params = {"market": instrument.market_id, "to": f"{to:%Y-%m-%dT%H:%M:%SZ}", "count": str(_CANDLES_PAGE)}
        return Request("public_get_candles_minutes_1", params)

    def candles_page(self, instrument: Instrument, answer: Any) -> tuple[VenueCandle, ...]:
        """Rows much like frames of candles. There is none for a minute without trades."""
        candles = []
        for row in _rows(instrument, answer):
            prices = tuple(_number(row.get(key)) for key in _PRICES)
            volumes = (_number(row.get(key)) for key in ("candle_acc_trade_volume", "candle_acc_trade_price"))
            minute = upbit_stream.candle(str(row.get("candle_date_time_utc")), prices, *volumes)
            candles.append(VenueCandle(minute, closed=True))
        return tuple(candles)

    def book_request(self, instrument: Instrument) -> Request | None:
        """None: every push is a whole book."""
        del instrument
        return None

    def book_page(self, instrument: Instrument, answer: Any) -> BookPushed:
        """Never asked for."""
        del answer
        raise FrameError(f"nobody asked for a book of {instrument.market_id}")

    def book_rule(self, instrument: Instrument) -> BookRule:
        """Thirty levels a side each time."""
        del instrument
        return BookRule(continues="whole")


def _asked(channels: Sequence[Channel], request: int) -> str:
    codes: dict[str, dict[str, None]] = {name: {} for name in TYPES.values()}
    for channel in channels:
        codes[TYPES[channel.kind]][channel.market_id] = None
    asked = [{"type": name, "codes": list(wanted)} for name, wanted in codes.items() if wanted]
    return msgspec.json.encode([{"ticket": f"tapeflow-{request}"}, *asked, {"format": "SIMPLE"}]).decode()


def _rows(instrument: Instrument, answer: Any) -> list[dict[str, Any]]:
    """The rows of a REST answer."""
    try:
        rows = msgspec.convert(answer, list[dict[str, Any]])
    except (msgspec.MsgspecError, ValueError) as error:
        raise FrameError(f"not an answer of Upbit: {error}") from None
    for row in rows:
        if row.get("market") != instrument.market_id:
            raise FrameError(f"a row of {row.get('market')!r:.60} among those of {instrument.market_id!r:.60}")
    return rows


def _number(value: Any) -> Any:
    """A number of a REST answer as the decoder of frames gives it: ccxt may have made its JSON text a string, or a float."""
    text = str(value) if isinstance(value, (str, float)) else ""
    return Decimal(text) if _JSON_NUMBER.fullmatch(text) else value
