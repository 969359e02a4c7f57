-- What several servers on one database need of it.

-- Rows that a transaction holds while it numbers others, so that numbers have no holes and no server gives one
-- out twice. They never change.
CREATE TABLE locks (
    name TEXT NOT NULL PRIMARY KEY
);
INSERT INTO locks (name) VALUES ('registrations'), ('ledger'), ('configuration');

-- Who may run rounds and payouts, and until when. The epoch rises with every new holder, and every transaction of a
-- round looks whether its epoch still stands.
CREATE TABLE leases (
    name          TEXT   NOT NULL PRIMARY KEY,
    holder        TEXT   NOT NULL,
    epoch         BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);

-- Every configuration that was ever in force, by rising number. The newest one is.
CREATE TABLE configurations (
    configuration_id   BIGINT NOT NULL PRIMARY KEY,
    digest             TEXT   NOT NULL,
    document           TEXT   NOT NULL,
    put_in_force_at_ms BIGINT NOT NULL
);

-- The newest quote of each unit, as the server that leads fetched it, so that all servers judge by the same.
CREATE TABLE prices (
    unit  TEXT   NOT NULL PRIMARY KEY,
    price TEXT   NOT NULL,
    at_ms BIGINT NOT NULL
);
