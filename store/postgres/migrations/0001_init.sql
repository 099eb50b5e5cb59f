-- Every key begins with the company, so that the tables can be distributed by it;
-- the exceptions are companies itself, and operators and api_keys, which are small
-- and would be copied to every node. There is no sequence, trigger, foreign key or
-- extension. Texts are compared byte by byte. Times are microseconds since 1970, UTC.

CREATE TABLE companies (
    id                 TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name               TEXT NOT NULL,
    default_agent      TEXT COLLATE "C" NOT NULL,
    knowledge_revision BIGINT NOT NULL DEFAULT 0,
    created_at         BIGINT NOT NULL
);

-- Which company is the first one, the operator's.
CREATE TABLE operators (
    id      BIGINT NOT NULL PRIMARY KEY,   -- 1
    company TEXT COLLATE "C" NOT NULL      -- empty before there is one
);
INSERT INTO operators (id, company) VALUES (1, '');

CREATE TABLE agents (
    company    TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    settings   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    events     BIGINT NOT NULL, -- how many its stream has
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (company, id)
);

-- A conversation holds the lease of its running turn. A user has one with an agent:
-- of two first messages at once the second finds the conversation of the first.
CREATE TABLE conversations (
    company         TEXT COLLATE "C" NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    agent_id        TEXT COLLATE "C" NOT NULL,
    user_id         TEXT COLLATE "C" NOT NULL,
    turns           BIGINT NOT NULL,
    events          BIGINT NOT NULL,
    running         BIGINT NOT NULL, -- 1 while the last turn has not ended
    reply_id        TEXT COLLATE "C" NOT NULL, -- that the running turn will have
    worker          TEXT NOT NULL,
    fence           BIGINT NOT NULL,
    lease_until     BIGINT NOT NULL,
    taken           BIGINT NOT NULL DEFAULT 0, -- how often the turn was taken over
    cancelled       BIGINT NOT NULL DEFAULT 0, -- 1: whoever has the running turn is to end it
    created_at      BIGINT NOT NULL,
    last_message_at BIGINT NOT NULL,
    PRIMARY KEY (company, id)
);
CREATE INDEX conversations_of_agent ON conversations (company, agent_id, id);
CREATE UNIQUE INDEX conversations_of_user ON conversations (company, user_id, agent_id) WHERE user_id <> '';
CREATE INDEX conversations_running ON conversations (company, lease_until) WHERE running = 1;
CREATE INDEX conversations_reply ON conversations (company, reply_id) WHERE running = 1;

-- Turn n has the user's message at 2n-1 and the reply at 2n. A reply is of the user
-- whose message it answers.
CREATE TABLE messages (
    company         TEXT COLLATE "C" NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    seq             BIGINT NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    agent_id        TEXT COLLATE "C" NOT NULL,
    user_id         TEXT COLLATE "C" NOT NULL,
    role            TEXT NOT NULL,
    text            TEXT NOT NULL,
    body            TEXT NOT NULL, -- the rest, as JSON
    feedback        TEXT NOT NULL, -- on a reply, as JSON; empty if there is none
    explanation     TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (company, conversation_id, seq)
);
CREATE UNIQUE INDEX messages_by_id ON messages (company, id);
CREATE INDEX messages_of_agent ON messages (company, agent_id, id);
CREATE INDEX messages_of_user ON messages (company, user_id, id) WHERE user_id <> '';

CREATE TABLE steps (
    company         TEXT COLLATE "C" NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    turn            BIGINT NOT NULL,
    ordinal         BIGINT NOT NULL,
    call_id         TEXT NOT NULL,
    name            TEXT NOT NULL,
    state           TEXT NOT NULL,
    data            BYTEA NOT NULL,
    at              BIGINT NOT NULL,
    PRIMARY KEY (company, conversation_id, turn, ordinal)
);

-- Which replies quote a document.
CREATE TABLE citations (
    company         TEXT COLLATE "C" NOT NULL,
    document_id     TEXT COLLATE "C" NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    seq             BIGINT NOT NULL,
    PRIMARY KEY (company, document_id, conversation_id, seq)
);

CREATE TABLE documents (
    company     TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    agent_id    TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    title       TEXT NOT NULL,
    url         TEXT NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    metadata    TEXT NOT NULL,
    format      TEXT NOT NULL,
    questions   TEXT NOT NULL,
    version     BIGINT NOT NULL,
    state       TEXT NOT NULL,
    hash        BYTEA NOT NULL,
    text_hash   BYTEA NOT NULL,
    events      BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (company, id)
);
CREATE UNIQUE INDEX documents_external ON documents (company, external_id, agent_id) WHERE external_id <> '';
CREATE INDEX documents_of_agent ON documents (company, agent_id, id);
CREATE INDEX documents_of_kind ON documents (company, kind, id);
CREATE INDEX documents_of_agent_kind ON documents (company, agent_id, kind, id);

-- The bodies of a version's passages, put together, are its stored text: a body
-- begins where the one before ended, at body_at; the passage is what stands from
-- start_at to end_at.
CREATE TABLE passages (
    company     TEXT COLLATE "C" NOT NULL,
    document_id TEXT COLLATE "C" NOT NULL,
    version     BIGINT NOT NULL,
    ordinal     BIGINT NOT NULL,
    body_at     BIGINT NOT NULL,
    start_at    BIGINT NOT NULL,
    end_at      BIGINT NOT NULL,
    heading     TEXT NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (company, document_id, version, ordinal)
);

CREATE TABLE knowledge_changes (
    company     TEXT COLLATE "C" NOT NULL,
    revision    BIGINT NOT NULL,
    document_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (company, revision, document_id)
);

-- An event has position 0 until somebody reads the log to its end.
CREATE TABLE events (
    company    TEXT COLLATE "C" NOT NULL,
    position   BIGINT NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    type       TEXT NOT NULL,
    stream     TEXT COLLATE "C" NOT NULL,
    sequence   BIGINT NOT NULL,
    refs       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (company, id)
);
CREATE UNIQUE INDEX events_in_order ON events (company, position) WHERE position > 0;
CREATE INDEX events_without_position ON events (company, stream, sequence) WHERE position = 0;

-- Counts the events of streams that are no row of another table, and in the one
-- without a name the positions of the log.
CREATE TABLE streams (
    company TEXT COLLATE "C" NOT NULL,
    stream  TEXT COLLATE "C" NOT NULL,
    events  BIGINT NOT NULL,
    PRIMARY KEY (company, stream)
);

CREATE TABLE work_keys (
    company     TEXT COLLATE "C" NOT NULL,
    queue       TEXT COLLATE "C" NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    due_at      BIGINT NOT NULL, -- of the first job that can run
    worker      TEXT NOT NULL,
    fence       BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    PRIMARY KEY (company, queue, key)
);
CREATE INDEX work_keys_due ON work_keys (company, queue, due_at, key);

CREATE TABLE work_jobs (
    company   TEXT COLLATE "C" NOT NULL,
    queue     TEXT COLLATE "C" NOT NULL,
    key       TEXT COLLATE "C" NOT NULL,
    position  BIGINT NOT NULL, -- in the order queued
    id        TEXT COLLATE "C" NOT NULL,
    payload   BYTEA NOT NULL,
    run_at    BIGINT NOT NULL,
    attempt   BIGINT NOT NULL, -- that comes next
    queued_at BIGINT NOT NULL,
    PRIMARY KEY (company, queue, key, position)
);

CREATE TABLE work_dead (
    company   TEXT COLLATE "C" NOT NULL,
    id        TEXT COLLATE "C" NOT NULL,
    queue     TEXT COLLATE "C" NOT NULL,
    key       TEXT COLLATE "C" NOT NULL,
    payload   BYTEA NOT NULL,
    run_at    BIGINT NOT NULL,
    attempt   BIGINT NOT NULL,
    reason    TEXT NOT NULL,
    queued_at BIGINT NOT NULL,
    died_at   BIGINT NOT NULL,
    PRIMARY KEY (company, id)
);

CREATE TABLE receipts (
    company     TEXT COLLATE "C" NOT NULL,
    scope       TEXT COLLATE "C" NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    hash        BYTEA NOT NULL,
    fence       BIGINT NOT NULL,
    result      TEXT NOT NULL,
    done        BIGINT NOT NULL,
    lease       BIGINT NOT NULL, -- how long a claim holds
    lease_until BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (company, scope, key)
);

CREATE TABLE audit_log (
    company TEXT COLLATE "C" NOT NULL,
    id      TEXT COLLATE "C" NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    object  TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (company, id)
);

-- The keys that let programs call, found by the SHA-256 of their secrets: which
-- company one belongs to is not known before it is found.
CREATE TABLE api_keys (
    company      TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL,
    name         TEXT NOT NULL,
    scope        TEXT NOT NULL,
    plan         TEXT NOT NULL,
    hint         TEXT NOT NULL,
    hash         BYTEA NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL, -- 0: never
    last_used_at BIGINT NOT NULL, -- 0: never
    replaced_by  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (company, id)
);
CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (hash);
