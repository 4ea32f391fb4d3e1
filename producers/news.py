"""What a venue tells of an instrument beside its trades, as records."""

from collections.abc import Callable, Hashable
from typing import Any, Final

from producers.dialect import CandlePushed, Funded, Held, Kind, Marked, Quoted
from schemas.market import Funding, Instrument, Mark, OpenInterest, Quote, VenueCandle

News = Quoted | Marked | Funded | Held | CandlePushed
KINDS: Final[dict[type, Kind]] = {
    Quoted: Kind.QUOTES,
    Marked: Kind.MARK,
    Funded: Kind.FUNDING,
    Held: Kind.INTEREST,
    CandlePushed: Kind.CANDLES,
}


def time_of(event: News) -> int:
    """Venue time (epoch ms); of a candle the opening of its minute; 0 where the venue tells none."""
    return event.candle.open_time if isinstance(event, CandlePushed) else event.time


def key(event: News) -> Hashable:
    """What a newer event replaces: the same news of the same instrument, and of candles the same minute."""
    minute = event.candle.open_time if isinstance(event, CandlePushed) else None
    return type(event), event.market_id, minute


def record(event: News, instrument: Instrument, time: int, received: int) -> Quote | Mark | Funding | OpenInterest | VenueCandle:
    """The record of an event at a venue time (epoch ms), received at an epoch microsecond."""
    made: Quote | Mark | Funding | OpenInterest | VenueCandle = _MADE[type(event)](event, instrument, time, received)
    return made


def _quote(event: Quoted, instrument: Instrument, time: int, received: int) -> Quote:
    bid, ask = (event.bid, event.bid_amount), (event.ask, event.ask_amount)
    return Quote(instrument.venue, instrument.symbol, time, received, *bid, *ask)


def _mark(event: Marked, instrument: Instrument, time: int, received: int) -> Mark:
    return Mark(instrument.venue, instrument.symbol, time, received, event.mark, event.index)


def _funding(event: Funded, instrument: Instrument, time: int, received: int) -> Funding:
    return Funding(instrument.venue, instrument.symbol, time, received, event.rate, event.next_time)


def _interest(event: Held, instrument: Instrument, time: int, received: int) -> OpenInterest:
    return OpenInterest(instrument.venue, instrument.symbol, time, received, event.amount)


def _candle(event: CandlePushed, instrument: Instrument, time: int, received: int) -> VenueCandle:
    told = event.candle
    return VenueCandle(
        venue=instrument.venue,
        symbol=instrument.symbol,
        open_time=time,
        received=received,
        open=told.open,
        high=told.high,
        low=told.low,
        close=told.close,
        volume=told.volume,
        quote_volume=told.quote_volume,
        trades=event.trades,
        closed=event.closed,
    )


_MADE: Final[dict[type, Callable[[Any, Instrument, int, int], Any]]] = {
    Quoted: _quote,
    Marked: _mark,
    Funded: _funding,
    Held: _interest,
    CandlePushed: _candle,
}
