"""The list of instruments beside a recording: what was written is read, and the venues' own entries as far as they say enough."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from infra.settings import UserError
from producers import listed
from producers.dialects import DIALECTS
from schemas.market import Instrument

TINY = Decimal("0.00000001")
OPTION = Instrument(
    "deribit", "BTC/USD:BTC-261225-100000-C", "BTC-25DEC26-100000-C", "option", "BTC", "USD", "BTC", Decimal(1), inverse=False,
    tick_size=Decimal("0.0001"), lot_size=Decimal("0.1"), min_amount=TINY, active=True, expiry=1_798_185_600_000, valid_from=7,
    strike=Decimal(100000), option="call",
)  # fmt: skip
SPOT = Instrument(
    "okx", "BTC/USDT", "BTC-USDT", "spot", "BTC", "USDT", None, Decimal(1), inverse=False, tick_size=TINY, lot_size=TINY,
    min_amount=TINY, active=True, expiry=None, valid_from=0,
)  # fmt: skip


def test_what_was_written_is_read(tmp_path: Path):
    """Whatever the venue's entries look like by then; what was there of others stays."""
    path = tmp_path / "instruments.json"
    listed.add(path, [SPOT], {"okx": {"BTC-USDT": {"odd": "entry"}}})
    listed.add(path, [OPTION], {"deribit": {OPTION.market_id: {}}})
    listed.add(path, [SPOT], {})
    assert listed.read(path, DIALECTS["okx"]) == [SPOT]
    assert listed.read(path, DIALECTS["deribit"]) == [OPTION]
    assert json.loads(path.read_text())["okx"] == {"BTC-USDT": {"odd": "entry"}}


@pytest.mark.parametrize(
    ("venue", "market_id", "symbol", "tick", "contract"),
    [
        ("okx", "BTC-USDT", "BTC/USDT", "0.1", "1"),
        ("okx", "BTC-USD-210924-66000-C", "BTC/USD:BTC-210924-66000-C", "0.0005", "0.1"),
        ("binance", "ONTTRY", "ONT/TRY", "0.00000001", "1"),
        ("upbit", "KRW-LAMB", "LAMB/KRW", "0.00000001", "1"),
        ("deribit", "BTC-24JUN22-15000-C", "BTC/USD:BTC-220624-15000-C", "0.0005", "1"),
    ],
)
def test_the_venue_s_own_entries_of_the_past_are_read(
    venue: str, market_id: str, symbol: str, tick: str, contract: str, shared: Path
):
    """As ccxt reads them; where they do not say how fine a price is, it may be as fine as prices are."""
    found = {one.market_id: one for one in listed.read(shared / "captures" / "instruments.json", DIALECTS[venue])}
    one = found[market_id]
    assert (one.symbol, one.tick_size, one.contract_size) == (symbol, Decimal(tick), Decimal(contract))


def test_a_file_that_is_no_list_is_not_written_over(tmp_path: Path):
    """It is named, with what to do."""
    path = tmp_path / "instruments.json"
    path.write_text("[1]")
    with pytest.raises(UserError, match=r"is no list of instruments: .*another folder"):
        listed.add(path, [SPOT], {})
    assert path.read_text() == "[1]"
