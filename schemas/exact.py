"""Exact numbers: decimals on the edges, integers with a decimal scale inside.

>>> to_scaled("0.0450", 4)
450
>>> from_scaled(450, 4)
Decimal('0.045')
"""

from decimal import Context, Decimal

# Wide enough that no sum or product of prices and amounts is ever rounded; results are rounded only where a record says so.
EXACT = Context(prec=60)
INT64_MAX = 2**63 - 1
_BELIEVABLE = 40  # powers of ten; an integer of more digits would only cost memory


def parse(text: str) -> Decimal:
    """The decimal a venue wrote. Raises ValueError for anything that is not a finite decimal number of believable size."""
    try:
        # Python's Decimal also takes 1_000, blanks around and digits of other scripts; no venue means those.
        value = Decimal(text) if text.isascii() and "_" not in text and text.strip() == text else None
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        value = None
    if value is None or not value.is_finite() or abs(value.adjusted()) > _BELIEVABLE:
        raise ValueError(f"not a number: {text!r:.60}")
    return value


def places(value: Decimal) -> int:
    """Decimal places needed to write `value` without loss: 1.50 needs 1, 100 needs 0."""
    if not value:
        return 0
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)  # finite
    for digit in reversed(digits):
        if digit or exponent >= 0:
            break
        exponent += 1
    return max(0, -exponent)


def to_scaled(value: Decimal | str, scale: int) -> int:
    """`value` in units of 10**-scale. Raises ValueError when it does not fit exactly or exceeds 64 bits."""
    number = parse(value) if isinstance(value, str) else value
    scaled = number.scaleb(scale, EXACT)
    result = int(scaled)
    if result != scaled or abs(result) > INT64_MAX:
        raise ValueError(f"{number} does not fit 64 bits at {scale} decimal places")
    return result


def from_scaled(value: int, scale: int) -> Decimal:
    """The decimal of `value` units of 10**-scale, without trailing zeros."""
    while scale > 0 and value % 10 == 0:
        value //= 10
        scale -= 1
    return Decimal(value).scaleb(-scale, EXACT)


def plain(value: Decimal) -> str:
    """Digits only, never an exponent: 4.54E-7 is written 0.000000454."""
    return format(value, "f")
