"""What a user may set, and what they are told when they set something else."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.settings import Settings, UserError, load_settings


def test_without_any_variable_there_are_defaults(monkeypatch):
    """Nothing has to be set."""
    settings = load_settings()
    assert (settings.kafka_bootstrap, settings.kafka, settings.database_url) == (None, {}, None)
    assert settings.markets == ("okx:BTC/USDT", "okx:ETH/USDT")
    assert settings.venue_address("okx") is None
    assert settings.timeframes == ("1m", "5m", "15m", "1h")
    assert settings.fee_rate == Decimal("0.001")
    assert settings.state.is_absolute()


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("KAFKA_BOOTSTRAP", "a:9092,b:9092", "kafka_bootstrap", "a:9092,b:9092"),
        ("KAFKA_BOOTSTRAP", "", "kafka_bootstrap", None),
        ("KAFKA_SASL_USERNAME", "me", "kafka", {"sasl.username": "me"}),
        ("KAFKA_SSL_CA_LOCATION", "/ca.pem", "kafka", {"ssl.ca.location": "/ca.pem"}),
        ("DATABASE_URL", "postgresql://u:p@h/d", "database_url", "postgresql://u:p@h/d"),
        ("TAPEFLOW_STATE", "~/tape", "state", Path("~/tape").expanduser()),
        ("TAPEFLOW_MARKETS", "okx:SOL/USDT, bybit:BTC/USDT:USDT", "markets", ("okx:SOL/USDT", "bybit:BTC/USDT:USDT")),
        (
            "TAPEFLOW_MARKETS",
            "deribit:BTC/USD:BTC-261225,deribit:BTC/USD:BTC-261225-100000-C",
            "markets",
            ("deribit:BTC/USD:BTC-261225", "deribit:BTC/USD:BTC-261225-100000-C"),
        ),
        ("TAPEFLOW_TIMEFRAMES", "1m,1h", "timeframes", ("1m", "1h")),
        ("TAPEFLOW_VENUE_URL", "http://127.0.0.1:9000/", "venue_url", "http://127.0.0.1:9000"),
        ("TAPEFLOW_STOP_PERCENT", "0.75", "stop_percent", Decimal("0.75")),
        ("TAPEFLOW_SIGNAL_TTL_MS", "500", "signal_ttl_ms", 500),
        ("TAPEFLOW_API_PORT", "0", "api_port", 0),
    ],
)
def test_a_variable_sets_its_field(monkeypatch, variable, text, field, value):
    """Each variable is read into the type that the code works with."""
    monkeypatch.setenv(variable, text)
    assert getattr(load_settings(), field) == value


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("TAPEFLOW_MARKETS", "okex:BTC/USDT", ["TAPEFLOW_MARKETS", "'okex'", "nearest is okx", "upbit"]),
        ("TAPEFLOW_TIMEFRAMES", "1m,2m", ["TAPEFLOW_TIMEFRAMES", "'2m'", "'5m'", "'1h'"]),
        ("TAPEFLOW_MARKETS", "okx:BTCUSDT", ["TAPEFLOW_MARKETS", "'okx:BTCUSDT'", "venue:symbol", "okx:BTC/USDT"]),
        ("TAPEFLOW_MARKETS", "BTC/USDT", ["TAPEFLOW_MARKETS", "'BTC/USDT'", "venue:symbol"]),
        ("TAPEFLOW_MARKETS", ",", ["TAPEFLOW_MARKETS", "at least 1"]),
        ("TAPEFLOW_STOP_PERCENT", "one", ["TAPEFLOW_STOP_PERCENT", "'one'", "decimal"]),
        ("TAPEFLOW_STOP_PERCENT", "100", ["TAPEFLOW_STOP_PERCENT", "less than 100"]),
        ("TAPEFLOW_FEE_RATE", "NaN", ["TAPEFLOW_FEE_RATE", "finite"]),
        ("TAPEFLOW_API_PORT", "70000", ["TAPEFLOW_API_PORT", "65535"]),
        ("TAPEFLOW_RSI_OVERSOLD", "80", ["TAPEFLOW_RSI_OVERSOLD", "below TAPEFLOW_RSI_OVERBOUGHT"]),
        ("TAPEFLOW_PREFIX", "my topics", ["TAPEFLOW_PREFIX", "'my topics'", "letters"]),
        ("TAPEFLOW_VENUE_URL", "127.0.0.1:9000", ["TAPEFLOW_VENUE_URL", "http://"]),
        ("TAPEFLOW_MARKET", "okx:BTC/USDT", ["TAPEFLOW_MARKET is not a setting", "TAPEFLOW_MARKETS"]),
        ("TAPEFLOW_KAFKA", "x", ["TAPEFLOW_KAFKA is not a setting"]),
    ],
)
def test_what_is_not_allowed_is_named_in_one_line(monkeypatch, variable, text, said):
    """The line names the setting, the value and what is allowed."""
    monkeypatch.setenv(variable, text)
    with pytest.raises(UserError) as raised:
        load_settings()
    line = str(raised.value)
    assert "\n" not in line
    assert [part for part in said if part not in line] == []


def test_a_password_is_not_repeated(monkeypatch):
    """A wrong database address is refused without printing what may be secret in it."""
    monkeypatch.setenv("DATABASE_URL", "mysql://me:secret@host/db")
    with pytest.raises(UserError, match=r"^DATABASE_URL: .*postgresql://") as raised:
        load_settings()
    assert "secret" not in str(raised.value)


def test_librdkafka_gets_the_servers_and_all_that_passes_through(monkeypatch):
    """SASL and TLS included: nothing in the code knows them."""
    for variable, text in {"KAFKA_BOOTSTRAP": "b:1", "KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_PASSWORD": "x"}.items():
        monkeypatch.setenv(variable, text)
    assert load_settings().librdkafka() == {"bootstrap.servers": "b:1", "security.protocol": "SASL_SSL", "sasl.password": "x"}


def test_librdkafka_without_a_broker_says_how_to_have_one():
    """No bootstrap servers, no client."""
    with pytest.raises(UserError, match="KAFKA_BOOTSTRAP"):
        load_settings().librdkafka()


def test_an_argument_goes_before_the_environment(monkeypatch):
    """An option of the command line wins, and is checked like a variable."""
    monkeypatch.setenv("TAPEFLOW_ACCOUNT", "one")
    assert load_settings(account="two").account == "two"
    with pytest.raises(UserError, match="TAPEFLOW_ACCOUNT"):
        load_settings(account="a b")


def test_markets_are_known_by_their_venues():
    """Venues and symbols in the order in which they were named first, each once."""
    markets = ("okx:BTC/USDT", "bybit:BTC/USDT:USDT", "okx:ETH/USDT", "okx:BTC/USDT")
    assert list(Settings(markets=markets).symbols().items()) == [("okx", ("BTC/USDT", "ETH/USDT")), ("bybit", ("BTC/USDT:USDT",))]


def test_one_address_speaks_for_all_venues():
    """Each below its name."""
    settings = Settings(venue_url="http://127.0.0.1:8700/")
    assert (settings.venue_address("okx"), settings.venue_address("upbit")) == (
        "http://127.0.0.1:8700/okx",
        "http://127.0.0.1:8700/upbit",
    )


@given(
    markets=st.lists(
        st.from_regex(r"(okx|upbit):[A-Z0-9]{1,6}/[A-Z0-9]{1,6}(:[A-Z]{1,5})?", fullmatch=True), min_size=1, max_size=4
    ),
    position=st.decimals(min_value="0.00000001", max_value=10**12, places=8),
    passed=st.dictionaries(st.from_regex(r"[a-z]+(\.[a-z]+)*", fullmatch=True), st.text("abc=/ .", min_size=1), max_size=3),
)
def test_another_process_gets_the_same_settings(markets, position, passed):
    """`environment` says everything that `load_settings` reads."""
    passed.pop("bootstrap", None)
    own = Settings(
        kafka_bootstrap="b:1",
        database_url="postgresql://h/d",
        kafka=passed,
        markets=markets,
        position_quote=position,
        prefix="x.",
    )
    with pytest.MonkeyPatch.context() as patch:
        for variable, text in own.environment().items():
            patch.setenv(variable, text)
        assert load_settings() == own


def test_settings_do_not_change():
    """They are frozen."""
    with pytest.raises(ValueError, match="frozen"):
        load_settings().account = "other"
