-- The settings that agents have and have had, files that belong to messages, and how
-- long conversations are kept.

CREATE TABLE agent_versions (
    company    TEXT COLLATE "C" NOT NULL,
    agent_id   TEXT COLLATE "C" NOT NULL,
    version    BIGINT NOT NULL,
    settings   TEXT NOT NULL, -- as JSON
    actor      TEXT NOT NULL, -- who set them; empty if that is not known
    created_at BIGINT NOT NULL,
    PRIMARY KEY (company, agent_id, version)
);
INSERT INTO agent_versions (company, agent_id, version, settings, actor, created_at)
    SELECT company, id, version, settings, '', updated_at FROM agents;

-- As the settings say: an index finds the agents that ask for it.
ALTER TABLE agents ADD COLUMN retention_days BIGINT NOT NULL DEFAULT 0;
CREATE INDEX agents_retaining ON agents (company, id) WHERE retention_days > 0;

CREATE TABLE attachments (
    company         TEXT COLLATE "C" NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL, -- of the messages that name it; empty: none does yet
    name            TEXT NOT NULL,
    media_type      TEXT NOT NULL,
    size            BIGINT NOT NULL,           -- of the file
    text            TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,           -- 0 once a message names it
    PRIMARY KEY (company, id)
);
CREATE INDEX attachments_of_conversation ON attachments (company, conversation_id) WHERE conversation_id <> '';
CREATE INDEX attachments_unnamed ON attachments (company, expires_at) WHERE conversation_id = '';
