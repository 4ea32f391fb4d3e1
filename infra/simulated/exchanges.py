"""The venues there are, by ccxt's id. A venue is a folder beside this file and a line here."""

from collections.abc import Mapping
from typing import Final

from infra.simulated.binance.exchange import BINANCE, BINANCEUSDM
from infra.simulated.bitget.exchange import BITGET
from infra.simulated.bybit.exchange import BYBIT
from infra.simulated.deribit.exchange import DERIBIT
from infra.simulated.exchange import Opening
from infra.simulated.okx.exchange import OKX
from infra.simulated.upbit.exchange import UPBIT

EXCHANGES: Final[Mapping[str, Opening]] = {
    "okx": OKX,
    "binance": BINANCE,
    "binanceusdm": BINANCEUSDM,
    "bybit": BYBIT,
    "bitget": BITGET,
    "upbit": UPBIT,
    "deribit": DERIBIT,
}
