"""The database: numbered migrations and their runner.

What comes in: the address of a PostgreSQL server, with or without TimescaleDB. What goes out: its tables, views and functions, in
the first schema of the connection's search path. Files apply in the order of their names, each once, each in a transaction of
its own together with the note that it was applied. Applied files never change: a test and the runner hold you to it. The sink
and the API rely on the names of tables, views and columns.

A file whose first line is `-- transactional: false` runs outside a transaction, one statement at a time, statements separated
by blank lines; each has to be repeatable, for after an error the file starts again from its first. Where TimescaleDB is, `trades`
and `candles` are hypertables; where it is not, plain tables. Everything else is the same.
"""
