-- Only BIGINT and TEXT, and only statements that SQLite and PostgreSQL both take. Numbers of rows (`lp_id`,
-- `entry_no`, ..) are assigned inside the write transaction, of which there is one at a time: so they have
-- no holes, and the largest one is also the count.

-- Everybody who has an API key registered, on whichever exchanges.
CREATE TABLE users (
    user_id BIGINT NOT NULL PRIMARY KEY,
    api_key TEXT   NOT NULL UNIQUE
);

-- A liquidity provider: one API key on one exchange, with the one address that is paid.
CREATE TABLE lps (
    lp_id         BIGINT NOT NULL PRIMARY KEY,
    user_id       BIGINT NOT NULL REFERENCES users (user_id),
    exchange      TEXT   NOT NULL,
    address       TEXT   NOT NULL,
    registered_ms BIGINT NOT NULL,
    UNIQUE (user_id, exchange)
);

-- The units an LP is registered for.
CREATE TABLE lp_units (
    registration_no BIGINT NOT NULL PRIMARY KEY,
    lp_id           BIGINT NOT NULL REFERENCES lps (lp_id),
    unit            TEXT   NOT NULL,
    registered_ms   BIGINT NOT NULL,
    UNIQUE (lp_id, unit)
);

-- Every configuration of a market that a sample was ever judged under. `terms_id` is the document's SHA-256.
CREATE TABLE terms (
    terms_id      TEXT   NOT NULL PRIMARY KEY,
    document      TEXT   NOT NULL,
    first_used_ms BIGINT NOT NULL
);

-- What was verified of an LP in a round: the last accepted submission for each unit. `orders` comes last, so
-- that reading the columns before it does not touch the pages a long list spills onto.
CREATE TABLE samples (
    round_start     BIGINT NOT NULL,
    lp_id           BIGINT NOT NULL,
    unit            TEXT   NOT NULL,
    user_id         BIGINT NOT NULL REFERENCES users (user_id),
    submitted_at_ms BIGINT NOT NULL,
    terms_id        TEXT   NOT NULL REFERENCES terms (terms_id),
    adapter_sha256  TEXT   NOT NULL,
    reply_sha256    TEXT   NOT NULL,
    maybe_truncated BIGINT NOT NULL CHECK (maybe_truncated IN (0, 1)),
    order_count     BIGINT NOT NULL,
    price           TEXT   NOT NULL,
    orders          TEXT   NOT NULL,
    PRIMARY KEY (round_start, lp_id, unit),
    FOREIGN KEY (lp_id, unit) REFERENCES lp_units (lp_id, unit)
);
CREATE INDEX samples_of_user ON samples (user_id, round_start, lp_id, unit);

-- Rounds that have samples and no record yet. A row appears with a round's first sample and goes with its
-- record, so what is left to do is found without looking at history, however late it is.
CREATE TABLE uncredited_rounds (
    round_start   BIGINT NOT NULL PRIMARY KEY,
    round_seconds BIGINT NOT NULL
);

-- A round that takes no more samples, and what came of it.
CREATE TABLE rounds (
    round_start    BIGINT NOT NULL PRIMARY KEY,
    round_seconds  BIGINT NOT NULL,
    state          TEXT   NOT NULL CHECK (state IN ('closed', 'credited')),
    closed_at_ms   BIGINT NOT NULL,
    credited_at_ms BIGINT,
    reward_e8      BIGINT,
    paid_e8        BIGINT,
    statistics     TEXT
);
CREATE INDEX rounds_by_state ON rounds (state, round_start);

-- The ledger of rewards: rows are only ever added. `balance_e8` is the sum of the LP's rows up to this one
-- in the order of `entry_no`, so a balance is read from one row.
CREATE TABLE credits (
    lp_id       BIGINT NOT NULL,
    unit        TEXT   NOT NULL,
    round_start BIGINT NOT NULL REFERENCES rounds (round_start),
    user_id     BIGINT NOT NULL REFERENCES users (user_id),
    entry_no    BIGINT NOT NULL UNIQUE,
    amount_e8   BIGINT NOT NULL CHECK (amount_e8 >= 0),
    balance_e8  BIGINT NOT NULL CHECK (balance_e8 >= amount_e8),
    provided    TEXT   NOT NULL,
    PRIMARY KEY (lp_id, unit, round_start),
    FOREIGN KEY (lp_id, unit) REFERENCES lp_units (lp_id, unit)
);
CREATE INDEX credits_newest_of_lp ON credits (lp_id, entry_no);
CREATE INDEX credits_of_user ON credits (user_id, round_start);

-- How each credit came about, order by order. Apart from the ledger, so that it can be dropped after a while.
CREATE TABLE credit_details (
    round_start BIGINT NOT NULL,
    lp_id       BIGINT NOT NULL,
    unit        TEXT   NOT NULL,
    detail      TEXT   NOT NULL,
    PRIMARY KEY (round_start, lp_id, unit)
);
