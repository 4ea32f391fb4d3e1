"""Settings that make no market are refused in one line; a venue keeps its market, clock and faults to itself."""

from pathlib import Path

import pytest

from infra.settings import UserError
from infra.simulated.clock import ClockState
from infra.simulated.faults import Fault, FaultKind
from infra.simulated.venue import START_MS, SimulatedVenueConfig, Venue, open_venues


def opened(name: str = "okx", **settings: object) -> Venue:
    return open_venues(SimulatedVenueConfig(venues=(name,), **settings))[name]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (SimulatedVenueConfig(instruments=501), "instruments must be 1 to 500, not 501"),
        (SimulatedVenueConfig(speed=0), "speed must be above 0"),
        (SimulatedVenueConfig(haste=0), "haste must be above 0"),
        (SimulatedVenueConfig(pace=-1), "pace must be above 0"),
        (SimulatedVenueConfig(start_ms=START_MS + 1), "whole minute"),
        (SimulatedVenueConfig(venues=("mtgox",)), "no simulated venue 'mtgox'; there are okx, binance"),
        (SimulatedVenueConfig(capture=Path("/nowhere/okx.ndjson.gz")), "instruments.json"),
        (SimulatedVenueConfig(capture=Path("/nowhere/x.gz"), venues=("binance",)), "a capture of binance cannot be read"),
    ],
)
def test_settings_that_make_no_market_are_refused(config: SimulatedVenueConfig, said: str) -> None:
    with pytest.raises(UserError, match=said):
        open_venues(config)


@pytest.mark.parametrize(("hold", "state"), [(True, ClockState.HOLD), (False, ClockState.RUN)])
def test_the_clock_is_held_when_asked_to(hold: bool, state: ClockState) -> None:
    assert opened(hold=hold).clock.state is state


def test_a_capture_can_be_the_market(shared: Path) -> None:
    venue = opened(capture=shared / "captures" / "okx.ws.ndjson.gz")
    assert {"BTC-USDT", "XMR-USDT-SWAP", "TRX-USDT-210924"} <= set(venue.board.listings)
    day = venue.board.day("XMR-USDT-SWAP", START_MS + 70_000)
    assert day is not None
    assert venue.board.figures["XMR-USDT-SWAP"].short_price(day.close).startswith("196.")


def test_the_same_coin_trades_differently_on_each_venue_and_the_same_with_the_same_seed() -> None:
    def prices(name: str, market_id: str) -> list[int]:
        found: list[int] = opened(name).board.tape(market_id, START_MS).slice(0, 50).prices.tolist()
        return found

    assert prices("binance", "BTCUSDT") == prices("binance", "BTCUSDT")
    assert len({tuple(opened(name).board.tape(one, START_MS).slice(0, 50).times.tolist()) for name, one in NAMES}) == len(NAMES)


NAMES = (("okx", "BTC-USDT"), ("binance", "BTCUSDT"), ("binanceusdm", "BTCUSDT"))


def test_the_first_venue_s_market_is_what_its_seed_always_gave() -> None:
    """What users have seen with a seed stays what it was when there was one venue alone."""
    trades = opened().board.tape("BTC-USDT", START_MS).slice(0, 3)
    assert trades.ids.tolist() == [638627772, 638627773, 638627774]
    assert trades.prices.tolist() == [969992, 969982, 969964]


@pytest.mark.parametrize(
    ("kind", "path", "status"),
    [
        (FaultKind.RATE_LIMIT, "/api/v3/time", 429),
        (FaultKind.SERVER_ERROR, "/api/v3/time", 500),
        (FaultKind.MAINTENANCE, "/api/v3/time", 503),
        (FaultKind.MAINTENANCE, "/sapi/v1/system/status", 200),
    ],
)
def test_requests_are_refused_while_a_fault_holds(kind: FaultKind, path: str, status: int) -> None:
    venue = opened("binance")
    venue.strike(Fault(kind, seconds=60.0))
    answer = venue.answer("GET", path, {}, b"")
    assert answer.status == status
    assert answer.headers == ({"Retry-After": "60"} if kind is FaultKind.RATE_LIMIT else {})
    venue.clear()
    assert venue.answer("GET", path, {}, b"").status == 200


@pytest.mark.parametrize(
    ("name", "kind", "refused"),
    [
        ("okx", FaultKind.RATE_LIMIT, None),
        ("binance", FaultKind.RATE_LIMIT, 429),
        ("binance", FaultKind.SERVER_ERROR, None),
        ("okx", FaultKind.MAINTENANCE, 503),
    ],
)
def test_connections_are_refused_where_the_venue_does_so(name: str, kind: FaultKind, refused: int | None) -> None:
    venue = opened(name)
    venue.strike(Fault(kind, seconds=60.0))
    answer = venue.refused("/ws", connecting=True)
    assert (None if answer is None else answer.status) == refused


def test_a_skewed_clock_shows_in_what_the_venue_says_of_the_time_alone() -> None:
    venue = opened("okx")
    venue.strike(Fault(FaultKind.CLOCK_SKEW, count=-5000, seconds=60.0))
    assert (venue.now().ms, venue.now().told) == (START_MS, START_MS - 5000)
    assert venue.answer("GET", "/api/v5/public/time", {}, b"").body["data"] == [{"ts": str(START_MS - 5000)}]
    (trade,) = venue.answer("GET", "/api/v5/market/trades", {"instId": "BTC-USDT", "limit": "1"}, b"").body["data"]
    tape = venue.board.tape("BTC-USDT", START_MS)
    assert int(trade["ts"]) == tape.slice(tape.through(START_MS) - 1, tape.through(START_MS)).times[0]


def test_faults_last_in_seconds_of_the_venue_s_watch() -> None:
    venue = opened("okx", haste=1e9)
    venue.strike(Fault(FaultKind.SERVER_ERROR, seconds=1.0))
    assert venue.answer("GET", "/api/v5/public/time", {}, b"").status == 200
