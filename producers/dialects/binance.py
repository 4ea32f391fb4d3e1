"""Binance spot: https://developers.binance.com/docs/binance-spot-api-docs (market data needs no key)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

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
)
from producers.dialects import binance_rest, binance_stream
from schemas.market import Instrument

# Aggregates instead of single trades: without a key, REST gives only those by id.
STREAMS: Final = {
    Kind.TRADES: "aggTrade",
    Kind.QUOTES: "bookTicker",
    Kind.BOOK: "depth@100ms",
    Kind.CANDLES: "kline_1m",
}


class Binance:
    """The dialect of Binance's spot market."""

    name = "binance"
    hosts: tuple[str, ...] = ("wss://stream.binance.com:9443", "wss://stream.binance.com:443", "wss://data-stream.binance.vision")
    # Five messages a second, of which one is left to pings and pongs.
    limits = Limits(channels=1024, messages_per_s=4.0, connects_per_minute=60, lifetime_s=86_400)
    ping: str | None = None
    keepalive_s = 20.0
    acknowledges = True
    margin_ms = 1_000

    parse = staticmethod(binance_stream.parse)
    burst = staticmethod(binance_stream.burst)

    def path(self, channel: Channel, instrument: Instrument) -> str | None:
        """Every stream comes combined on one address."""
        del instrument
        return "/stream" if channel.kind in STREAMS else None

    def ids(self, instrument: Instrument) -> Ids:
        """Every aggregate of a market has the next number."""
        del instrument
        return Ids.CONSECUTIVE

    def recent_trades(self, instrument: Instrument) -> int:
        """A page of `GET aggTrades`."""
        del instrument
        return binance_rest.TRADES_PAGE

    def greeting(self) -> tuple[Message, ...]:
        """Nothing."""
        return ()

    def subscribe(self, wanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """By the names of streams."""
        del held
        return binance_stream.requests("SUBSCRIBE", STREAMS, wanted, (), request)

    def unsubscribe(self, unwanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """The same streams, given up."""
        return binance_stream.requests("UNSUBSCRIBE", STREAMS, unwanted, held, request)

    def instrument(self, market: Mapping[str, Any]) -> Instrument:
        """Amounts are in base units. Nothing tells since when a market is listed."""
        try:
            info = market["info"]
            steps = binance_rest.steps(info, "baseAssetPrecision", "quoteAssetPrecision")
            return Instrument(
                venue=self.name,
                symbol=market["symbol"],
                market_id=info["symbol"],
                type="spot",
                base=market["base"],
                quote=market["quote"],
                settle=None,
                contract_size=Decimal(1),
                inverse=False,
                tick_size=steps.tick_size,
                lot_size=steps.lot_size,
                min_amount=steps.min_amount,
                active=info["status"] == "TRADING",
                expiry=None,
                valid_from=0,
            )
        except (KeyError, TypeError, AttributeError) as missing:
            raise FrameError(f"an instrument without {missing}") from None

    def trades_request(self, instrument: Instrument, before: Trade | None) -> Request | None:
        """`GET aggTrades`."""
        return binance_rest.trades_request("public_get_aggtrades", instrument, before)

    def trades_page(self, instrument: Instrument, answer: Any) -> tuple[Trade, ...]:
        """Aggregates, as they are pushed."""
        del instrument
        return binance_rest.trades_page(answer)

    def candles_request(self, instrument: Instrument, before: int) -> Request:
        """`GET klines`."""
        return binance_rest.candles_request("public_get_klines", instrument, before)

    def candles_page(self, instrument: Instrument, answer: Any) -> tuple[VenueCandle, ...]:
        """Their volumes are in base and quote units."""
        del instrument
        return binance_rest.candles_page(answer)

    def book_request(self, instrument: Instrument) -> Request | None:
        """`GET depth`."""
        return binance_rest.book_request("public_get_depth", instrument)

    def book_page(self, instrument: Instrument, answer: Any) -> BookPushed:
        """A snapshot that changes go on from."""
        return binance_rest.book_page(instrument, answer)

    def book_rule(self, instrument: Instrument) -> BookRule:
        """Each change begins one above where the last ended."""
        del instrument
        return BookRule(continues="adjoining")
