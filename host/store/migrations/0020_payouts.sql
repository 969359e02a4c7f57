-- Payouts. Texts that are not there yet are empty and times that were not yet are zero, because both databases compare
-- those alike.

-- One payout is one transaction of the wallet. `stage` moves by conditional updates alone; `comment` is what the wallet
-- knows it by where its transaction's id is not known beforehand; `since_block` is a block from before the wallet was
-- called, from which on its history is read.
CREATE TABLE payouts (
    payout_id     BIGINT NOT NULL PRIMARY KEY,
    method        TEXT   NOT NULL CHECK (method IN ('plain', 'prepared', 'manual')),
    stage         TEXT   NOT NULL
                  CHECK (stage IN ('reserved', 'prepared', 'calling', 'sent', 'paid', 'void')),
    total_e8      BIGINT NOT NULL CHECK (total_e8 > 0),
    outputs       TEXT   NOT NULL,
    comment       TEXT   NOT NULL UNIQUE,
    txid          TEXT   NOT NULL DEFAULT '',
    hex           TEXT   NOT NULL DEFAULT '',
    inputs        TEXT   NOT NULL DEFAULT '',
    since_block   TEXT   NOT NULL DEFAULT '',
    created_at_ms BIGINT NOT NULL,
    called_at_ms  BIGINT NOT NULL DEFAULT 0,
    sent_at_ms    BIGINT NOT NULL DEFAULT 0,
    ended_at_ms   BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX payouts_by_stage ON payouts (stage, payout_id);
CREATE INDEX payouts_by_time ON payouts (created_at_ms);

-- Everything that ever happened to a payout, and why. Only added to.
CREATE TABLE payout_events (
    payout_id BIGINT NOT NULL REFERENCES payouts (payout_id),
    event_no  BIGINT NOT NULL,
    at_ms     BIGINT NOT NULL,
    stage     TEXT   NOT NULL,
    note      TEXT   NOT NULL,
    PRIMARY KEY (payout_id, event_no)
);

-- The other half of the ledger: all that changes what an LP is owed beside the credits of rounds. Only added to.
-- `total_e8` is the sum of the LP's rows up to this one, so that what is owed is the newest row here and the newest of
-- `credits`, and recording a round touches nothing of this. One LP has one row of a kind for a payout: nothing is taken
-- twice and nothing is given back twice.
CREATE TABLE ledger_entries (
    entry_no  BIGINT NOT NULL PRIMARY KEY,
    lp_id     BIGINT NOT NULL REFERENCES lps (lp_id),
    kind      TEXT   NOT NULL
              CHECK (kind IN ('payout', 'fee', 'payout_returned', 'fee_returned', 'correction')),
    payout_id BIGINT REFERENCES payouts (payout_id),
    amount_e8 BIGINT NOT NULL,
    total_e8  BIGINT NOT NULL,
    why       TEXT   NOT NULL,
    at_ms     BIGINT NOT NULL,
    CHECK ((kind IN ('payout', 'fee') AND amount_e8 < 0)
        OR (kind IN ('payout_returned', 'fee_returned') AND amount_e8 > 0)
        OR (kind = 'correction' AND amount_e8 <> 0)),
    UNIQUE (payout_id, lp_id, kind)
);
CREATE INDEX ledger_entries_newest_of_lp ON ledger_entries (lp_id, entry_no);

-- The last time for which payouts were planned, and when one that failed is planned again (zero: not).
CREATE TABLE payout_schedule (
    name         TEXT   NOT NULL PRIMARY KEY,
    last_slot_ms BIGINT NOT NULL,
    retry_at_ms  BIGINT NOT NULL
);

-- Addresses that are not paid as the others are: `held` ones not at all, `alone` ones in a payout of their own, since
-- the wallet refused a payout that they were in.
CREATE TABLE payout_address_marks (
    address TEXT   NOT NULL PRIMARY KEY,
    mark    TEXT   NOT NULL CHECK (mark IN ('held', 'alone')),
    why     TEXT   NOT NULL,
    at_ms   BIGINT NOT NULL
);

-- What the operator approved above the limit. `payout_id` is the payout that used it, zero while none did.
CREATE TABLE payout_approvals (
    address   TEXT   NOT NULL PRIMARY KEY,
    up_to_e8  BIGINT NOT NULL,
    payout_id BIGINT NOT NULL
);

-- What the operator has to know of, until it is no longer so.
CREATE TABLE payout_alarms (
    kind         TEXT   NOT NULL,
    subject      TEXT   NOT NULL,
    sentence     TEXT   NOT NULL,
    raised_at_ms BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);

-- Transactions of the wallet that the operator said are no payouts of the pool.
CREATE TABLE payout_foreign (
    txid  TEXT   NOT NULL PRIMARY KEY,
    why   TEXT   NOT NULL,
    at_ms BIGINT NOT NULL
);
