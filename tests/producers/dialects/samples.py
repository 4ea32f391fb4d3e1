"""The wire samples beside the checkout: every message as the bytes that it was written in."""

import re
from decimal import Decimal
from pathlib import Path

import msgspec
from msgspec import Struct

from schemas.market import Instrument

FOLDERS = {
    "okx": "okx",
    "binance": "binance",
    "binanceusdm": "binance_usdm",
    "bybit": "bybit",
    "bitget": "bitget",
    "upbit": "upbit",
    "deribit": "deribit",
    "kraken": "kraken",
    "coinbaseexchange": "coinbase",
}
"""The folder of each venue, by its ccxt id."""

PAGES = {"rest_recent_trades": "trades_page", "rest_klines": "candles_page", "rest_order_book": "book_page"}
"""Public answers over REST that a dialect reads; `rest_instruments` are read by ccxt first."""
_MARKET = re.compile(rb'"(?:instId|symbol|instrument_name|market|product_id)":"([^"]+)"')


class Sample(Struct, frozen=True):
    """One message: `kind` is its file's name, `index` its place there (of a sequence: the place of the frame)."""

    kind: str
    index: int
    source: str
    note: str
    text: bytes

    @property
    def name(self) -> str:
        return f"{self.kind}[{self.index}]"


class _Entry(Struct):
    source: str
    message: msgspec.Raw
    note: str = ""


class _Frame(Struct):
    frame: msgspec.Raw


_entries = msgspec.json.Decoder(list[_Entry])
_frames = msgspec.json.Decoder(list[_Frame])


def text(raw: msgspec.Raw) -> bytes:
    """A message that is itself a JSON string is a bare text, like `pong`; others are written without blanks, digits untouched."""
    written = bytes(raw)
    return (
        msgspec.json.decode(written, type=str).encode() if written.startswith(b'"') else msgspec.json.format(written, indent=-1)
    )


def samples(shared: Path, venue: str) -> list[Sample]:
    """All of a venue's samples."""
    found = []
    for file in sorted((shared / "wire" / FOLDERS[venue]).glob("*.json")):
        for index, entry in enumerate(_entries.decode(file.read_bytes())):
            if file.stem.startswith("sequence_"):
                frames = enumerate(_frames.decode(entry.message))
                found += [Sample(file.stem, place, entry.source, entry.note, text(told.frame)) for place, told in frames]
            else:
                found.append(Sample(file.stem, index, entry.source, entry.note, text(entry.message)))
    return found


def instrument(venue: str, text: bytes = b"") -> Instrument:
    """A spot instrument by the name that stands in a sample."""
    found = _MARKET.search(text)
    return Instrument(
        venue=venue,
        symbol="A/B",
        market_id=found[1].decode(errors="replace") if found else "A-B",
        type="spot",
        base="A",
        quote="B",
        settle=None,
        contract_size=Decimal(1),
        inverse=False,
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.01"),
        min_amount=Decimal("0.01"),
        active=True,
        expiry=None,
        valid_from=0,
    )
