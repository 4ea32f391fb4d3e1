"""Decides and trades: strategy and paper venue as one deterministic fold over one ordered log.

What comes in: `trading.inputs`, keyed by market, and nothing else: no clock, no network. What goes out:
`trading.intents`, `trading.orders`, `trading.fills`, `trading.positions` and `trading.refusals`, keyed by account; an
input that cannot be understood goes to `dead.letters`. `fold.step` is the whole of it; `strategy` decides, `orders` and
`position` are the life cycles, `desk` is what is held, `market` what is known of prices, `app` carries bytes. The
neighbours rely on this: the same inputs give the same bytes, an input seen twice gives nothing, and an intent is
published before the order it becomes.
"""
