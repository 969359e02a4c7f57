-- The published record: a chain of signed entries, numbered from 0 without holes. `packed` is the whole entry as it is
-- served. BYTEA is a type of PostgreSQL's, and a name that SQLite takes for any value.
CREATE TABLE records (
    number      BIGINT NOT NULL PRIMARY KEY,
    epoch       BIGINT NOT NULL,
    kind        TEXT   NOT NULL,
    round_start BIGINT UNIQUE,
    digest      TEXT   NOT NULL,
    header      TEXT   NOT NULL,
    signature   TEXT   NOT NULL,
    at_ms       BIGINT NOT NULL,
    packed      BYTEA  NOT NULL
);
CREATE INDEX records_by_kind ON records (kind, number);

-- What opens an LP's pseudonym in the record. Only that LP is told.
CREATE TABLE openings (
    lp_id BIGINT NOT NULL PRIMARY KEY REFERENCES lps (lp_id),
    nonce TEXT   NOT NULL
);

-- What each feed said when the newest price was fetched: the caller's own JSON.
ALTER TABLE prices ADD COLUMN quotes TEXT NOT NULL DEFAULT '';

INSERT INTO locks (name) VALUES ('record');
