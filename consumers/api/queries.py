"""The SQL of one page of rows, newest first. Nothing here talks to a database."""

# ruff: noqa: S608 - the only names put into these statements are those of `models`
import typing
from dataclasses import dataclass
from typing import Any, Final, Generic

from consumers.api import models
from consumers.api.models import Item

LATEST_MS: Final = 253_402_300_799_999  # the end of the year 9999: databases end sooner than integers
_READ: Final = {"exact": "{}::text", "to_ms": "to_ms({})", "to_us": "to_us({})"}


class CursorError(ValueError):
    """What was given is no cursor of a page."""


@dataclass(frozen=True)
class Source(Generic[Item]):
    """Where the rows of a model are: a view, ordered by a time and, among equal times, by an id."""

    view: str
    model: type[Item]
    time: str = "time"
    id: str | None = "id"

    def columns(self) -> str:
        """Each field of the model, read as its type says."""
        hints = typing.get_type_hints(self.model, include_extras=True)
        return ", ".join(f"{_how(hints[name]).format(f'v.{name}')} AS {name}" for name in self.model.model_fields)

    def cursor(self, row: dict[str, Any]) -> str:
        """What the page after this row begins with."""
        return str(row[self.time]) if self.id is None else f"{row[self.time]}~{row[self.id]}"

    def position(self, cursor: str) -> dict[str, Any]:
        """The time and id in a cursor. Raises CursorError."""
        time, separator, last = cursor.partition("~")
        numeric = self.id == "trade_id"
        if (
            not time.isdecimal()
            or int(time) > LATEST_MS
            or bool(separator) != bool(self.id)
            or (numeric and not last.isdecimal())
        ):
            raise CursorError(f"before: {cursor!r} is not the `next` of a page")
        return {"before": int(time), "last": int(last) if numeric else last}


CANDLES: Final = Source("v_candles", models.Candle, time="open_time", id=None)
TRADES: Final = Source("v_trades", models.Trade, id="trade_id")
SIGNALS: Final = Source("v_signals", models.Signal)
ORDERS: Final = Source("v_orders", models.Order, id="client_order_id")
FILLS: Final = Source("v_fills", models.Fill)
POSITIONS: Final = Source("v_positions", models.Position)
REFUSALS: Final = Source("v_refusals", models.Refusal)


@dataclass(frozen=True)
class Wanted:
    """One page: `equal` by column, times in epoch ms of which `until` is excluded, `before` the `next` of the page above."""

    limit: int
    equal: dict[str, Any]
    since: int | None = None
    until: int | None = None
    before: str | None = None


def page(source: Source[Item], wanted: Wanted) -> tuple[str, dict[str, Any]]:
    """The statement and its parameters; it asks for one row more, to know whether a page follows. Raises CursorError."""
    time, key = f"v.{source.time}", f"v.{source.id}"
    where = [f"v.{column} = %({column})s" for column in wanted.equal]
    if wanted.since is not None:
        where.append(f"{time} >= from_ms(%(since)s)")
    if wanted.until is not None:
        where.append(f"{time} < from_ms(%(until)s)")
    parameters: dict[str, Any] = {"limit": wanted.limit + 1, "since": wanted.since, "until": wanted.until, **wanted.equal}
    if wanted.before is not None:
        parameters |= source.position(wanted.before)
        where.append(f"({time}, {key}) < (from_ms(%(before)s), %(last)s)" if source.id else f"{time} < from_ms(%(before)s)")
    statement = [f"SELECT {source.columns()} FROM {source.view} v"]
    if where:
        statement.append("WHERE " + " AND ".join(where))
    statement.append(f"ORDER BY {time} DESC, {key} DESC" if source.id else f"ORDER BY {time} DESC")
    return " ".join([*statement, "LIMIT %(limit)s"]), parameters


def _how(hint: Any) -> str:
    """The first of our marks in a field's type, whatever stands around it."""
    for mark in getattr(hint, "__metadata__", ()):
        if mark in _READ:
            return _READ[mark]
    return next((how for how in map(_how, typing.get_args(hint)) if how != "{}"), "{}")
