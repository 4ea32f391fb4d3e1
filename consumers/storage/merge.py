"""The SQL that takes rows from where they were copied to into their table. Every statement may be repeated without effect."""

# ruff: noqa: S608 - the only names put into these statements are those of `tables`
from typing import Final

from consumers.storage.tables import HEAD, INSTRUMENTS, MS, SCALED, TAIL, US, Table

_STAGED_AS: Final = {MS: "bigint", US: "bigint", SCALED: "numeric"}
_MERGED_AS: Final = {MS: "from_ms(s.{})", US: "from_us(s.{})", SCALED: "trim_scale(s.{})"}


def stage(table: Table) -> str:
    """Creates the place that rows are copied to. It lives as long as its transaction, behind a pooler too."""
    columns = {**HEAD, **table.columns, **TAIL}
    declared = ", ".join(f"{name} {_STAGED_AS.get(kind, kind)}" for name, kind in columns.items())
    return f"CREATE TEMPORARY TABLE staged_{table.name} ({declared}) ON COMMIT DROP"


def copy(table: Table) -> str:
    """Takes rows as `tables.rows` gives them."""
    return f"COPY staged_{table.name} FROM STDIN"


def merge(table: Table) -> list[str]:
    """From the stage into the table, and the stage empty again: statements to be run in this order, in one transaction."""
    if table is INSTRUMENTS:
        into = [_describe(table)]
    elif table.revision is None:
        into = [_append(table)]
    elif table.history is None:
        into = [_upsert(table)]
    else:
        into = [_supersede(table), _upsert(table), _outrun(table)]
    return [_know_markets(table), *into, f"TRUNCATE staged_{table.name}"]


def _know_markets(table: Table) -> str:
    """A market is known by the first record that names it; the record that describes it may come later."""
    return f"""
        INSERT INTO instruments (venue, symbol, market_id)
        SELECT DISTINCT ON (venue, symbol) venue, symbol, market_id FROM staged_{table.name} s
        WHERE NOT EXISTS (
            SELECT FROM instruments i
            WHERE i.venue = s.venue AND i.symbol = s.symbol AND (i.market_id IS NOT NULL OR s.market_id IS NULL)
        )
        ORDER BY venue, symbol, market_id
        ON CONFLICT (venue, symbol) DO UPDATE SET market_id = excluded.market_id WHERE instruments.market_id IS NULL"""


def _describe(table: Table) -> str:
    """The newest description of each market; of two that are valid from the same moment, the later one sent."""
    described = ("market_id", *table.columns)
    return f"""
        UPDATE instruments t SET {", ".join(f"{name} = r.{name}" for name in described)}
        FROM (
            SELECT DISTINCT ON (venue, symbol) venue, symbol, market_id, {_values(table)} FROM staged_{table.name} s
            ORDER BY venue, symbol, s.valid_from DESC, arrival DESC
        ) r
        WHERE t.venue = r.venue AND t.symbol = r.symbol AND (t.valid_from IS NULL OR r.valid_from >= t.valid_from)"""


def _append(table: Table) -> str:
    """What has been there stays: the first to arrive."""
    order = "arrival, arrival_index" if table.keeps_arrival else "arrival"
    return f"""
        INSERT INTO {table.name} ({_columns(table)})
        SELECT {_columns(table)} FROM ({_rows(table)}) r ORDER BY {order}
        ON CONFLICT DO NOTHING"""


def _upsert(table: Table) -> str:
    """The highest revision wins, whichever order revisions come in."""
    key = ", ".join(table.key)
    updated = ", ".join(f"{name} = excluded.{name}" for name in ("instrument_id", *table.columns) if name not in table.key)
    return f"""
        INSERT INTO {table.name} ({_columns(table)})
        SELECT DISTINCT ON ({key}) {_columns(table)} FROM ({_rows(table)}) r ORDER BY {key}, {table.revision} DESC, arrival
        ON CONFLICT ({key}) DO UPDATE SET {updated} WHERE excluded.{table.revision} > {table.name}.{table.revision}"""


def _supersede(table: Table) -> str:
    """Into the history goes the stored revision that a staged one is about to replace, locked until it is."""
    key = ", ".join(table.key)
    return f"""
        INSERT INTO {table.history} ({_columns(table)})
        SELECT {_columns(table, "t.")} FROM {table.name} t
        JOIN (SELECT {key}, max({table.revision}) AS newest FROM ({_rows(table)}) r GROUP BY {key}) n USING ({key})
        WHERE t.{table.revision} < n.newest
        FOR UPDATE OF t
        ON CONFLICT DO NOTHING"""


def _outrun(table: Table) -> str:
    """Into the history goes what was staged and is lower than what, after the upsert, the table holds."""
    return f"""
        INSERT INTO {table.history} ({_columns(table)})
        SELECT {_columns(table, "r.")} FROM ({_rows(table)}) r
        JOIN {table.name} t USING ({", ".join(table.key)})
        WHERE r.{table.revision} < t.{table.revision}
        ON CONFLICT DO NOTHING"""


def _rows(table: Table) -> str:
    """The staged rows as the table holds them, and `arrival`."""
    return f"""
            SELECT i.id AS instrument_id, {_values(table)}, s.arrival
            FROM staged_{table.name} s JOIN instruments i ON i.venue = s.venue AND i.symbol = s.symbol"""


def _values(table: Table) -> str:
    merged = {name: _MERGED_AS.get(kind, "s.{}").format(name) for name, kind in table.columns.items()}
    return ", ".join(f"{value} AS {name}" for name, value in merged.items())


def _columns(table: Table, of: str = "") -> str:
    kept = TAIL if table.keeps_arrival else ()
    return ", ".join(of + name for name in ("instrument_id", *table.columns, *kept))
