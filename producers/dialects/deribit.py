"""Deribit, API v2 (JSON-RPC 2.0): https://docs.deribit.com/ - perpetuals, dated futures, options and spot.

Trades are told every 100 ms, each with `trade_seq`, which rises by one within an instrument. Amounts are US dollars of inverse
perpetuals and futures, and units of the base currency of everything else: a contract counts as 1 here, whatever the venue's
`contract_size`. `direction` is the taker's side:

    {"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.BTC-PERPETUAL.100ms","data":[{"timestamp":1765531356452,
     "price":92294.5,"amount":10.0,"direction":"sell","instrument_name":"BTC-PERPETUAL","trade_seq":271252854,
     "trade_id":"403691824"}]}}

A subscription is answered with the list of channels granted; one that does not exist is silently not in it. Mark price, funding
and open interest come on one channel, the ticker. After `public/set_heartbeat` the venue asks `test_request` now and then
and ends a connection that does not answer at once. Combinations of instruments, whose prices may be negative, are not supported.
What is pushed is read in `deribit_stream`.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal

from producers.dialect import (
    BookPushed,
    BookRule,
    Channel,
    Event,
    FrameError,
    Ids,
    Kind,
    Limits,
    Message,
    Request,
    Trade,
    VenueCandle,
)
from producers.dialects.deribit_stream import CHANNELS, COLUMNS, call, candle, events, trades
from producers.digits import Table, decode, guarded, positive, shaped, whole
from schemas.market import Instrument

_NEWS: Final = ("platform_state", "instrument.state.any.any")
_TYPES: Final[dict[str, Literal["spot", "future", "option"]]] = {"spot": "spot", "future": "future", "option": "option"}
_CALL: Final = 250  # channels a call; the venue takes 500
_PAGE: Final = 1_000
_BOOK_LEVELS: Final = 10_000
_MINUTE: Final = 60_000


class Deribit:
    """The dialect of Deribit."""

    name = "deribit"
    hosts: tuple[str, ...] = ("wss://www.deribit.com",)
    limits = Limits(channels=500, messages_per_s=3.0, connects_per_minute=30)
    ping: str | None = None
    keepalive_s = 30.0
    acknowledges = True
    margin_ms = 1_000

    def path(self, channel: Channel, instrument: Instrument) -> str | None:
        """One path for all; spot has no mark, and only perpetuals pay funding."""
        absent = channel.kind in (Kind.MARK, Kind.INTEREST) and instrument.type == "spot"
        return None if absent or (channel.kind is Kind.FUNDING and instrument.type != "swap") else "/ws/api/v2"

    def ids(self, instrument: Instrument) -> Ids:
        """`trade_seq`."""
        del instrument
        return Ids.CONSECUTIVE

    def recent_trades(self, instrument: Instrument) -> int:
        """The most that one answer holds."""
        del instrument
        return _PAGE

    def greeting(self) -> tuple[Message, ...]:
        """Heartbeats, and news of the venue itself. Their answers carry no number, so that nothing waits for them."""
        beat = call("public/set_heartbeat", {"interval": 10}, "heartbeat")
        return (Message(beat), Message(call("public/subscribe", {"channels": _NEWS}, "news")))

    def subscribe(self, wanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """Calls of some hundred channels; three kinds share the ticker."""
        del held
        return _calls("public/subscribe", wanted, (), request)

    def unsubscribe(self, unwanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """The same, leaving what another kind still needs."""
        return _calls("public/unsubscribe", unwanted, held, request)

    def parse(self, frame: bytes) -> tuple[Event, ...]:
        """What one frame says."""
        return guarded(events, decode(frame))

    def instrument(self, market: Mapping[str, Any]) -> Instrument:
        """Contract size 1, see above; the tick size is the finest where the venue has several."""
        return guarded(_instrument, market, market.get("info"))

    def trades_request(self, instrument: Instrument, before: Trade | None) -> Request | None:
        """`public/get_last_trades_by_instrument`, newest first, back to the instrument's first trade."""
        if before is not None and before.first_id <= 1:
            return None
        params = {"instrument_name": instrument.market_id, "count": str(_PAGE), "sorting": "desc"}
        older = {} if before is None else {"end_seq": str(before.first_id - 1)}
        return Request("public_get_get_last_trades_by_instrument", {**params, **older})

    def trades_page(self, instrument: Instrument, answer: Any) -> tuple[Trade, ...]:
        """Rows like those of the trades channel, put in order."""
        rows = guarded(lambda: shaped(answer["result"]["trades"], Table))
        return tuple(sorted(guarded(trades, instrument.market_id, rows), key=lambda trade: trade.id))

    def candles_request(self, instrument: Instrument, before: int) -> Request:
        """`public/get_tradingview_chart_data`: columns, oldest first."""
        span = {"start_timestamp": str(max(0, before - _PAGE * _MINUTE)), "end_timestamp": str(before - 1)}
        params = {"instrument_name": instrument.market_id, "resolution": "1", **span}
        return Request("public_get_get_tradingview_chart_data", params)

    def candles_page(self, instrument: Instrument, answer: Any) -> tuple[VenueCandle, ...]:
        """A minute is closed when the answer was written after its end (`usOut`)."""
        del instrument
        return guarded(_candles, answer)

    def book_request(self, instrument: Instrument) -> Request | None:
        """The websocket sends a snapshot first."""
        del instrument
        return None

    def book_page(self, instrument: Instrument, answer: Any) -> BookPushed:
        """Never asked for."""
        del answer
        raise FrameError(f"nobody asked for a book of {instrument.market_id}")

    def book_rule(self, instrument: Instrument) -> BookRule:
        """`prev_change_id` is the last `change_id`; the numbers between belong to other instruments.

        A snapshot has all levels: the depth bounds memory alone.
        """
        del instrument
        return BookRule("previous", depth=_BOOK_LEVELS)


def _calls(method: str, channels: Sequence[Channel], kept: Sequence[Channel], request: int) -> tuple[Message, ...]:
    """Trades before the rest, each name once and none that is kept."""
    needed = {CHANNELS[channel.kind].format(channel.market_id) for channel in kept}
    named: dict[str, list[Channel]] = {}
    for channel in sorted(channels, key=lambda channel: channel.kind is not Kind.TRADES):
        named.setdefault(CHANNELS[channel.kind].format(channel.market_id), []).append(channel)
    names = [name for name in named if name not in needed]
    parts = [names[begin : begin + _CALL] for begin in range(0, len(names), _CALL)]
    return tuple(
        Message(call(method, {"channels": part}, number), number, tuple(channel for name in part for channel in named[name]))
        for number, part in enumerate(parts, request)
    )


def _candles(answer: Any) -> tuple[VenueCandle, ...]:
    result, written = answer["result"], whole(answer["usOut"]) // 1_000
    columns = (shaped(result["ticks" if name == "tick" else name], list[Any]) for name in COLUMNS)
    candles = (candle(*row) for row in zip(*columns, strict=True))
    return tuple(VenueCandle(candle, closed=candle.open_time + _MINUTE <= written) for candle in candles)


def _instrument(market: Mapping[str, Any], info: Mapping[str, Any]) -> Instrument:
    kind, perpetual = _TYPES[info["kind"]], info.get("settlement_period") == "perpetual"
    option: Literal["call", "put"] | None = None if kind != "option" else "call" if info["option_type"] == "call" else "put"
    return Instrument(
        venue=Deribit.name,
        symbol=market["symbol"],
        market_id=info["instrument_name"],
        type="swap" if perpetual else kind,
        base=market["base"],
        quote=market["quote"],
        settle=None if kind == "spot" else market["settle"],
        contract_size=Decimal(1),
        inverse=kind == "future" and market["quote"] != market["settle"],
        tick_size=positive(info["tick_size"]),
        lot_size=positive(info["min_trade_amount"]),
        min_amount=positive(info["min_trade_amount"]),
        active=info["is_active"] is True,
        expiry=None if perpetual or kind == "spot" else whole(info["expiration_timestamp"]),
        valid_from=whole(info["creation_timestamp"]),
        strike=positive(info["strike"]) if kind == "option" else None,
        option=option,
    )
