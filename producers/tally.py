"""What has happened on the connections to one venue since the start, to be looked at while it goes on."""

from collections import Counter

from msgspec import Struct, field

from producers.offset import Offset
from producers.outcome import Counts


class Tally(Struct):
    """Plain numbers: whoever shows them reads them when it likes."""

    counts: Counts = field(default_factory=Counts)
    offset: Offset = field(default_factory=Offset)
    messages: Counter[str] = field(default_factory=Counter)
    """Events by kind."""
    newest: dict[str, float] = field(default_factory=dict)
    """When the last event of a kind came: seconds of the clock that runs the venue."""
    conflated: Counter[str] = field(default_factory=Counter)
    """Events by kind that a newer one replaced before they were published."""
    reconnects: Counter[str] = field(default_factory=Counter)
    """Connections that ended, by cause."""
    dead_letters: int = 0
    refused: int = 0
    """Refusals of channels."""

    def line(self) -> str:
        """The most telling of it in one line."""
        counts = self.counts
        causes = ", ".join(f"{cause} {count}" for cause, count in sorted(self.reconnects.items())) or "none"
        return (
            f"trades {counts.trades}, repaired {counts.repaired}, duplicates {counts.duplicates}, gaps {counts.gaps}, "
            f"closed {counts.closed}, given up {counts.given_up}, dead letters {self.dead_letters}, reconnects: {causes}"
        )
