"""A venue's instruments: from REST, else from the disk; what changes is told, and a symbol stays what it was."""

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import ccxt
import pytest
import pytest_asyncio
from msgspec import structs

from infra.settings import Settings, UserError
from producers.clock import Clock
from producers.dialects import DIALECTS
from producers.instruments import Instruments, compared, described, key, pinned
from producers.rest import Rest
from schemas.market import Instrument, Notice
from tests.producers.answering import Answering, answering

LISTED, NOW = 1_500_000_000_000, 1_700_000_000_000
OKX = DIALECTS["okx"]


def spot(base: str, **other: Any) -> Instrument:
    values = {
        "venue": "okx",
        "symbol": f"{base}/USDT",
        "market_id": f"{base}-USDT",
        "type": "spot",
        "base": base,
        "quote": "USDT",
        "settle": None,
        "contract_size": Decimal(1),
        "inverse": False,
        "tick_size": Decimal("0.1"),
        "lot_size": Decimal("0.01"),
        "min_amount": Decimal("0.01"),
        "active": True,
        "expiry": None,
        "valid_from": LISTED,
    }
    return Instrument(**(values | other))


def of(*instruments: Instrument) -> dict[tuple[str, str], Instrument]:
    return {key(one): one for one in instruments}


BTC, ETH, SOL = spot("BTC"), spot("ETH"), spot("SOL")
FINER = Decimal("0.01")


@pytest.mark.parametrize(
    ("before", "listed", "changed"),
    [
        ([], [BTC, ETH], [BTC, ETH]),
        ([BTC], [BTC], []),
        ([spot("BTC", valid_from=NOW - 5)], [BTC], []),
        ([BTC], [spot("BTC", tick_size=FINER)], [spot("BTC", tick_size=FINER, valid_from=NOW)]),
        ([BTC], [BTC, SOL], [SOL]),
        ([BTC, ETH], [ETH], [spot("BTC", active=False, valid_from=NOW)]),
        ([spot("BTC", active=False, valid_from=7)], [], []),
        ([spot("BTC", active=False, valid_from=7)], [BTC], [spot("BTC", valid_from=NOW)]),
        ([BTC, SOL], [BTC], []),
    ],
    ids=["first", "same", "long the same", "finer tick", "new", "delisted", "gone", "back", "gone and not followed"],
)
def test_only_what_has_changed_is_told_from_when_it_was_seen(
    before: list[Instrument], listed: list[Instrument], changed: list[Instrument]
):
    """What is new is valid from its listing; a second look finds nothing more."""
    known, told = compared(of(*before), of(*listed), NOW, ["BTC/USDT", "ETH/USDT"])
    assert list(told) == changed
    assert compared(known, of(*listed), NOW + 1, ["BTC/USDT", "ETH/USDT"]) == (known, ())


def test_what_is_followed_keeps_its_symbol_when_ccxt_renames_it():
    """And it is told; what nobody follows goes along with ccxt."""
    called = [spot("BTC", symbol="XBT/USDT"), spot("ETH", symbol="ETH2/USDT")]
    found, renamed = pinned(of(BTC, ETH), of(*called), ["BTC/USDT"])
    assert [one.symbol for one in found.values()] == ["BTC/USDT", "ETH2/USDT"]
    assert renamed == [
        ("BTC/USDT", "ccxt calls BTC/USDT XBT/USDT now; it stays BTC/USDT here until TAPEFLOW_MARKETS says otherwise")
    ]


def test_the_new_symbol_is_taken_when_it_is_asked_for():
    """The user has followed the rename, and the past is named."""
    found, renamed = pinned(of(BTC), of(spot("BTC", symbol="XBT/USDT")), ["XBT/USDT"])
    assert [one.symbol for one in found.values()] == ["XBT/USDT"]
    assert renamed == [("XBT/USDT", "BTC/USDT is called XBT/USDT from now on; its past stays under BTC/USDT")]


def test_no_symbol_names_two_markets():
    """A market that takes over the name of one that is followed has to wait."""
    swapped = of(spot("BTC", symbol="OLD/USDT"), spot("NEW", symbol="BTC/USDT"))
    found, _ = pinned(of(BTC), swapped, ["BTC/USDT"])
    assert [(one.symbol, one.market_id) for one in found.values()] == [("BTC/USDT", "BTC-USDT")]


def test_a_spot_market_and_a_swap_may_share_the_venue_s_name():
    """They are two."""
    swap = spot("BTC", type="swap", symbol="BTC/USDT:USDT", settle="USDT")
    known, _ = compared({}, of(BTC, swap), NOW, [])
    assert len(known) == 2


def test_one_market_that_makes_no_sense_stops_no_other(venue_row: dict[str, Any]):
    """It is named with its reason."""
    exchange = ccxt.okx({"number": str})
    good = exchange.parse_market(venue_row)
    markets = {"BTC/USDT": good, "ODD/USDT": good | {"info": good["info"] | {"tickSz": "much"}}, "NONE/USDT": {"info": None}}
    listing = described(OKX, markets)
    assert [one.symbol for one in listing.instruments.values()] == ["BTC/USDT"]
    assert set(listing.undescribed) == {"ODD/USDT", "NONE/USDT"}
    assert "much" in listing.undescribed["ODD/USDT"]


@pytest.fixture
def venue_row() -> dict[str, Any]:
    return row("BTC")


def row(base: str, **other: str) -> dict[str, str]:
    """As OKX describes a spot market."""
    empty = dict.fromkeys(("uly", "instFamily", "ctVal", "ctMult", "ctValCcy", "optType", "stk", "expTime", "settleCcy"), "")
    return (
        empty
        | {
            "instType": "SPOT",
            "instId": f"{base}-USDT",
            "baseCcy": base,
            "quoteCcy": "USDT",
            "ctType": "",
            "listTime": str(LISTED),
            "lever": "10",
            "tickSz": "0.1",
            "lotSz": "0.01",
            "minSz": "0.01",
            "state": "live",
        }
        | other
    )


INSTRUMENTS, TIME = "/okx/api/v5/public/instruments", "/okx/api/v5/public/time"


def say(venue: Answering, *rows: dict[str, str], now: int = NOW) -> None:
    venue.answers |= {
        TIME: (200, json.dumps({"code": "0", "data": [{"ts": str(now)}]}), {}),
        INSTRUMENTS: (200, json.dumps({"code": "0", "data": rows}), {}),
        "/okx/api/v5/public/underlying": (200, json.dumps({"code": "0", "data": [[]]}), {}),
    }


@pytest_asyncio.fixture
async def venue() -> AsyncIterator[Answering]:
    async with answering() as one:
        say(one, row("BTC"), row("ETH"))
        yield one


@pytest_asyncio.fixture
async def rest(venue: Answering, tmp_path: Path) -> AsyncIterator[Rest]:
    async with Rest(Settings(venue_url=venue.url, state=tmp_path), "okx") as one:
        yield one


async def test_instruments_are_those_of_the_symbols_in_their_order(rest: Rest, tmp_path: Path):
    """Each once; what is not there is answered with its neighbours."""
    loaded = await Instruments(rest, OKX, tmp_path / "okx.json").load(["ETH/USDT", "BTC/USDC", "BTC/USDT", "ETH/USDT"])
    assert [one.symbol for one in loaded.found] == ["ETH/USDT", "BTC/USDT"]
    assert loaded.found[0].valid_from == LISTED
    assert loaded.missing == {"BTC/USDC": ("BTC/USDT", "ETH/USDT")}
    assert loaded.age_s is None
    with pytest.raises(UserError, match="okx has no market 'BTC/USDC'; near are BTC/USDT"):
        loaded.checked("okx")


async def test_a_start_works_from_the_disk_while_rest_is_down(
    venue: Answering, rest: Rest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """It says how old that is. Without it, the user is told what to check."""
    file = tmp_path / "instruments" / "okx.json"
    first = (await Instruments(rest, OKX, file).load(["BTC/USDT"])).found
    monkeypatch.setattr("producers.instruments.START_S", 0.3)
    venue.answers.clear()
    loaded = await Instruments(rest, OKX, file).load(["BTC/USDT"])
    assert loaded.found == first
    assert loaded.age_s is not None
    assert loaded.age_s < 60
    assert "going on with its instruments as of 0 min ago" in caplog.text
    with pytest.raises(UserError, match=f"no answer from {venue.url}/okx: .*check the network or TAPEFLOW_VENUE_URL"):
        await Instruments(rest, OKX, tmp_path / "none.json").load(["BTC/USDT"])


async def test_instruments_of_elsewhere_or_of_no_sense_are_not_used(rest: Rest, tmp_path: Path):
    """A simulated venue's are not the real one's."""
    file = tmp_path / "okx.json"
    for text in (json.dumps({"where": "okx", "written": 1.0, "instruments": []}), "no json", '{"where": 1}'):
        file.write_text(text)
        assert Instruments(rest, OKX, file)._read() is None


async def test_a_refresh_tells_what_has_changed_and_what_is_new(venue: Answering, rest: Rest, tmp_path: Path):
    """Of the symbols that are followed; the changes outlive a restart."""
    file = tmp_path / "okx.json"
    instruments = Instruments(rest, OKX, file)
    await instruments.load(["BTC/USDT"])
    assert await instruments.refresh() == ()
    say(venue, row("BTC", tickSz="0.01"), row("ETH", tickSz="5"), row("SOL"), now=NOW + 60_000)
    changed, listed = await instruments.refresh()
    assert isinstance(changed, Instrument)
    assert (changed.symbol, changed.tick_size, changed.valid_from) == ("BTC/USDT", FINER, NOW + 60_000)
    assert isinstance(listed, Notice)
    assert (listed.kind, listed.symbol, listed.message) == ("listing", "SOL/USDT", "SOL/USDT is listed")
    assert await instruments.refresh() == ()
    assert (await Instruments(rest, OKX, file).load(["BTC/USDT"])).found == (changed,)
    say(venue, row("ETH"), now=NOW + 120_000)
    (gone,) = await instruments.refresh()
    assert gone == structs.replace(changed, active=False, valid_from=NOW + 120_000)


async def test_it_refreshes_when_it_is_asked_to_and_outlives_failures(venue: Answering, rest: Rest, tmp_path: Path):
    """A listing notice asks; the next notice finds the venue back."""
    instruments = Instruments(rest, OKX, tmp_path / "okx.json", Clock(scale=300.0))
    await instruments.load(["BTC/USDT"])
    published: asyncio.Queue[Instrument | Notice] = asyncio.Queue()
    serving = asyncio.create_task(instruments.serve(published.put))
    good = dict(venue.answers)
    venue.answers.clear()
    instruments.ask()
    async with asyncio.timeout(10):
        while len(venue.asked) < 8:
            instruments.ask()
            await asyncio.sleep(0.05)
        venue.answers |= good
        say(venue, row("BTC", tickSz="0.01"))
        instruments.ask()
        changed = await published.get()
    assert isinstance(changed, Instrument)
    assert changed.tick_size == FINER
    serving.cancel()
