-- 见证告警的处置: an alarm stays for good; who settled it, when and why stands beside it.

ALTER TABLE ledger_witness_alarm ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE ledger_witness_alarm ADD COLUMN settled_at BIGINT;
ALTER TABLE ledger_witness_alarm ADD COLUMN settled_by TEXT;
ALTER TABLE ledger_witness_alarm ADD COLUMN reason TEXT;
CREATE INDEX ledger_witness_alarm_open ON ledger_witness_alarm (verifier_key) WHERE settled_at IS NULL;
