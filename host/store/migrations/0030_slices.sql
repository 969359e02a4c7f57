-- What an LP showed in each slice of a round, where its market's rules cut rounds into slices: the last accepted
-- submission of each. A round in one piece has the slice 0 only. Neither SQLite nor the other can change a primary
-- key in a way that both take, so the table is made again. A minimal rate that was not said is the empty text.
CREATE TABLE samples_by_slice (
    round_start     BIGINT NOT NULL,
    lp_id           BIGINT NOT NULL,
    unit            TEXT   NOT NULL,
    slice           BIGINT NOT NULL,
    user_id         BIGINT NOT NULL REFERENCES users (user_id),
    submitted_at_ms BIGINT NOT NULL,
    terms_id        TEXT   NOT NULL REFERENCES terms (terms_id),
    adapter_sha256  TEXT   NOT NULL,
    reply_sha256    TEXT   NOT NULL,
    maybe_truncated BIGINT NOT NULL CHECK (maybe_truncated IN (0, 1)),
    order_count     BIGINT NOT NULL,
    ask_rate        TEXT   NOT NULL,
    bid_rate        TEXT   NOT NULL,
    price           TEXT   NOT NULL,
    orders          TEXT   NOT NULL,
    PRIMARY KEY (round_start, lp_id, unit, slice),
    FOREIGN KEY (lp_id, unit) REFERENCES lp_units (lp_id, unit)
);
INSERT INTO samples_by_slice
SELECT round_start, lp_id, unit, 0, user_id, submitted_at_ms, terms_id, adapter_sha256, reply_sha256,
    maybe_truncated, order_count, '', '', price, orders
FROM samples;
DROP TABLE samples;
ALTER TABLE samples_by_slice RENAME TO samples;
CREATE INDEX samples_of_user ON samples (user_id, round_start, lp_id, unit, slice);
