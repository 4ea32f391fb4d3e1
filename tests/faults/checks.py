"""The verdict on everything that one venue's producer has published in a scene."""

from infra.simulated.venue import Venue as SimulatedVenue
from producers.dialect import Ids
from producers.dialects import DIALECTS
from tests.faults.scene import BEGIN_MS, MINUTE, Scene
from tests.faults.verdict import candles, ordered, reported_late, whole

REPORTED_S = 5.0
_SHALLOW = ("bybit", "BTC/USDT")  # the one market whose REST has sixty trades and nothing older


async def judged(played: Scene, name: str, *, rubbish: bool = False, quiet_minutes: int = 0) -> str:
    """Hold all of it against the ledger; returns `ok`, or how much lies in open gaps. There are quiet minutes after trading."""
    lacking = 0
    reasons: set[str] = set()
    minutes = played.minutes + quiet_minutes
    for symbol in played.symbols[name]:
        found = await _instrument(played, name, symbol, minutes)
        lacking += found[0]
        reasons |= set(found[1])
    books(played, name)
    dead = played.dead(name)
    assert rubbish or dead == [], dead[0].reason
    return f"open gap: {lacking} trades, {'; '.join(sorted(reasons))}" if reasons else "ok"


async def _instrument(played: Scene, name: str, symbol: str, minutes: int) -> tuple[int, tuple[str, ...]]:
    published = played.published.trades[name, symbol]
    records = [record for _, _, record in published]
    ledger = await played.ledger(name, symbol)
    session = next(one for one in played.venues[name].sessions if any(symbol == it.symbol for it in one.instruments.values()))
    instrument = next(one for one in session.instruments.values() if one.symbol == symbol)
    named = DIALECTS[name].ids(instrument) is Ids.NAMED
    lacking = whole(records, ledger, BEGIN_MS, named=named)
    assert (name, symbol) == _SHALLOW or not lacking.reasons, f"{name} {symbol} lacks {lacking}"
    ordered(records)
    assert reported_late(records, REPORTED_S) == []
    candles(published, ledger, _counts(played.simulated.venues[name], instrument.market_id, symbol, minutes), BEGIN_MS, minutes)
    return lacking


def _counts(venue: SimulatedVenue, market_id: str, symbol: str, minutes: int) -> dict[int, int]:
    """How many trades the venue had in each minute, before it tells several as one."""
    own = market_id if market_id in venue.board.listings else symbol
    end = BEGIN_MS + minutes * MINUTE
    tape = venue.board.tape(own, end)
    return {time: tape.before(time + MINUTE) - tape.before(time) for time in range(BEGIN_MS, end, MINUTE)}


def books(played: Scene, name: str) -> None:
    """No book is left broken, none is crossed."""
    for (venue, symbol), told in played.published.books.items():
        if venue == name and symbol in played.symbols[name]:
            assert told[-1].broken is None, f"{symbol}: {told[-1].broken}"
            crossed = [one for one in told if one.bid_prices and one.ask_prices and one.bid_prices[0] >= one.ask_prices[0]]
            assert crossed == []
