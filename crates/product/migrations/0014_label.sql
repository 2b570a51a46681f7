-- 标签模板 (§5.4.4).

CREATE TABLE label_template (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    name TEXT NOT NULL,
    subject_id @code NOT NULL REFERENCES trace_subject (id),
    region @code NOT NULL,
    kind @code NOT NULL,
    width_mm BIGINT NOT NULL,
    height_mm BIGINT NOT NULL,
    symbol @code NOT NULL,
    symbol_mm BIGINT NOT NULL,
    place @code NOT NULL,
    font_pt BIGINT NOT NULL,
    content @code NOT NULL,
    lines TEXT NOT NULL,
    in_use BIGINT NOT NULL CHECK (in_use IN (0, 1))
);
CREATE INDEX label_template_subject ON label_template (subject_id, id);
CREATE INDEX label_template_region ON label_template (region, id);
