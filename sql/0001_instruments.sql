-- Instruments: every other table names a market by its small integer, which halves its indexes.

-- The extension is created only where that can work: without its library preloaded, CREATE EXTENSION ends the connection.
DO $$
DECLARE
    preloaded boolean := pg_has_role(current_user, 'pg_read_all_settings', 'usage')
        AND current_setting('shared_preload_libraries') LIKE '%timescaledb%';
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        RETURN;
    END IF;
    IF preloaded
        AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
        AND has_database_privilege(current_database(), 'CREATE')
    THEN
        CREATE EXTENSION timescaledb SCHEMA public;
    END IF;
END $$;

-- Records carry epoch milliseconds (events) and microseconds (our clock); tables hold timestamptz. STABLE, so that they are inlined.
CREATE FUNCTION from_ms(bigint) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT timestamptz 'epoch' + $1 * interval '1 millisecond' $$;

CREATE FUNCTION from_us(bigint) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT timestamptz 'epoch' + $1 * interval '1 microsecond' $$;

CREATE FUNCTION to_ms(timestamptz) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT trunc(extract(epoch FROM $1) * 1000)::bigint $$;

CREATE FUNCTION to_us(timestamptz) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT trunc(extract(epoch FROM $1) * 1000000)::bigint $$;

-- A row is made by the first record that names the market; market.instruments fills in the rest.
CREATE TABLE instruments (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    venue text NOT NULL,
    symbol text NOT NULL,
    market_id text,
    type text,
    base text,
    quote text,
    settle text,
    contract_size numeric,
    inverse boolean,
    tick_size numeric,
    lot_size numeric,
    min_amount numeric,
    active boolean,
    expiry timestamptz(3),
    valid_from timestamptz(3),
    UNIQUE (venue, symbol)
);
