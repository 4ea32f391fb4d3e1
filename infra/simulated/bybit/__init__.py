"""Bybit v5 as the simulated venue speaks it: spot, linear and inverse, without a socket."""
