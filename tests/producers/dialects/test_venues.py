"""docs/venues.md cannot fall behind: every venue is in it, with its channels and the length of its files."""

import re
from pathlib import Path

import pytest

from producers import dialects
from producers.dialects import DIALECTS

_FOLDER = Path(dialects.__file__).parent
_TEXT = (_FOLDER.parents[1] / "docs" / "venues.md").read_text()
_LENGTHS = re.findall(r"^\| [`a-z and]+ \| ((?:`[a-z_]+\.py`(?:, )?)+) \| ([0-9]+) \|$", _TEXT, re.MULTILINE)


@pytest.mark.parametrize("venue", DIALECTS)
def test_a_venue_is_in_both_tables(venue: str) -> None:
    assert len(re.findall(rf"^\| `{venue}` \|.*\|$", _TEXT, re.MULTILINE)) >= 2


@pytest.mark.parametrize("venue", DIALECTS)
def test_its_limits_are_those_that_are_kept(venue: str) -> None:
    limits = DIALECTS[venue].limits
    told = re.search(rf"^\| `{venue}` \|.*\| ([0-9,]+), ([0-9.]+), ([0-9]+)(; a connection lives 24 h)? \|$", _TEXT, re.MULTILINE)
    assert told is not None
    assert (int(told[1].replace(",", "")), float(told[2]), int(told[3])) == (
        limits.channels,
        limits.messages_per_s,
        limits.connects_per_minute,
    )
    assert (limits.lifetime_s == 86_400) is (told[4] is not None)


def test_the_lengths_of_the_files_are_about_right() -> None:
    """Within a tenth; and every file is told of."""
    told = {name for names, _ in _LENGTHS for name in re.findall(r"[a-z_]+\.py", names)}
    assert told == {file.name for file in _FOLDER.glob("*.py")} - {"__init__.py"}
    for names, lines in _LENGTHS:
        there = sum(len((_FOLDER / name).read_text().splitlines()) for name in re.findall(r"[a-z_]+\.py", names))
        assert abs(there - int(lines)) <= there / 10, names
