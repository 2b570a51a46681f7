-- 行为审计 (§5.4.3, GB/T 22239 8.1.4.3): chained, never changed, never removed.

DROP TABLE audit_log;

CREATE TABLE audit_log (
    id @code PRIMARY KEY,
    at BIGINT NOT NULL,
    node TEXT NOT NULL,
    source @code NOT NULL,
    actor TEXT NOT NULL,
    actor_kind @code NOT NULL,
    session @code NOT NULL,
    address @code NOT NULL,
    agent TEXT NOT NULL,
    action @code NOT NULL,
    entity @code NOT NULL,
    record @code NOT NULL,
    result @code NOT NULL,
    body TEXT NOT NULL,
    request_id @code NOT NULL,
    lane BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    digest @code NOT NULL,
    UNIQUE (lane, seq)
);
CREATE INDEX audit_log_record ON audit_log (entity, record, id);
CREATE INDEX audit_log_actor ON audit_log (actor, id);
CREATE INDEX audit_log_action ON audit_log (action, id);
CREATE INDEX audit_log_at ON audit_log (at, id);

-- The end of every chain. Several, so that transactions on PostgreSQL need not wait for each other.
CREATE TABLE audit_head (
    lane BIGINT PRIMARY KEY,
    seq BIGINT NOT NULL,
    digest @code NOT NULL
);
@sqlite INSERT INTO audit_head VALUES (0, 0, '');
@postgres INSERT INTO audit_head SELECT lane, 0, '' FROM generate_series(0, 63) AS lane;

@sqlite CREATE TRIGGER audit_log_kept BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
@sqlite CREATE TRIGGER audit_log_fixed BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
@postgres CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'audit_log is append-only'; END $$;
@postgres CREATE TRIGGER audit_log_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse();
