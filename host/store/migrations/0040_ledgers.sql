-- What was used once and belongs to one.

-- The highest number (nonce or time) that a signed request of an LP carried, of those that an exchange took. A
-- submission can hold several requests: `lowest` is the lowest of those in the one that set `rising`.
CREATE TABLE freshness (
    lp_id  BIGINT NOT NULL PRIMARY KEY REFERENCES lps (lp_id),
    rising BIGINT NOT NULL,
    lowest BIGINT NOT NULL CHECK (lowest <= rising)
);

-- What else made a signed request unique, as a keyed digest, until the request cannot be used any more; for ever
-- where `expires_at_ms` is missing.
CREATE TABLE used_requests (
    lp_id         BIGINT NOT NULL REFERENCES lps (lp_id),
    digest        TEXT   NOT NULL,
    expires_at_ms BIGINT,
    PRIMARY KEY (lp_id, digest)
);
CREATE INDEX used_requests_by_expiry ON used_requests (expires_at_ms);

-- Random keys that all servers of this database share.
CREATE TABLE pool_keys (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Whose an order is. From `lapses_round` on, whoever shows it next owns it.
CREATE TABLE order_owners (
    exchange        TEXT   NOT NULL,
    unit            TEXT   NOT NULL,
    identity        TEXT   NOT NULL,
    lp_id           BIGINT NOT NULL REFERENCES lps (lp_id),
    first_seen_ms   BIGINT NOT NULL,
    last_seen_round BIGINT NOT NULL,
    lapses_round    BIGINT NOT NULL,
    PRIMARY KEY (exchange, unit, identity)
);
CREATE INDEX order_owners_by_lapse ON order_owners (lapses_round);
