-- Most documents are of no agent alone, and no list asks for just those: the indexes
-- by agent leave them out.

DROP INDEX documents_of_agent;
DROP INDEX documents_of_agent_kind;
CREATE INDEX documents_of_agent ON documents (company, agent_id, id) WHERE agent_id <> '';
CREATE INDEX documents_of_agent_kind ON documents (company, agent_id, kind, id) WHERE agent_id <> '';
