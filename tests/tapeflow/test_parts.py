"""The processes of a running system: a producer a venue."""

import pytest

from infra.settings import Settings, UserError
from tapeflow.parts import PARTS, names, of_venue, run

SETTINGS = Settings(markets=("okx:BTC/USDT", "upbit:BTC/KRW", "okx:ETH/USDT"), metrics_port=9100)


def test_each_venue_has_a_producer_of_its_own() -> None:
    """And there is one of every other part."""
    assert names(SETTINGS) == ["producer-okx", "producer-upbit", *(part for part in PARTS if part != "producer")]


def test_a_producer_of_one_venue_follows_its_markets_only() -> None:
    """Its metrics have a port of their own; without metrics it has none."""
    own = of_venue(SETTINGS, "upbit")
    assert (own.markets, own.metrics_port) == (("upbit:BTC/KRW",), 9101)
    assert of_venue(SETTINGS, "okx").markets == ("okx:BTC/USDT", "okx:ETH/USDT")
    assert of_venue(SETTINGS.model_copy(update={"metrics_port": 0}), "upbit").metrics_port == 0


@pytest.mark.parametrize(
    ("name", "says"), [("engine", "no part 'engine'"), ("api-okx", "no part"), ("producer-kraken", "kraken")]
)
def test_a_part_there_is_none_of_is_named(name: str, says: str) -> None:
    """Before anything is started."""
    with pytest.raises(UserError, match=says):
        run(name, SETTINGS)
