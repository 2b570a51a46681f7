-- The list of what both parties said: in its own order, by who supervises a party, and by voucher.

CREATE INDEX trace_match_opened ON trace_match (opened_at DESC, id);
CREATE INDEX trace_match_giver_region ON trace_match (giver_region, opened_at);
CREATE INDEX trace_match_receiver_region ON trace_match (receiver_region, opened_at);
CREATE INDEX trace_match_voucher ON trace_match (voucher);
