"""The control API: history out of the database, what happens now out of Kafka, commands into it.

What comes in: HTTP requests, `market.candles` and `signals`, the tables of `sql/`. What goes out: JSON, server-sent events and
`trading.commands`. `server` puts the parts together; `health`, `history`, `commands` and `events` are one group of routes each;
`models` says what is answered, `queries` how it is read, `database` and `broker` are the only code here that talks to either.

Clients rely on this: prices and amounts are strings with the digits that are stored, times are epoch milliseconds (`received`:
microseconds), an error is one sentence in `detail`. Reading is open to whoever reaches the address, which is the machine itself
unless configured otherwise; commands ask for the bearer token in `<state>/token`.
"""
