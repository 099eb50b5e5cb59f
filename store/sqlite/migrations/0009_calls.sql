-- Who approves a call of a tool, or answers it, names it by its id.
CREATE INDEX steps_of_call ON steps (company, call_id, conversation_id, turn, ordinal);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('steps', 'steps_of_call', '100000000 1000000 2 2 2 1');
ANALYZE sqlite_schema;
