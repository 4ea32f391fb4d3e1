-- The same rows with venue and symbol spelled out: for people, Grafana and the API.

CREATE VIEW v_trades AS SELECT i.venue, i.symbol, i.market_id, t.* FROM trades t JOIN instruments i ON i.id = t.instrument_id;
CREATE VIEW v_candles AS SELECT i.venue, i.symbol, i.market_id, c.* FROM candles c JOIN instruments i ON i.id = c.instrument_id;
CREATE VIEW v_candle_revisions AS
    SELECT i.venue, i.symbol, i.market_id, c.* FROM candle_revisions c JOIN instruments i ON i.id = c.instrument_id;
CREATE VIEW v_signals AS SELECT i.venue, i.symbol, s.* FROM signals s JOIN instruments i ON i.id = s.instrument_id;
CREATE VIEW v_orders AS SELECT i.venue, i.symbol, o.* FROM orders o JOIN instruments i ON i.id = o.instrument_id;
CREATE VIEW v_fills AS SELECT i.venue, i.symbol, f.* FROM fills f JOIN instruments i ON i.id = f.instrument_id;
CREATE VIEW v_positions AS SELECT i.venue, i.symbol, p.* FROM positions p JOIN instruments i ON i.id = p.instrument_id;
CREATE VIEW v_refusals AS SELECT i.venue, i.symbol, r.* FROM refusals r JOIN instruments i ON i.id = r.instrument_id;
