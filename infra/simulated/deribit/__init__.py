"""Deribit v2 as the simulated venue speaks it: JSON-RPC over the websocket and over REST, without a socket."""
