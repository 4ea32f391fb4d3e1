"""The simulated venue: a real websocket and REST server on loopback, fed by a market that we know exactly.

In: a seed (or a recorded capture) and a settable clock. Out: the venue's own frames and answers, and a ledger of every
trade that was generated, to compare with what arrived.

The rooms, in the order a trade meets them:

- `clock` says what time it is in the market; `listing` what is traded; `walk` where the price goes; `market` turns
  both into trades, which `tape` keeps as columns; `bars` and `quotes` are read off the tape.
- `okx/` speaks OKX v5: `encoding` writes rows, `session` is one websocket connection without the socket, `rest` is
  one request without the server, `recorded` makes a market of a capture. Another venue is another such folder.
- `faults` and `ledger` are reached through `control`, outside the venue's own API; `server` is the only socket.

Nothing here imports the code that reads venues: what it says of a venue's protocol is an independent second opinion.
"""
