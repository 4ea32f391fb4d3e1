"""Numbers stay what the venue wrote."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import exact

numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6)


@given(numbers)
def test_a_number_survives_scaling(number: Decimal) -> None:
    """To an integer at its own scale and back is the same number."""
    assert exact.from_scaled(exact.to_scaled(number, exact.places(number)), exact.places(number)) == number


@given(numbers)
def test_places_are_the_fewest_that_lose_nothing(number: Decimal) -> None:
    """One place fewer would change the number."""
    fewest = exact.places(number)
    assert number == round(number, fewest)
    assert fewest == 0 or number != round(number, fewest - 1)


@pytest.mark.parametrize(
    "text", ["", "x", "NaN", "Infinity", "-inf", "1,5", "0x10", "1_0", " 1", "\uff11", "1e999999999999999999"]
)
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    """The error names the text."""
    with pytest.raises(ValueError, match="not a"):
        exact.parse(text)


@pytest.mark.parametrize(("text", "scale"), [("1.23", 1), ("9223372036854775808", 0), ("0.1", 0), ("1e30", 2)])
def test_what_does_not_fit_is_refused(text: str, scale: int) -> None:
    """Neither a lost digit nor a 65th bit passes."""
    with pytest.raises(ValueError, match="does not fit"):
        exact.to_scaled(text, scale)


@pytest.mark.parametrize(("number", "text"), [("4.54E-7", "0.000000454"), ("1E+3", "1000"), ("-0.50", "-0.50"), ("0", "0")])
def test_plain_digits(number: str, text: str) -> None:
    """No exponent is ever written."""
    assert exact.plain(Decimal(number)) == text


def test_scaled_numbers_lose_trailing_zeros() -> None:
    """100 hundredths are 1, and stay a plain 1."""
    assert str(exact.from_scaled(100, 2)) == "1"
    assert str(exact.from_scaled(0, 5)) == "0"
