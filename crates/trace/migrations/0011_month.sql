-- 追溯事件按发生的月份分区 (ADR 29), on the engine that divides tables. What no two events may share, and
-- when an event happened, is kept in one undivided table of keys: look-ups begin there. SQLite divides
-- nothing; there the events are their own keys.

@sqlite CREATE VIEW trace_event_key AS SELECT id, uid, digest, event_time FROM trace_event;

@postgres CREATE TABLE trace_event_key (
@postgres     id BIGINT NOT NULL,
@postgres     uid @code NOT NULL,
@postgres     digest @code NOT NULL,
@postgres     event_time BIGINT NOT NULL
@postgres );
@postgres INSERT INTO trace_event_key SELECT id, uid, digest, event_time FROM trace_event;
@postgres ALTER TABLE trace_event_key ADD PRIMARY KEY (id), ADD UNIQUE (uid), ADD UNIQUE (digest);

@postgres ALTER TABLE trace_link DROP CONSTRAINT trace_link_event_id_fkey;
@postgres ALTER TABLE trace_match_line DROP CONSTRAINT trace_match_line_event_id_fkey;
@postgres ALTER TABLE trace_event RENAME TO trace_event_whole;
@postgres CREATE TABLE trace_event (LIKE trace_event_whole INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (event_time);

-- A month for every one that events lie in, up to five years before the newest; as months go by, the
-- platform makes more (trace::months). Where there are no events yet, it makes the first ones too.
@postgres DO $$
@postgres DECLARE
@postgres     first DATE := DATE '2020-01-01';
@postgres     last DATE := DATE '2020-01-01';
@postgres     month DATE;
@postgres BEGIN
@postgres     SELECT COALESCE(date_trunc('month', to_timestamp(MIN(GREATEST(event_time, 0)) / 1000 + 28800) AT TIME ZONE 'UTC'), first),
@postgres            COALESCE(date_trunc('month', to_timestamp(MAX(GREATEST(event_time, 0)) / 1000 + 28800) AT TIME ZONE 'UTC') + INTERVAL '1 month', last)
@postgres       INTO first, last FROM trace_event_whole;
@postgres     first := GREATEST(first, (last - INTERVAL '60 months')::DATE);
@postgres     EXECUTE format('CREATE TABLE trace_event_before PARTITION OF trace_event FOR VALUES FROM (MINVALUE) TO (%s)',
@postgres         EXTRACT(EPOCH FROM first)::BIGINT * 1000 - 28800000);
@postgres     month := first;
@postgres     WHILE month < last LOOP
@postgres         EXECUTE format('CREATE TABLE %I PARTITION OF trace_event FOR VALUES FROM (%s) TO (%s)',
@postgres             'trace_event_' || to_char(month, 'YYYY_MM'),
@postgres             EXTRACT(EPOCH FROM month)::BIGINT * 1000 - 28800000,
@postgres             EXTRACT(EPOCH FROM month + INTERVAL '1 month')::BIGINT * 1000 - 28800000);
@postgres         month := month + INTERVAL '1 month';
@postgres     END LOOP;
@postgres     EXECUTE format('CREATE TABLE trace_event_after PARTITION OF trace_event FOR VALUES FROM (%s) TO (MAXVALUE)',
@postgres         EXTRACT(EPOCH FROM last)::BIGINT * 1000 - 28800000);

@postgres     INSERT INTO trace_event SELECT * FROM trace_event_whole;
@postgres     IF (SELECT ROW(COUNT(*), SUM(hashtextextended(e::TEXT, 0)::NUMERIC)) FROM trace_event e)
@postgres        IS DISTINCT FROM
@postgres        (SELECT ROW(COUNT(*), SUM(hashtextextended(w::TEXT, 0)::NUMERIC)) FROM trace_event_whole w) THEN
@postgres         RAISE EXCEPTION 'events are not what they were';
@postgres     END IF;
@postgres END $$;

@postgres DROP TABLE trace_event_whole;
@postgres ALTER TABLE trace_event ADD PRIMARY KEY (id, event_time);
@postgres ALTER TABLE trace_event ADD FOREIGN KEY (id) REFERENCES trace_event_key (id);
@postgres ALTER TABLE trace_link ADD FOREIGN KEY (event_id) REFERENCES trace_event_key (id);
@postgres ALTER TABLE trace_match_line ADD FOREIGN KEY (event_id) REFERENCES trace_event_key (id);
@postgres CREATE INDEX trace_event_time ON trace_event (event_time, id);
@postgres CREATE INDEX trace_event_stage ON trace_event (stage, event_time, id);
@postgres CREATE INDEX trace_event_subject ON trace_event (subject_id, event_time, id);
@postgres CREATE INDEX trace_event_product ON trace_event (product_id, event_time, id);
@postgres CREATE INDEX trace_event_region ON trace_event (region, event_time, id);
@postgres CREATE INDEX trace_event_lot ON trace_event (lot);
@postgres CREATE INDEX trace_event_held ON trace_event (event_time, id) WHERE state = 'held';
@postgres ANALYZE trace_event;
