"""What a user may set, read from the environment and nowhere else: one line a setting, checked before anything starts."""

import difflib
import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from platformdirs import user_state_path
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

_PREFIX: Final = "TAPEFLOW_"
_BOOTSTRAP: Final = "KAFKA_BOOTSTRAP"
_DATABASE: Final = "DATABASE_URL"
# Written `venue:symbol`. A symbol is ccxt's: BTC/USDT, BTC/USDT:USDT, BTC/USD:BTC-261225, BTC/USD:BTC-261225-100000-C.
_MARKET: Final = re.compile(r"([a-z0-9]+):([A-Za-z0-9]+/[A-Za-z0-9]+(?::[A-Za-z0-9]+(?:-\d{6}(?:-[\d.]+-[CP])?)?)?)")
VENUES: Final = ("okx", "binance", "binanceusdm", "bybit", "bitget", "upbit", "deribit", "kraken", "coinbaseexchange")
_TOPIC: Final = re.compile(r"[A-Za-z0-9._-]*")

Timeframe = Literal["1m", "5m", "15m", "1h"]


class UserError(Exception):
    """What the user can mend: one line that names the cause and the cure. The command line ends with code 2 on it."""


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _market(value: str) -> str:
    found = _MARKET.fullmatch(value)
    if not found:
        raise ValueError(
            "a market is written venue:symbol, the symbol as ccxt unifies it, such as okx:BTC/USDT or bybit:BTC/USDT:USDT"
        )
    if found[1] not in VENUES:
        near = difflib.get_close_matches(found[1], VENUES, n=1, cutoff=0)[0]
        raise ValueError(f"unknown venue {found[1]!r}, the nearest is {near}; there are {', '.join(VENUES)}")
    return value


def _topic_prefix(value: str) -> str:
    if not _TOPIC.fullmatch(value):
        raise ValueError("letters, digits, '.', '_' and '-' are allowed")
    return value


def _url(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        if not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(f"the address has to begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return value.rstrip("/")

    return AfterValidator(check)


def _conninfo(value: str) -> str:
    from psycopg import ProgrammingError, conninfo  # noqa: PLC0415 - only who names a database pays for its client

    try:
        conninfo.conninfo_to_dict(value)
    except ProgrammingError:  # what it says may hold a part of the password
        raise ValueError("the address is not written as postgresql://user:password@host:port/name?parameters") from None
    return value


def _absolute(value: Path) -> Path:
    return value.expanduser().absolute()


_List = (NoDecode, BeforeValidator(_split), Field(min_length=1))
_Positive = Field(gt=0)


class _Librdkafka(PydanticBaseSettingsSource):
    """`KAFKA_SASL_USERNAME=me` is librdkafka's `sasl.username`: every variable but the bootstrap servers passes through."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Nothing by field: the mapping is read as a whole."""
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The one value that this source has."""
        found = {
            name.removeprefix("KAFKA_").lower().replace("_", "."): value
            for name, value in os.environ.items()
            if name.startswith("KAFKA_") and name != _BOOTSTRAP and value
        }
        return {"kafka": found}


class Settings(BaseSettings):
    """Everything that can be set. Amounts are in quote currency, percents of the entry price, rates as a fraction."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", populate_by_name=True, validate_default=True
    )

    kafka_bootstrap: str | None = Field(None, validation_alias=_BOOTSTRAP)
    kafka: Annotated[dict[str, str], NoDecode] = Field({}, validation_alias="kafka")
    database_url: Annotated[str, _url("postgresql", "postgres"), AfterValidator(_conninfo)] | None = Field(
        None, validation_alias=_DATABASE
    )
    state: Annotated[Path, AfterValidator(_absolute)] = Field(default_factory=lambda: user_state_path("tapeflow"))
    prefix: Annotated[str, AfterValidator(_topic_prefix)] = ""

    markets: Annotated[tuple[Annotated[str, AfterValidator(_market)], ...], *_List] = ("okx:BTC/USDT", "okx:ETH/USDT")
    venue_url: Annotated[str, _url("http", "https")] | None = None
    timeframes: Annotated[tuple[Timeframe, ...], *_List] = ("1m", "5m", "15m", "1h")

    account: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")] = "paper"
    position_quote: Annotated[Decimal, _Positive] = Decimal(1000)
    stop_percent: Annotated[Decimal, Field(gt=0, lt=100)] = Decimal(1)
    target_percent: Annotated[Decimal, _Positive] = Decimal(2)
    fee_rate: Annotated[Decimal, Field(ge=0, lt=1)] = Decimal("0.001")
    signal_ttl_ms: Annotated[int, _Positive] = 60_000
    rsi_oversold: Annotated[int, Field(gt=0, lt=100)] = 30
    rsi_overbought: Annotated[int, Field(gt=0, lt=100)] = 70

    api_host: str = "127.0.0.1"
    api_port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0  # of the producer, on loopback; 0: none

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment: no file changes what runs."""
        del dotenv_settings, file_secret_settings
        return init_settings, _Librdkafka(settings_cls), env_settings

    @model_validator(mode="after")
    def _ordered(self) -> "Settings":
        if self.rsi_oversold >= self.rsi_overbought:
            raise ValueError("TAPEFLOW_RSI_OVERSOLD has to be below TAPEFLOW_RSI_OVERBOUGHT")
        return self

    def symbols(self) -> dict[str, tuple[str, ...]]:
        """The symbols of each venue, both in the order in which they were named first."""
        found: dict[str, list[str]] = {}
        for market in dict.fromkeys(self.markets):
            venue, _, symbol = market.partition(":")
            found.setdefault(venue, []).append(symbol)
        return {venue: tuple(symbols) for venue, symbols in found.items()}

    def venue_address(self, venue: str) -> str | None:
        """Where a venue is to be found instead of where it really is: one server speaks for all, each below its name."""
        return None if self.venue_url is None else f"{self.venue_url}/{venue}"

    def librdkafka(self) -> dict[str, str | int]:
        """The settings of any client of the broker. Raises UserError when there is no broker to connect to."""
        if self.kafka_bootstrap is None:
            raise UserError(f"no Kafka broker: set {_BOOTSTRAP} to host:port, or start with `tapeflow up` or `tapeflow demo`")
        return {"bootstrap.servers": self.kafka_bootstrap, **self.kafka}

    def environment(self) -> dict[str, str]:
        """The variables that give another process these very settings; those that it would inherit and must not are empty."""
        inherited = dict.fromkeys((name for name in os.environ if name.startswith("KAFKA_")), "")
        set_here = {variable(name): value for name, value in self if name != "kafka" and value is not None}
        passed_on = {"KAFKA_" + name.upper().replace(".", "_"): value for name, value in self.kafka.items()}
        return (
            inherited
            | passed_on
            | {name: ",".join(value) if isinstance(value, tuple) else str(value) for name, value in set_here.items()}
        )


def load_settings(**overrides: Any) -> Settings:
    """Settings of this process; `overrides` by field name go before the environment. Raises UserError for what is not allowed."""
    _refuse_unknown()
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise UserError(_explain(error)) from None


def variable(field: str) -> str:
    """The environment variable of a field."""
    return {"kafka_bootstrap": _BOOTSTRAP, "database_url": _DATABASE}.get(field, _PREFIX + field.upper())


def _refuse_unknown() -> None:
    known = {name for name in map(variable, Settings.model_fields) if name.startswith(_PREFIX)} - {variable("kafka")}
    for name in sorted(set(os.environ) - known):
        if name.startswith(_PREFIX):
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
            raise UserError(f"{name} is not a setting; the nearest is {nearest}")


def _explain(error: ValidationError) -> str:
    """The first complaint in one line. A password in an address is not repeated."""
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return message
    field = str(first["loc"][0])
    name = field if field in {_BOOTSTRAP, _DATABASE} else variable(field)
    value = "" if name == _DATABASE else f" {str(first['input'])!r} is not allowed:"
    return f"{name}:{value} {message[:1].lower()}{message[1:]}"
