"""Settings that make no market are refused in one line."""

from pathlib import Path

import pytest

from infra.settings import UserError
from infra.simulated.clock import ClockState
from infra.simulated.venue import START_MS, SimulatedVenueConfig, Venue


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (SimulatedVenueConfig(instruments=25), "instruments must be 1 to 24, not 25"),
        (SimulatedVenueConfig(speed=0), "speed must be above 0"),
        (SimulatedVenueConfig(pace=-1), "pace must be above 0"),
        (SimulatedVenueConfig(start_ms=START_MS + 1), "whole minute"),
        (SimulatedVenueConfig(capture=Path("/nowhere/okx.ndjson.gz")), "instruments.json"),
    ],
)
def test_settings_that_make_no_market_are_refused(config: SimulatedVenueConfig, said: str) -> None:
    with pytest.raises(UserError, match=said):
        Venue(config)


@pytest.mark.parametrize(("hold", "state"), [(True, ClockState.HOLD), (False, ClockState.RUN)])
def test_the_clock_is_held_when_asked_to(hold: bool, state: ClockState) -> None:
    venue = Venue(SimulatedVenueConfig(hold=hold))
    assert venue.clock.state is state


def test_a_capture_can_be_the_market(shared: Path) -> None:
    venue = Venue(SimulatedVenueConfig(capture=shared / "captures" / "okx.ws.ndjson.gz"))
    assert {"BTC-USDT", "XMR-USDT-SWAP", "TRX-USDT-210924"} <= set(venue.board.listings)
    ticker = venue.board.ticker("XMR-USDT-SWAP", START_MS + 70_000)
    assert ticker is not None
    assert ticker["last"].startswith("196.")
