-- Whose key: challenges that prove an address, and the addresses that were proven. Texts that are not there yet are
-- empty and times that were not yet are zero, because both databases compare those alike.

-- What an LP was asked to show. `asked_from` is a keyed digest of a place from which the key's submissions are
-- accepted, empty for all other places together: so many challenges an hour are for each. `seal` is the digest of what
-- the asker contributes; until that is told there are no `digits`.
CREATE TABLE challenges (
    challenge_id BIGINT NOT NULL PRIMARY KEY,
    lp_id        BIGINT NOT NULL REFERENCES lps (lp_id),
    unit         TEXT   NOT NULL,
    address      TEXT   NOT NULL,
    asked_from   TEXT   NOT NULL,
    shown_by     TEXT   NOT NULL CHECK (shown_by IN ('amount', 'price')),
    decimals     BIGINT NOT NULL,
    nonce        TEXT   NOT NULL,
    seal         TEXT   NOT NULL,
    digits       TEXT   NOT NULL,
    issued_at_ms BIGINT NOT NULL,
    lapses_at_ms BIGINT NOT NULL,
    met_at_ms    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX challenges_of_lp ON challenges (lp_id, issued_at_ms);
CREATE INDEX challenges_by_lapse ON challenges (lapses_at_ms);

-- Everything that ever happened to the address of an LP. Only added to. Each row says what holds after it, so that the
-- newest one says it all: the address in force, and the one that replaces it from `next_from_ms` on. An LP without any
-- row is paid at the address it registered with.
CREATE TABLE address_changes (
    change_no    BIGINT NOT NULL PRIMARY KEY,
    lp_id        BIGINT NOT NULL REFERENCES lps (lp_id),
    kind         TEXT   NOT NULL CHECK (kind IN ('proven', 'begun', 'withdrawn', 'stopped')),
    challenge_id BIGINT REFERENCES challenges (challenge_id),
    address      TEXT   NOT NULL,
    proven       BIGINT NOT NULL CHECK (proven IN (0, 1)),
    next_address TEXT   NOT NULL,
    next_from_ms BIGINT NOT NULL,
    why          TEXT   NOT NULL,
    at_ms        BIGINT NOT NULL,
    CHECK ((next_address = '') = (next_from_ms = 0)),
    CHECK ((kind = 'stopped') = (challenge_id IS NULL))
);
CREATE INDEX address_changes_newest_of_lp ON address_changes (lp_id, change_no);

INSERT INTO locks (name) VALUES ('challenges');
