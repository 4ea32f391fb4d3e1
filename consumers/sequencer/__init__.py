"""Puts everything that can change a decision into one ordered log.

What comes in: `market.moves` and `trading.commands`, keyed by market. What goes out: `trading.inputs`, keyed by market;
what is no record of ours goes to `dead.letters`. Execution relies on an input forwarded twice being the same bytes.
"""
