-- 三日以上 counts the third day in.
UPDATE trace_match SET state = 'day' WHERE state = 'matched' AND received_day >= given_day + 3;
