-- Who approves a call of a tool, or answers it, names it by its id: in the order of
-- bytes, as all keys are.
ALTER TABLE steps ALTER COLUMN call_id TYPE TEXT COLLATE "C";
CREATE INDEX steps_of_call ON steps (company, call_id, conversation_id, turn, ordinal);
