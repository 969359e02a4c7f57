-- What was deleted because of its age, and what stands for it.

-- Deleted credits, added up: one row for an LP and a unit, to which every later deletion adds. The newest credit of each
-- LP is never deleted, so a balance is read as ever, from that row. What holds, to the last unit:
-- of each LP, amount_e8 here and in `credits` add up to balance_e8 of its newest credit;
-- of all LPs, they add up to paid_e8 of all credited rounds, which are kept for ever;
-- a round of which nothing was deleted has all its credits, and they add up to its paid_e8; that is so of each round
-- whose credits all have an entry_no at or above `below` in the row 'credits' of `forgotten`.
-- `entries` counts the deleted credits. They were of the rounds from first_round to last_round, though not the only ones,
-- and last_entry_no is the highest number of theirs.
CREATE TABLE credits_carried (
    lp_id         BIGINT NOT NULL,
    unit          TEXT   NOT NULL,
    entries       BIGINT NOT NULL CHECK (entries > 0),
    amount_e8     BIGINT NOT NULL CHECK (amount_e8 >= 0),
    first_round   BIGINT NOT NULL,
    last_round    BIGINT NOT NULL,
    last_entry_no BIGINT NOT NULL,
    PRIMARY KEY (lp_id, unit),
    FOREIGN KEY (lp_id, unit) REFERENCES lp_units (lp_id, unit)
);

-- How far it has come. 'credits': those with an entry_no below this one were deleted, but for each LP's newest. 'records':
-- entries of the published record below this number are told no more and are deleted little by little; the entry of
-- this number carries their balances forward. The newest entry of the kind 'epoch' stays, for the pool itself.
CREATE TABLE forgotten (
    what  TEXT   NOT NULL PRIMARY KEY CHECK (what IN ('credits', 'records')),
    below BIGINT NOT NULL
);

-- A transaction of the wallet is looked for among all payouts that ever were.
CREATE INDEX payouts_by_txid ON payouts (txid);
