-- An event is supervised where its subject lies, wherever it happened; the place stays in its body.
-- The other party of an event, by identifier: who was told to get a batch is looked up by it.

ALTER TABLE trace_event ADD COLUMN counterparty_id @code;

@sqlite UPDATE trace_event SET region = COALESCE((SELECT s.region FROM trace_subject s WHERE s.id = subject_id), region) WHERE json_extract(body, '$.place.region') IS NOT NULL;
@postgres UPDATE trace_event SET region = s.region FROM trace_subject s WHERE s.id = subject_id AND (body::json #>> '{place,region}') IS NOT NULL;

@sqlite UPDATE trace_event SET counterparty_id = (SELECT s.id FROM trace_subject s WHERE s.code = json_extract(body, '$.counterparty')) WHERE json_extract(body, '$.counterparty') IS NOT NULL;
@postgres UPDATE trace_event SET counterparty_id = s.id FROM trace_subject s WHERE (body::json ->> 'counterparty') IS NOT NULL AND s.code = (body::json ->> 'counterparty');

-- The daily counts follow: by the region that supervises.
DELETE FROM trace_rollup;
@sqlite INSERT INTO trace_rollup (day, region, domain, stage, events) SELECT strftime('%Y-%m-%d', event_time / 1000 + 28800, 'unixepoch'), region, domain, stage, COUNT(*) FROM trace_event WHERE state IN ('accepted', 'superseded') GROUP BY 1, 2, 3, 4;
@postgres INSERT INTO trace_rollup (day, region, domain, stage, events) SELECT to_char(to_timestamp(event_time / 1000) AT TIME ZONE 'UTC' + INTERVAL '8 hours', 'YYYY-MM-DD'), region, domain, stage, COUNT(*) FROM trace_event WHERE state IN ('accepted', 'superseded') GROUP BY 1, 2, 3, 4;
