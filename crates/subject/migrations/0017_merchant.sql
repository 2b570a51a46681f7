-- 商户驻场 (G-6.2.3, handbook §2.4): the further nodes where a merchant trades, each for a time.

CREATE TABLE merchant_place (
    id @code PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    label BIGINT NOT NULL DEFAULT 2 CHECK (label BETWEEN 1 AND 4),
    merchant_code @code NOT NULL,
    node_id @code NOT NULL REFERENCES node (id),
    booth TEXT,
    registered_on @code NOT NULL,
    left_on @code CHECK (left_on >= registered_on),
    merchant_id @code NOT NULL REFERENCES merchant (id),
    region @code NOT NULL,
    operator_id @code NOT NULL,
    stage @code,
    UNIQUE (merchant_id, node_id)
);
CREATE INDEX merchant_place_node ON merchant_place (node_id, id);
CREATE INDEX merchant_place_region ON merchant_place (region, id);
CREATE INDEX merchant_place_operator ON merchant_place (operator_id, id);
