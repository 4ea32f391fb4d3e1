-- Trading: what the rules said and what became of it. Ids are derived from their causes, so a row sent twice is one row.

CREATE TABLE signals (
    id text PRIMARY KEY,
    instrument_id integer NOT NULL,
    timeframe text NOT NULL,
    open_time timestamptz(3) NOT NULL,
    candle_revision integer NOT NULL,
    indicator_revision integer NOT NULL,
    side text NOT NULL CHECK (side IN ('long', 'short')),
    rule text NOT NULL,
    parameters jsonb NOT NULL,
    parameters_hash text NOT NULL,
    strength double precision NOT NULL,
    price numeric NOT NULL,
    indicators jsonb NOT NULL, -- the values that decided it
    time timestamptz(3) NOT NULL,
    expires timestamptz(3) NOT NULL,
    received timestamptz NOT NULL
);

-- The newest revision of each order.
CREATE TABLE orders (
    client_order_id text PRIMARY KEY,
    revision integer NOT NULL,
    instrument_id integer NOT NULL,
    account text NOT NULL,
    strategy text NOT NULL,
    cause text NOT NULL,
    leg text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    type text NOT NULL,
    status text NOT NULL,
    amount numeric NOT NULL,
    price numeric,
    filled numeric NOT NULL,
    average numeric,
    reason text,
    time timestamptz(3) NOT NULL
);

CREATE TABLE fills (
    id text PRIMARY KEY,
    client_order_id text NOT NULL,
    instrument_id integer NOT NULL,
    account text NOT NULL,
    strategy text NOT NULL,
    leg text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    price numeric NOT NULL,
    amount numeric NOT NULL CHECK (amount > 0),
    fee numeric NOT NULL,
    fee_currency text NOT NULL,
    trade_id bigint NOT NULL, -- the market trade that proves the price
    time timestamptz(3) NOT NULL
);

-- The newest revision of each position.
CREATE TABLE positions (
    id text PRIMARY KEY,
    revision integer NOT NULL,
    instrument_id integer NOT NULL,
    account text NOT NULL,
    strategy text NOT NULL,
    side text NOT NULL CHECK (side IN ('long', 'short')),
    status text NOT NULL CHECK (status IN ('open', 'closed')),
    amount numeric NOT NULL,
    entry_price numeric NOT NULL,
    exit_price numeric,
    stop_price numeric NOT NULL,
    target_price numeric NOT NULL,
    realized numeric NOT NULL,
    fees numeric NOT NULL,
    cause text NOT NULL,
    exit_reason text,
    opened timestamptz(3) NOT NULL,
    time timestamptz(3) NOT NULL
);

CREATE TABLE refusals (
    id text PRIMARY KEY,
    instrument_id integer NOT NULL,
    account text NOT NULL,
    strategy text NOT NULL,
    cause text NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    time timestamptz(3) NOT NULL
);

-- Each is read newest first, a page at a time.
CREATE INDEX signals_by_time ON signals (time DESC, id DESC);
CREATE INDEX orders_by_time ON orders (time DESC, client_order_id DESC);
CREATE INDEX fills_by_time ON fills (time DESC, id DESC);
CREATE INDEX positions_by_time ON positions (time DESC, id DESC);
CREATE INDEX refusals_by_time ON refusals (time DESC, id DESC);
