"""Writes what the other stages publish into PostgreSQL, exactly and once.

What comes in: instruments, trades, candles, signals, orders, fills, positions and refusals. What goes out: rows, and
`dead.letters` for what cannot be read or what the database refuses. `tables` says what becomes of each topic, `merge` writes the
SQL of that, `database` alone talks to PostgreSQL, `sink` stands between it and quixstreams, `app` starts them.

The neighbours rely on this: offsets are committed after the rows are, and a record that comes again changes nothing. So rows are
never lost and never doubled, whatever is killed; while the database is away the topics wait.
"""
