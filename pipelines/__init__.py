"""From the tape to candles, indicators and signals.

What comes in: `market.trades`. What goes out: `market.candles`, `market.indicators`, `signals`, `market.moves`, `dead.letters`.
In the order the data meets them: `intake` (which trades count), `bar` and `candles` (one-minute candles), `rollup` (longer
ones), `indicators/`, `signals/`, joined for one instrument in `frames` and `instrument.step`, which is pure. `app` is the only
module that knows Kafka. Neighbours rely on: the same records in the same order give the same bytes out, whatever was redelivered.
"""
