"""Bitget v2 as the simulated venue speaks it: spot and USDT-futures, without a socket."""
