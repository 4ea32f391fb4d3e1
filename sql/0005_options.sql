-- What tells contracts apart further: quanto contracts, and what an option is on.

ALTER TABLE instruments
    ADD COLUMN quanto boolean,
    ADD COLUMN strike numeric,
    ADD COLUMN option text CHECK (option IN ('call', 'put'));
