"""Sums are exact beyond 64 bits, in any scale and any order."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from pipelines.bar import WIDE, Columns, of_trades
from schemas import exact
from tests.pipelines.tape import START, Trade, heartbeat, minutes, record

big = st.integers(1, exact.INT64_MAX)
rows = st.lists(st.tuples(big, big, st.booleans()), min_size=1, max_size=30)


@given(rows=rows, scales=st.tuples(st.integers(0, 18), st.integers(0, 18)))
def test_volumes_of_linear_contracts_are_exact_up_to_the_largest_numbers(rows, scales):
    """Price times amount of 63-bit columns needs 126 bits and gets them: equal to fractions."""
    price_scale, amount_scale = scales
    prices, amounts, buys = zip(*rows, strict=True)
    columns = Columns(range(len(rows)), [START] * len(rows), prices, amounts, buys)
    bar = of_trades(
        START, columns, heartbeat(START, price_scale=price_scale, amount_scale=amount_scale, contract_size=Decimal("0.01"))
    )

    size = Fraction(1, 100 * 10**amount_scale)
    assert Fraction(bar.volume) == sum(amounts) * size
    assert Fraction(bar.taker_buy_volume) == sum(amount for amount, buy in zip(amounts, buys, strict=True) if buy) * size
    assert Fraction(bar.quote_volume) == sum(p * a for p, a, _ in rows) * size / 10**price_scale
    assert (bar.high, bar.low) == (WIDE.scaleb(max(prices), -price_scale), WIDE.scaleb(min(prices), -price_scale))


@given(rows=rows, data=st.data())
def test_inverse_sums_do_not_depend_on_how_trades_are_grouped(rows, data):
    """Each trade's base amount is cut by itself and the sum of the pieces is exact."""
    prices, amounts, buys = zip(*rows, strict=True)
    columns = Columns(range(len(rows)), [START] * len(rows), prices, amounts, buys)
    heading = heartbeat(START, price_scale=2, inverse=True, contract_size=Decimal(100))
    whole, cut = of_trades(START, columns, heading), data.draw(st.integers(0, len(rows)))
    parts = [of_trades(START, part, heading) for part in (columns.part(0, cut), columns.part(cut, len(rows))) if part.ids]
    first, *rest = data.draw(st.permutations(parts))
    for part in rest:
        first.merge(part)

    assert first == whole


def test_inverse_volume_is_rounded_half_even_to_twelve_places_in_the_candle():
    """210,453 contracts of 1 USD are base units only after division; 34 digits are kept until the end."""
    contracts = record(
        Trade(1, START, "3", "1"), Trade(2, START, "3", "1"), Trade(3, START, "3", "1", buy=False),
        watermark=START + 60_000, inverse=True, contract_size=Decimal(100),
    )  # fmt: skip
    (candle,) = minutes(contracts)

    assert (candle.volume, candle.quote_volume) == (Decimal(100), Decimal(300))
    assert candle.taker_buy_volume == Decimal("66.666666666667")


def test_a_candle_is_written_in_the_same_digits_whatever_scale_its_trades_came_in():
    """The bytes of a candle must not tell how its trades were batched."""
    (narrow,), (wide,) = (
        minutes(record(Trade(1, START, "1.50", "200"), places=places, watermark=START + 60_000)) for places in (0, 6)
    )

    assert [format(value, "f") for value in (narrow.open, narrow.volume)] == ["1.5", "200"]
    assert format(wide.open, "f") == "1.5"
    assert format(wide.volume, "f") == "200"
