-- Which entries of the published record tell of payouts and corrections. Written in the transaction that adds the entry,
-- and only added to; it refers to entries by their numbers, so that old ones may be forgotten without it.

-- The entries about a payout: the first one takes from balances, and each later one names another transaction.
CREATE TABLE published_payouts (
    record_no BIGINT NOT NULL PRIMARY KEY,
    payout_id BIGINT NOT NULL REFERENCES payouts (payout_id)
);
CREATE INDEX published_payouts_of_payout ON published_payouts (payout_id);

-- What an LP's balance in the record changed by: by a payout (its fee within, and beside it), or by a correction. One
-- payout changes an LP's balance once, and one correction is published once.
CREATE TABLE published_changes (
    lp_id         BIGINT NOT NULL REFERENCES lps (lp_id),
    record_no     BIGINT NOT NULL,
    payout_id     BIGINT REFERENCES payouts (payout_id),
    correction_no BIGINT UNIQUE REFERENCES ledger_entries (entry_no),
    amount_e8     BIGINT NOT NULL,
    fee_e8        BIGINT NOT NULL,
    at_ms         BIGINT NOT NULL,
    PRIMARY KEY (lp_id, record_no),
    UNIQUE (payout_id, lp_id)
);

-- Who corrected what an LP is owed.
ALTER TABLE ledger_entries ADD COLUMN who TEXT NOT NULL DEFAULT '';

-- Corrections are few among the entries, and each server that begins to lead looks for those not published yet.
CREATE INDEX ledger_corrections ON ledger_entries (entry_no) WHERE kind = 'correction';
