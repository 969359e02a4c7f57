-- Every time that this database was put back from a backup. `epoch` is that of the newest entry of the record in the
-- backup: until the record has a later one, no server starts. `resumed_at_ms` is when the operator let payouts go on,
-- zero while they stand still.
CREATE TABLE restores (
    restore_no     BIGINT NOT NULL PRIMARY KEY,
    restored_at_ms BIGINT NOT NULL,
    backup_at_ms   BIGINT NOT NULL,
    epoch          BIGINT NOT NULL,
    resumed_at_ms  BIGINT NOT NULL DEFAULT 0
);
