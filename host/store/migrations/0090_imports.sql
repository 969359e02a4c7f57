-- What was taken over from another pool's server. `import_id` is the digest of what was unpaid there: who imports the
-- same again finds it here.
CREATE TABLE imports (
    import_id TEXT   NOT NULL PRIMARY KEY,
    source    TEXT   NOT NULL,
    report    TEXT   NOT NULL,
    at_ms     BIGINT NOT NULL
);

-- What was owed there and belongs to no LP here until the operator says to which address: in no balance, so never paid.
-- `units` and `addresses` have a line for each. `lp_id` is the LP that got it, zero while none did.
CREATE TABLE import_holds (
    hold_no        BIGINT NOT NULL PRIMARY KEY,
    import_id      TEXT   NOT NULL REFERENCES imports (import_id),
    api_key        TEXT   NOT NULL,
    exchange       TEXT   NOT NULL,
    units          TEXT   NOT NULL,
    addresses      TEXT   NOT NULL,
    amount_e8      BIGINT NOT NULL CHECK (amount_e8 >= 0),
    why            TEXT   NOT NULL,
    lp_id          BIGINT NOT NULL DEFAULT 0,
    released_at_ms BIGINT NOT NULL DEFAULT 0
);
