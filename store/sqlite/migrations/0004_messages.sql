-- A turn counts how often it was taken over, and can be cancelled by any process.
ALTER TABLE conversations ADD COLUMN taken BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN cancelled BIGINT NOT NULL DEFAULT 0; -- 1: whoever has the running turn is to end it
CREATE INDEX conversations_reply ON conversations (company, reply_id) WHERE running = 1;

-- Messages are listed across conversations, by their agent and by their user: who
-- sent a message or, if it does not say, whose conversation it is in. A reply is of
-- the user whose message it answers.
ALTER TABLE messages ADD COLUMN agent_id TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN user_id TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN feedback TEXT NOT NULL DEFAULT ''; -- on a reply, as JSON; empty if there is none
UPDATE messages SET agent_id = c.agent_id, user_id = COALESCE(
        (SELECT NULLIF(json_extract(q.body, '$.user.id'), '') FROM messages q WHERE q.company = messages.company
            AND q.conversation_id = messages.conversation_id AND q.seq = messages.seq - 1 + messages.seq % 2),
        c.user_id)
    FROM conversations c WHERE c.company = messages.company AND c.id = messages.conversation_id;
CREATE INDEX messages_of_agent ON messages (company, agent_id, id);
CREATE INDEX messages_of_user ON messages (company, user_id, id) WHERE user_id <> '';

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('conversations', 'conversations_reply', '100 100 1'),
    ('messages', 'messages_of_agent', '1000000000 10000000 1000000 1'),
    ('messages', 'messages_of_user', '1000000000 10000000 50 1');
ANALYZE sqlite_schema;
