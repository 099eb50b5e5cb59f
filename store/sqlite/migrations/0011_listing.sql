-- Most documents are of no agent alone, and no list asks for just those: the indexes
-- by agent leave them out.

DROP INDEX documents_of_agent;
DROP INDEX documents_of_agent_kind;
CREATE INDEX documents_of_agent ON documents (company, agent_id, id) WHERE agent_id <> '';
CREATE INDEX documents_of_agent_kind ON documents (company, agent_id, kind, id) WHERE agent_id <> '';

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('documents', 'documents_of_agent', '10000000 100000 10000 1'),
    ('documents', 'documents_of_agent_kind', '10000000 100000 10000 5000 1');
ANALYZE sqlite_schema;
