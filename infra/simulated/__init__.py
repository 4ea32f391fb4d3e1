"""The simulated venues: real websocket and REST servers on loopback, fed by markets that we know exactly.

In: a seed (or a recorded capture) and settable clocks. Out: each venue's own frames and answers, and a ledger of every trade
that was generated, to compare with what arrived.

The rooms, in the order a trade meets them:

- `clock` says what time it is in a market; `listing` what is traded; `walk` where the price goes; `market` turns both into
  trades, which `tape` keeps as columns; `bars`, `quotes`, `book` and `marks` are read off the tape and the time, so that whoever
  asks, and whenever, is told the same.
- `board` is a market by one venue's names, `figures` writes its prices and sizes; `feed`, `feeds` and `book` are the cursors
  that say what one channel of one connection is still to be told, and suffer the faults of streams.
- `exchange` is what a venue has to be: a folder of its own (`okx/`, `binance/` ..) with encoders, `Talk` (one connection without
  the socket) and REST (one request without the server). `exchanges` names them all, a line each.
- `session` is what is the same on every connection, `connection` the websocket as bytes, `server` the port; `venue` holds one
  venue together: market, clock, faults, connections. `faults`, `clock` and `ledger` are reached through `control`, outside the
  venues' own APIs.

Nothing here imports the code that reads venues: what it says of a venue's protocol is an independent second opinion.
"""
