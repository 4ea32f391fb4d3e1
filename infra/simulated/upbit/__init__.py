"""Upbit v1 as the simulated venue speaks it: websocket sessions and REST answers, both without a socket."""
