"""What is remembered of a market's records."""

from decimal import Decimal

import msgspec
import pytest

from consumers.execution.market import Market, is_spot
from schemas.market import Gap, Trades

TICK, LOT = Decimal("0.1"), Decimal("0.01")
HEARTBEAT = Trades("okx", "BTC/USDT:USDT", "M", "live", 0, 5000, Decimal(100), inverse=True, tick_size=TICK, lot_size=LOT)
RECORD = msgspec.structs.replace(
    HEARTBEAT, watermark=1200, price_scale=2, amount_scale=3, ids=(7, 9), times=(1200, 1100), prices=(1, 2), amounts=(1, 1)
)


def seen(*records: Trades) -> Market:
    """A market after these records."""
    market = Market()
    for record in records:
        market.observe(record)
    return market


def test_terms_come_with_every_record() -> None:
    """A heartbeat tells them too."""
    market = seen(HEARTBEAT)
    assert (market.contract_size, market.inverse, market.tick_size, market.lot_size) == (100, True, TICK, LOT)
    assert (market.clock, market.last_trade_id) == (5000, -1)


def test_clock_never_goes_back() -> None:
    """It is the furthest watermark."""
    assert seen(RECORD).clock == 1200
    assert seen(HEARTBEAT, RECORD).clock == 5000


def test_gap_lasts_until_its_end() -> None:
    """A later record without a gap, or with another that ended before, does not undo it."""
    market = Market()
    for gap in (Gap(1, 7, 400, 900, "reconnect"), None, Gap(9, 12, 300, 500, "reconnect")):
        market.note_gap(gap)
    assert market.gap_until == 900


def test_gap_that_is_narrowed_ends_sooner_and_one_that_is_closed_never_was() -> None:
    """A connection begins with a gap without an end; the first trade after it gives it one, and what REST has closes it."""
    market = Market()
    market.note_gap(Gap(1, 2**63 - 1, 400, 2**63 - 1, "being fetched"))
    market.note_gap(Gap(1, 7, 400, 900, "being fetched"))
    assert market.gap_until == 900
    market.note_gap(Gap(1, 7, 400, 900, "being fetched", open=False))
    assert market.gap_until == 0


def test_gap_is_noted_from_its_beginning_on() -> None:
    """Before it began it is nothing."""
    market = Market()
    market.note_gap(Gap(1, 7, 400, 900, "reconnect"), before=400)
    assert market.gap_until == 0
    market.note_gap(Gap(1, 7, 400, 900, "reconnect"), before=401)
    assert market.gap_until == 900


@pytest.mark.parametrize(("symbol", "spot"), [("BTC/USDT", True), ("BTC/USDT:USDT", False), ("BTC/USD:BTC", False)])
def test_is_spot(symbol: str, spot: bool) -> None:
    """A symbol with a settle currency is a derivative."""
    assert is_spot(symbol) is spot
