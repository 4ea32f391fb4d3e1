"""The venues: one line each. To add one, write its file and register it here."""

from producers.dialect import Dialect
from producers.dialects.binance import Binance
from producers.dialects.binanceusdm import BinanceUsdm
from producers.dialects.bitget import Bitget
from producers.dialects.bybit import Bybit
from producers.dialects.coinbaseexchange import CoinbaseExchange
from producers.dialects.deribit import Deribit
from producers.dialects.kraken import Kraken
from producers.dialects.okx import Okx
from producers.dialects.upbit import Upbit

_VENUES: tuple[Dialect, ...] = (
    Okx(),
    Binance(),
    BinanceUsdm(),
    Bybit(),
    Bitget(),
    Upbit(),
    Deribit(),
    Kraken(),
    CoinbaseExchange(),
)
DIALECTS: dict[str, Dialect] = {venue.name: venue for venue in _VENUES}
