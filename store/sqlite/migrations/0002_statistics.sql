-- What the planner is to know of the tables. Without statistics it takes it that a
-- company has ten rows of anything, and reads them all where an index would find
-- one. The numbers are those of a hundred large companies: rows, and then how many
-- of them share the first column of the index, the first two, and so on.

ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('companies', 'companies', '1000 1'),
    ('agents', 'agents', '100000 1000 1'),
    ('conversations', 'conversations', '100000000 1000000 1'),
    ('conversations', 'conversations_of_agent', '100000000 1000000 100000 1'),
    ('conversations', 'conversations_of_user', '100000000 1000000 5 5'),
    ('conversations', 'conversations_running', '100 100 1'),
    ('messages', 'sqlite_autoindex_messages_1', '1000000000 10000000 10 1'),
    ('messages', 'messages_by_id', '1000000000 10000000 1'),
    ('steps', 'steps', '100000000 1000000 10 5 1'),
    ('citations', 'citations', '500000000 5000000 50 1 1'),
    ('documents', 'sqlite_autoindex_documents_1', '10000000 100000 1'),
    ('documents', 'documents_external', '10000000 100000 10000 1'),
    ('documents', 'documents_of_agent', '10000000 100000 10000 1'),
    ('passages', 'sqlite_autoindex_passages_1', '100000000 1000000 20 10 1'),
    ('knowledge_changes', 'knowledge_changes', '100000000 1000000 10 1'),
    ('events', 'events', '5000000000 50000000 1'),
    ('streams', 'streams', '100000000 1000000 1'),
    ('work_keys', 'work_keys', '1000000 10000 5000 1'),
    ('work_keys', 'work_keys_due', '1000000 10000 5000 1 1'),
    ('work_jobs', 'work_jobs', '10000000 100000 50000 10 1'),
    ('work_dead', 'work_dead', '1000000 10000 1'),
    ('receipts', 'receipts', '10000000 100000 1000 1'),
    ('audit_log', 'audit_log', '10000000 100000 1');
ANALYZE sqlite_schema;
