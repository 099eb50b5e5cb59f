-- Documents of a kind are listed by an index, and so are those with an external
-- id, whoever's they are.

DROP INDEX documents_external;
CREATE UNIQUE INDEX documents_external ON documents (company, external_id, agent_id) WHERE external_id <> '';
CREATE INDEX documents_of_kind ON documents (company, kind, id);
CREATE INDEX documents_of_agent_kind ON documents (company, agent_id, kind, id);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('documents', 'documents_external', '10000000 100000 2 1'),
    ('documents', 'documents_of_kind', '10000000 100000 20000 1'),
    ('documents', 'documents_of_agent_kind', '10000000 100000 10000 5000 1');
ANALYZE sqlite_schema;
