"""From a venue's websocket to `market.trades`, `market.quotes`, `market.instruments` and `dead.letters`.

The way of a frame: `feed` (the only websocket) reads it, `session` has the `dialect` of the venue turn it into events, the
`continuity` of each instrument turns those into records, `publish` (the only producer) hands them to Kafka. What is missing is
fetched by `repair` through `rest` (ccxt); `tail` says what was published before; `capture` feeds a recording through the same
code. Dialects, session and continuity decide and do nothing: they have no socket and no clock.
"""
