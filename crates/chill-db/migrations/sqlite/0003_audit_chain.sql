-- Each act carries the hash of the one before it. All three are NULL where a release before this step wrote the row; such rows
-- are sealed later.
ALTER TABLE audit ADD COLUMN n BIGINT;
-- Days since 1970-01-01; never less than the day of the row before.
ALTER TABLE audit ADD COLUMN day BIGINT;
ALTER TABLE audit ADD COLUMN hash TEXT;
CREATE UNIQUE INDEX audit_by_n ON audit (n);
CREATE INDEX audit_by_day ON audit (day);
CREATE INDEX audit_unsealed ON audit (id) WHERE hash IS NULL;

-- One row: the end of the chain, and where it begins since old days were forgotten. Its lock orders all who add.
CREATE TABLE audit_head (
    id BIGINT NOT NULL PRIMARY KEY,
    n BIGINT NOT NULL,
    day BIGINT NOT NULL,
    hash TEXT NOT NULL,
    -- The last row that was forgotten.
    gone_n BIGINT NOT NULL,
    gone_hash TEXT NOT NULL,
    -- Days before this one may be deleted.
    keep_from BIGINT NOT NULL,
    CHECK (keep_from <= day)
);
INSERT INTO audit_head (id, n, day, hash, gone_n, gone_hash, keep_from) VALUES (1, 0, 0,
    '0000000000000000000000000000000000000000000000000000000000000000', 0,
    '0000000000000000000000000000000000000000000000000000000000000000', 0);

CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
    WHEN OLD.hash IS NOT NULL OR NEW.hash IS NULL OR NEW.id <> OLD.id OR NEW.at <> OLD.at OR NEW.actor <> OLD.actor
        OR NEW.actor_from <> OLD.actor_from OR NEW.act <> OLD.act OR NEW.subject_kind <> OLD.subject_kind
        OR NEW.subject_id <> OLD.subject_id OR NEW.subject_name <> OLD.subject_name OR NEW.detail IS NOT OLD.detail
    BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END;
CREATE TRIGGER audit_never_goes BEFORE DELETE ON audit
    WHEN OLD.day IS NULL OR OLD.day >= (SELECT keep_from FROM audit_head WHERE id = 1)
    BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END;
CREATE TRIGGER audit_head_never_goes BEFORE DELETE ON audit_head
    BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END;
