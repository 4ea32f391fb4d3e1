"""Binance USDⓈ-M futures: https://developers.binance.com/docs/derivatives/usds-margined-futures (market data needs no key)."""

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

# Aggregates instead of single trades, which are not documented, and which REST gives only to those who have a key.
STREAMS: Final = {
    Kind.TRADES: "aggTrade",
    Kind.QUOTES: "bookTicker",
    Kind.BOOK: "depth@100ms",
    Kind.CANDLES: "kline_1m",
    Kind.MARK: "markPrice@1s",
    Kind.FUNDING: "markPrice@1s",
}
_PUBLIC: Final = {Kind.QUOTES, Kind.BOOK}


class BinanceUsdm:
    """The dialect of Binance's linear futures."""

    name = "binanceusdm"
    hosts: tuple[str, ...] = ("wss://fstream.binance.com",)
    # Ten messages a second, of which two are left to pings and pongs.
    limits = Limits(channels=1024, messages_per_s=8.0, connects_per_minute=60, lifetime_s=86_400)
    ping: str | None = None
    keepalive_s = 20.0
    acknowledges = True
    margin_ms = 1_000

    parse = staticmethod(binance_stream.parse)

    def path(self, channel: Channel, instrument: Instrument) -> str | None:
        """Books and quotes have an address of their own. Open interest is told over REST alone, funding of perpetuals alone."""
        if channel.kind not in STREAMS or (channel.kind is Kind.FUNDING and instrument.type != "swap"):
            return None
        return "/public/stream" if channel.kind in _PUBLIC else "/market/stream"

    def ids(self, instrument: Instrument) -> Ids:
        """Every aggregate of a contract has the next number."""
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
        """By the names of streams; mark price and funding come on one."""
        del held
        return binance_stream.requests("SUBSCRIBE", STREAMS, wanted, (), request)

    def unsubscribe(self, unwanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """The same streams, given up."""
        return binance_stream.requests("UNSUBSCRIBE", STREAMS, unwanted, held, request)

    def instrument(self, market: Mapping[str, Any]) -> Instrument:
        """Amounts are in base units: a contract is one of them."""
        try:
            info = market["info"]
            steps = binance_rest.steps(info, "quantityPrecision", "pricePrecision")
            perpetual = info["contractType"].endswith("PERPETUAL")
            return Instrument(
                venue=self.name,
                symbol=market["symbol"],
                market_id=info["symbol"],
                type="swap" if perpetual else "future",
                base=market["base"],
                quote=market["quote"],
                settle=market["settle"],
                contract_size=Decimal(1),
                inverse=False,
                tick_size=steps.tick_size,
                lot_size=steps.lot_size,
                min_amount=steps.min_amount,
                active=info["status"] == "TRADING",
                expiry=None if perpetual else binance_rest.whole(info["deliveryDate"]),
                valid_from=binance_rest.whole(info["onboardDate"]),
                quanto=market["settle"] not in (market["base"], market["quote"]),
            )
        except (KeyError, TypeError, AttributeError) as missing:
            raise FrameError(f"an instrument without {missing}") from None

    def trades_request(self, instrument: Instrument, before: Trade | None) -> Request | None:
        """`GET aggTrades`."""
        return binance_rest.trades_request("fapipublic_get_aggtrades", instrument, before)

    def trades_page(self, instrument: Instrument, answer: Any) -> tuple[Trade, ...]:
        """Aggregates, as they are pushed."""
        del instrument
        return binance_rest.trades_page(answer)

    def candles_request(self, instrument: Instrument, before: int) -> Request:
        """`GET klines`."""
        return binance_rest.candles_request("fapipublic_get_klines", instrument, before)

    def candles_page(self, instrument: Instrument, answer: Any) -> tuple[VenueCandle, ...]:
        """Their volumes are in base and quote units."""
        del instrument
        return binance_rest.candles_page(answer)

    def book_request(self, instrument: Instrument) -> Request | None:
        """`GET depth`."""
        return binance_rest.book_request("fapipublic_get_depth", instrument)

    def book_page(self, instrument: Instrument, answer: Any) -> BookPushed:
        """A snapshot that changes go on from."""
        return binance_rest.book_page(instrument, answer)

    def book_rule(self, instrument: Instrument) -> BookRule:
        """Each change names the one before it."""
        del instrument
        return BookRule(continues="previous")
