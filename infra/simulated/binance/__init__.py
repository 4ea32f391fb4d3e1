"""Binance as the simulated venue speaks it: spot and USDⓈ-M futures, websocket and REST, both without a socket.

The two are one protocol with differences: `product` names them, everything else asks it.
"""
