"""Some thousand hostile frames for every venue; `make fuzz` runs a million."""

from decimal import Decimal
from pathlib import Path

import pytest

from producers.dialect import BookPushed, Event, Trade, TradesPushed
from producers.dialects import DIALECTS
from tests.producers.dialects import fuzz

CASES = 5_000  # a venue


@pytest.mark.parametrize("venue", DIALECTS)
def test_a_hostile_frame_gives_events_or_a_refusal_and_never_a_figure_that_it_does_not_hold(shared: Path, venue: str) -> None:
    frames = {venue: fuzz.corpus(shared)[venue]}
    counts, failures = fuzz.run(20261121, 0, CASES, frames)
    assert failures == []
    outcomes = {outcome for _, outcome in counts}
    assert "refused" in outcomes
    assert {"BookPushed", "TradesPushed"} & {kind for outcome in outcomes for kind in outcome.split(" + ")}


def test_a_case_is_the_same_frame_every_time(shared: Path) -> None:
    """So that a finding can be looked at."""
    frames = fuzz.corpus(shared)
    assert fuzz.run(7, 0, 200, frames) == fuzz.run(7, 0, 200, frames)


TEXT = b'{"price":1.50,"amount":"2","time":"\\u0034","side":"buy"}'
WRONG: dict[str, Event] = {
    "a rounded price": TradesPushed("A", (Trade(1, 1, 1, Decimal("1.499999"), Decimal(2), taker_buy=True),)),
    "a price of zero": TradesPushed("A", (Trade(1, 1, 1, Decimal(0), Decimal(2), taker_buy=True),)),
    "a price below zero": TradesPushed("A", (Trade(1, 1, 1, Decimal("-1.5"), Decimal(2), taker_buy=True),)),
    "an endless amount": TradesPushed("A", (Trade(1, 1, 1, Decimal("1.5"), Decimal("Infinity"), taker_buy=True),)),
    "an amount out of nowhere": BookPushed("A", 1, ((Decimal("1.5"), Decimal(3)),), (), snapshot=True),
    "an id beyond 64 bits": TradesPushed("A", (Trade(2**63, 2**63, 1, Decimal("1.5"), Decimal(2), taker_buy=True),)),
    "a trade that ends before it begins": TradesPushed("A", (Trade(1, 2, 1, Decimal("1.5"), Decimal(2), taker_buy=True),)),
    "a trade of no trades": TradesPushed("A", (Trade(1, 1, 1, Decimal("1.5"), Decimal(2), taker_buy=True, count=0),)),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_event_would_be_found(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    """The tester is tested: a dialect that said this would fail."""
    monkeypatch.setattr(type(DIALECTS["okx"]), "parse", staticmethod(lambda frame: (WRONG[case],)))
    with pytest.raises(AssertionError):
        fuzz.verdict("okx", TEXT)


def test_what_stands_in_a_frame_is_its_numbers_and_its_texts_that_are_numbers() -> None:
    """Not the digits within other texts."""
    assert fuzz.numbers(TEXT) == {Decimal("1.5"), Decimal(2), Decimal(4)}
    assert fuzz.numbers(b'{"a":"12x34","b":[-7],"c":1e2}') == {Decimal(7), Decimal(100)}


def test_every_kind_of_news_is_looked_at() -> None:
    """A kind of event with prices that the fuzzer does not know would pass unseen."""
    told = {event.__name__ for event in fuzz.FIGURES}
    assert told == {"TradesPushed", "BookPushed", "CandlePushed", "Quoted", "Told", "Marked", "Held", "Funded"}
