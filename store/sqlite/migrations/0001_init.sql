-- Every key begins with the company. Times are microseconds since 1970, UTC.

CREATE TABLE companies (
    id                 TEXT NOT NULL PRIMARY KEY,
    name               TEXT NOT NULL,
    default_agent      TEXT NOT NULL,
    knowledge_revision BIGINT NOT NULL DEFAULT 0,
    created_at         BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE agents (
    company    TEXT NOT NULL,
    id         TEXT NOT NULL,
    settings   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    events     BIGINT NOT NULL, -- how many its stream has
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (company, id)
) WITHOUT ROWID;

-- A conversation holds the lease of its running turn.
CREATE TABLE conversations (
    company         TEXT NOT NULL,
    id              TEXT NOT NULL,
    agent_id        TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    turns           BIGINT NOT NULL,
    events          BIGINT NOT NULL,
    running         BIGINT NOT NULL, -- 1 while the last turn has not ended
    reply_id        TEXT NOT NULL,   -- that the running turn will have
    worker          TEXT NOT NULL,
    fence           BIGINT NOT NULL,
    lease_until     BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    last_message_at BIGINT NOT NULL,
    PRIMARY KEY (company, id)
) WITHOUT ROWID;
CREATE INDEX conversations_of_agent ON conversations (company, agent_id, id);
CREATE INDEX conversations_of_user ON conversations (company, user_id, agent_id) WHERE user_id <> '';
CREATE INDEX conversations_running ON conversations (company, lease_until) WHERE running = 1;

-- Turn n has the user's message at 2n-1 and the reply at 2n.
CREATE TABLE messages (
    company         TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    seq             BIGINT NOT NULL,
    id              TEXT NOT NULL,
    role            TEXT NOT NULL,
    text            TEXT NOT NULL,
    body            TEXT NOT NULL, -- the rest, as JSON
    explanation     TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (company, conversation_id, seq)
);
CREATE UNIQUE INDEX messages_by_id ON messages (company, id);

CREATE TABLE steps (
    company         TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    turn            BIGINT NOT NULL,
    ordinal         BIGINT NOT NULL,
    call_id         TEXT NOT NULL,
    name            TEXT NOT NULL,
    state           TEXT NOT NULL,
    data            BLOB NOT NULL,
    at              BIGINT NOT NULL,
    PRIMARY KEY (company, conversation_id, turn, ordinal)
) WITHOUT ROWID;

-- Which replies quote a document.
CREATE TABLE citations (
    company         TEXT NOT NULL,
    document_id     TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    seq             BIGINT NOT NULL,
    PRIMARY KEY (company, document_id, conversation_id, seq)
) WITHOUT ROWID;

CREATE TABLE documents (
    company     TEXT NOT NULL,
    id          TEXT NOT NULL,
    agent_id    TEXT NOT NULL,
    kind        TEXT NOT NULL,
    title       TEXT NOT NULL,
    url         TEXT NOT NULL,
    external_id TEXT NOT NULL,
    metadata    TEXT NOT NULL,
    format      TEXT NOT NULL,
    questions   TEXT NOT NULL,
    version     BIGINT NOT NULL,
    state       TEXT NOT NULL,
    hash        BLOB NOT NULL,
    text_hash   BLOB NOT NULL,
    events      BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (company, id)
);
CREATE UNIQUE INDEX documents_external ON documents (company, agent_id, external_id) WHERE external_id <> '';
CREATE INDEX documents_of_agent ON documents (company, agent_id, id);

-- The bodies of a version's passages, put together, are its stored text: a body
-- begins where the one before ended, at body_at; the passage is what stands from
-- start_at to end_at.
CREATE TABLE passages (
    company     TEXT NOT NULL,
    document_id TEXT NOT NULL,
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
    company     TEXT NOT NULL,
    revision    BIGINT NOT NULL,
    document_id TEXT NOT NULL,
    PRIMARY KEY (company, revision, document_id)
) WITHOUT ROWID;

CREATE TABLE events (
    company    TEXT NOT NULL,
    position   BIGINT NOT NULL,
    id         TEXT NOT NULL,
    type       TEXT NOT NULL,
    stream     TEXT NOT NULL,
    sequence   BIGINT NOT NULL,
    refs       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (company, position)
) WITHOUT ROWID;

-- Counts the events of streams that are no row of another table.
CREATE TABLE streams (
    company TEXT NOT NULL,
    stream  TEXT NOT NULL,
    events  BIGINT NOT NULL,
    PRIMARY KEY (company, stream)
) WITHOUT ROWID;

CREATE TABLE work_keys (
    company     TEXT NOT NULL,
    queue       TEXT NOT NULL,
    key         TEXT NOT NULL,
    due_at      BIGINT NOT NULL, -- of the first job that can run
    worker      TEXT NOT NULL,
    fence       BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    PRIMARY KEY (company, queue, key)
) WITHOUT ROWID;
CREATE INDEX work_keys_due ON work_keys (company, queue, due_at);

CREATE TABLE work_jobs (
    company   TEXT NOT NULL,
    queue     TEXT NOT NULL,
    key       TEXT NOT NULL,
    position  BIGINT NOT NULL, -- in the order queued
    id        TEXT NOT NULL,
    payload   BLOB NOT NULL,
    run_at    BIGINT NOT NULL,
    attempt   BIGINT NOT NULL, -- that comes next
    queued_at BIGINT NOT NULL,
    PRIMARY KEY (company, queue, key, position)
) WITHOUT ROWID;

CREATE TABLE work_dead (
    company   TEXT NOT NULL,
    id        TEXT NOT NULL,
    queue     TEXT NOT NULL,
    key       TEXT NOT NULL,
    payload   BLOB NOT NULL,
    run_at    BIGINT NOT NULL,
    attempt   BIGINT NOT NULL,
    reason    TEXT NOT NULL,
    queued_at BIGINT NOT NULL,
    died_at   BIGINT NOT NULL,
    PRIMARY KEY (company, id)
) WITHOUT ROWID;

CREATE TABLE receipts (
    company     TEXT NOT NULL,
    scope       TEXT NOT NULL,
    key         TEXT NOT NULL,
    hash        BLOB NOT NULL,
    fence       BIGINT NOT NULL,
    result      TEXT NOT NULL,
    done        BIGINT NOT NULL,
    lease       BIGINT NOT NULL, -- how long a claim holds
    lease_until BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (company, scope, key)
) WITHOUT ROWID;

CREATE TABLE audit_log (
    company TEXT NOT NULL,
    id      TEXT NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    object  TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (company, id)
) WITHOUT ROWID;
