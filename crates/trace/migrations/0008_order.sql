-- 批次管控 (handbook §1.2 C): orders over trace objects. An order is written once; its lifting fills what
-- is empty until then, once. What stands in trace_object follows from the orders in force.

ALTER TABLE trace_object ADD COLUMN quality @code CHECK (quality BETWEEN '02' AND '06');
CREATE INDEX trace_object_stopped ON trace_object (subject_id, id) WHERE quality IS NOT NULL;

CREATE TABLE trace_order (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    code @code NOT NULL,
    kind @code NOT NULL,
    downstream BIGINT NOT NULL CHECK (downstream IN (0, 1)),
    reason TEXT NOT NULL,
    document_no TEXT,
    authority TEXT NOT NULL,
    official BIGINT NOT NULL CHECK (official IN (0, 1)),
    subject_id @code NOT NULL,
    region @code NOT NULL,
    units BIGINT NOT NULL,
    subjects BIGINT NOT NULL,
    basis @code,
    state TEXT NOT NULL CHECK (state IN ('in_force', 'lifted')),
    lifted_at BIGINT,
    lifted_by TEXT,
    lift_reason TEXT,
    lift_document_no TEXT,
    lift_record @code,
    CHECK ((state = 'lifted') = (lifted_at IS NOT NULL)),
    CHECK (state = 'in_force' OR kind <> 'destroy')
);
CREATE INDEX trace_order_code ON trace_order (code);
CREATE INDEX trace_order_subject ON trace_order (subject_id, id);
CREATE INDEX trace_order_region ON trace_order (region, id);

-- What an order covers: the units of the time, and what was made of them since (event_id says by which
-- event). Orders that were lifted keep what they covered.
CREATE TABLE trace_order_unit (
    order_id @code NOT NULL REFERENCES trace_order (id),
    object_id BIGINT NOT NULL,
    event_id BIGINT,
    PRIMARY KEY (order_id, object_id)
);
CREATE INDEX trace_order_unit_object ON trace_order_unit (object_id);
