"""Where orders meet a venue.

What comes in: orders of execution and the trades of a market. What goes out: fills. `paper` is the paper venue's matching core:
pure functions that the execution fold calls, so that decisions and fills have one order and a replay fills the same.
"""
