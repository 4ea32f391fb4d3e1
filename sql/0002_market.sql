-- Market data: trades as they arrived, and the newest revision of each candle with its superseded ones beside it.

CREATE TABLE trades (
    instrument_id integer NOT NULL,
    trade_id bigint NOT NULL,
    time timestamptz(3) NOT NULL,
    price numeric NOT NULL,
    amount numeric NOT NULL CHECK (amount > 0), -- native units: contracts for derivatives
    taker_side text NOT NULL CHECK (taker_side IN ('buy', 'sell')),
    kind text NOT NULL CHECK (kind IN ('live', 'repair', 'replay')),
    arrival bigint NOT NULL,         -- offset of its record in market.trades
    arrival_index integer NOT NULL,  -- and its place in that record
    received timestamptz NOT NULL
);

CREATE TABLE candles (
    instrument_id integer NOT NULL,
    timeframe text NOT NULL,
    open_time timestamptz(3) NOT NULL,
    revision integer NOT NULL,
    open numeric NOT NULL,
    high numeric NOT NULL,
    low numeric NOT NULL,
    close numeric NOT NULL,
    volume numeric NOT NULL, -- base units
    quote_volume numeric NOT NULL,
    taker_buy_volume numeric NOT NULL, -- base units
    trades bigint NOT NULL,
    status text NOT NULL CHECK (status IN ('complete', 'partial', 'synthetic', 'repaired')),
    source text NOT NULL CHECK (source IN ('trades', 'venue')),
    received timestamptz NOT NULL,
    CHECK (low <= least(open, close) AND high >= greatest(open, close)),
    PRIMARY KEY (instrument_id, timeframe, open_time)
);

-- Append-only: what a candle was before a higher revision came. An aggregate over `candles` alone counts nothing twice.
CREATE TABLE candle_revisions (
    LIKE candles,
    PRIMARY KEY (instrument_id, timeframe, open_time, revision)
);

-- A hypertable's unique key has to contain the time; a plain table holds a trade id to be unique by itself.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        PERFORM create_hypertable('trades', by_range('time', INTERVAL '1 day'), create_default_indexes => false);
        PERFORM create_hypertable('candles', by_range('open_time', INTERVAL '30 days'), create_default_indexes => false);
        ALTER TABLE trades ADD UNIQUE (instrument_id, trade_id, time);
    ELSE
        ALTER TABLE trades ADD UNIQUE (instrument_id, trade_id);
    END IF;
END $$;

CREATE INDEX trades_by_time ON trades (instrument_id, time DESC);
