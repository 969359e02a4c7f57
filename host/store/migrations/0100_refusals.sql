-- Why not: what was refused of whom, so that an LP that asks later, or another server, is told it as well.

-- How many submissions of a round were refused. What is older than is told goes with the other things that are over.
CREATE TABLE rejections (
    lp_id       BIGINT NOT NULL REFERENCES lps (lp_id),
    unit        TEXT   NOT NULL,
    round_start BIGINT NOT NULL,
    rejected    BIGINT NOT NULL CHECK (rejected > 0),
    PRIMARY KEY (lp_id, unit, round_start)
);
CREATE INDEX rejections_by_round ON rejections (round_start);

-- The last refusals of each LP and unit, a fixed number of them, one of a millisecond. The sentence has no signature in it.
CREATE TABLE refusals (
    lp_id    BIGINT NOT NULL REFERENCES lps (lp_id),
    unit     TEXT   NOT NULL,
    at_ms    BIGINT NOT NULL,
    who_acts TEXT   NOT NULL,
    sentence TEXT   NOT NULL,
    PRIMARY KEY (lp_id, unit, at_ms)
);
