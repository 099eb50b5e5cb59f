-- Documents may come from a source, know their language, and their passages the
-- page they stand on.

ALTER TABLE documents ADD COLUMN source_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN language TEXT NOT NULL DEFAULT '';
DROP INDEX documents_external;
CREATE UNIQUE INDEX documents_external ON documents (company, external_id, agent_id, source_id) WHERE external_id <> '';
CREATE INDEX documents_of_source ON documents (company, source_id, id) WHERE source_id <> '';
CREATE INDEX documents_changed ON documents (company, id) WHERE version > 1;
ALTER TABLE passages ADD COLUMN page BIGINT NOT NULL DEFAULT 0;

-- A text that a document has had, as long as its passages are kept.
CREATE TABLE document_versions (
    company     TEXT COLLATE "C" NOT NULL,
    document_id TEXT COLLATE "C" NOT NULL,
    version     BIGINT NOT NULL,
    title       TEXT NOT NULL,
    format      TEXT NOT NULL,
    bytes       BIGINT NOT NULL,
    text_hash   BYTEA NOT NULL, -- empty where it is older than this column
    actor       TEXT NOT NULL, -- who wrote it; empty for a run
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (company, document_id, version)
);
INSERT INTO document_versions (company, document_id, version, title, format, bytes, text_hash, actor, created_at)
    SELECT p.company, p.document_id, p.version, MIN(d.title), MIN(d.format), SUM(OCTET_LENGTH(p.body)), ''::BYTEA, '',
        MIN(CASE WHEN p.version = 1 THEN d.created_at ELSE d.updated_at END)
    FROM passages p JOIN documents d ON d.company = p.company AND d.id = p.document_id
    GROUP BY p.company, p.document_id, p.version;

CREATE TABLE sources (
    company         TEXT COLLATE "C" NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    kind            TEXT COLLATE "C" NOT NULL,
    agent_id        TEXT COLLATE "C" NOT NULL,
    name            TEXT NOT NULL,
    url             TEXT NOT NULL,
    schedule        TEXT NOT NULL,
    metadata        TEXT NOT NULL,
    settings        TEXT NOT NULL,
    run_id          TEXT COLLATE "C" NOT NULL,   -- the latest
    published_id    TEXT COLLATE "C" NOT NULL,   -- the latest that was published
    last_success_at BIGINT NOT NULL, -- when that ended; 0: never
    next_run_at     BIGINT NOT NULL, -- 0: never
    events          BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (company, id)
);
CREATE INDEX sources_of_agent ON sources (company, agent_id, id);
CREATE INDEX sources_of_kind ON sources (company, kind, id);
CREATE INDEX sources_due ON sources (company, next_run_at) WHERE next_run_at > 0;

CREATE TABLE runs (
    company    TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,
    phase      TEXT NOT NULL,
    agent_id   TEXT COLLATE "C" NOT NULL,
    source_id  TEXT COLLATE "C" NOT NULL,
    parent_id  TEXT COLLATE "C" NOT NULL,
    forced     BIGINT NOT NULL, -- 1: reads also what says that it has not changed
    new_pages  BIGINT NOT NULL, -- 1: follows links to pages that are not known
    counts     TEXT NOT NULL,   -- as JSON
    error      TEXT NOT NULL,   -- as JSON; empty if there is none
    revision   BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    events     BIGINT NOT NULL, -- how many its stream has
    steps      BIGINT NOT NULL, -- the last sequence in run_events
    failures   BIGINT NOT NULL, -- how many of those tell of a failed item
    pages      BIGINT NOT NULL, -- the last sequence in pages
    created_at BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL, -- 0: it has not ended
    PRIMARY KEY (company, id)
);
CREATE INDEX runs_of_agent ON runs (company, agent_id, id);
CREATE INDEX runs_of_source ON runs (company, source_id, id) WHERE source_id <> '';
CREATE INDEX runs_of_parent ON runs (company, parent_id, id) WHERE parent_id <> '';
CREATE INDEX runs_of_kind ON runs (company, kind, id);
CREATE INDEX runs_of_state ON runs (company, state, id);
CREATE INDEX runs_active ON runs (company, id) WHERE ended_at = 0;
CREATE INDEX runs_queued ON runs (company, source_id, kind, agent_id) WHERE state = 'queued';
CREATE INDEX runs_ended ON runs (company, ended_at) WHERE ended_at > 0;

CREATE TABLE run_events (
    company    TEXT COLLATE "C" NOT NULL,
    run_id     TEXT COLLATE "C" NOT NULL,
    sequence   BIGINT NOT NULL,
    type       TEXT NOT NULL,
    item       TEXT NOT NULL,
    counts     TEXT NOT NULL, -- as JSON
    error      TEXT NOT NULL, -- as JSON; empty if there is none
    created_at BIGINT NOT NULL,
    PRIMARY KEY (company, run_id, sequence)
);

-- What a run saw. An address is the SHA-256 of a URL, which may be long.
CREATE TABLE pages (
    company       TEXT COLLATE "C" NOT NULL,
    run_id        TEXT COLLATE "C" NOT NULL,
    address       BYTEA NOT NULL,
    sequence      BIGINT NOT NULL,
    url           TEXT NOT NULL,
    outcome       TEXT NOT NULL,
    reason        TEXT NOT NULL,
    status        BIGINT NOT NULL,
    depth         BIGINT NOT NULL,
    found_on      TEXT NOT NULL,
    final         TEXT NOT NULL,
    document_id   TEXT COLLATE "C" NOT NULL,
    fetched_at    BIGINT NOT NULL,
    etag          TEXT NOT NULL,
    last_modified TEXT NOT NULL,
    hash          TEXT NOT NULL,
    canonical     TEXT NOT NULL,
    links         TEXT NOT NULL  -- a line each or JSON, last since lists do not read it
);
CREATE INDEX pages_in_order ON pages (company, run_id, sequence);
CREATE INDEX pages_of_document ON pages (company, run_id, document_id) WHERE document_id <> '';
-- Of indexes that are as good while a table is empty, the planner takes the last.
ALTER TABLE pages ADD PRIMARY KEY (company, run_id, address);

-- What a run will do to a document. The passages of a new text are in their table
-- already, under a version above the live one, where nothing finds them.
CREATE TABLE staged (
    company       TEXT COLLATE "C" NOT NULL,
    document_id   TEXT COLLATE "C" NOT NULL,
    run_id        TEXT COLLATE "C" NOT NULL,
    change        TEXT NOT NULL,   -- created, updated or deleted
    base_at       BIGINT NOT NULL, -- when the live document was updated; 0 if there is none
    new_text      BIGINT NOT NULL, -- 1: it has passages under version
    moved         BIGINT NOT NULL, -- 1: the live document has another external id
    version       BIGINT NOT NULL,
    bytes         BIGINT NOT NULL,
    external_hash BYTEA NOT NULL,   -- as tombstones have it
    agent_id      TEXT COLLATE "C" NOT NULL,
    source_id     TEXT COLLATE "C" NOT NULL,
    kind          TEXT NOT NULL,
    title         TEXT NOT NULL,
    url           TEXT NOT NULL,
    external_id   TEXT COLLATE "C" NOT NULL,
    language      TEXT NOT NULL,
    metadata      TEXT NOT NULL,
    format        TEXT NOT NULL,
    questions     TEXT NOT NULL,
    state         TEXT NOT NULL,
    hash          BYTEA NOT NULL,
    text_hash     BYTEA NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    PRIMARY KEY (company, document_id, run_id)
);
CREATE INDEX staged_of_run ON staged (company, run_id, document_id);
CREATE INDEX staged_external ON staged (company, source_id, external_id);
CREATE INDEX staged_text ON staged (company, source_id, text_hash);

-- What somebody has deleted of a source, which its runs do not bring back: a row
-- for each text that the document had.
CREATE TABLE tombstones (
    company       TEXT COLLATE "C" NOT NULL,
    source_id     TEXT COLLATE "C" NOT NULL,
    document_id   TEXT COLLATE "C" NOT NULL,
    external_hash BYTEA NOT NULL, -- the SHA-256 of the external id
    text_hash     BYTEA NOT NULL,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (company, source_id, document_id, text_hash)
);
CREATE INDEX tombstones_external ON tombstones (company, source_id, external_hash);
CREATE INDEX tombstones_text ON tombstones (company, source_id, text_hash);

-- What has had its time is found by when that was.
CREATE INDEX receipts_expiring ON receipts (company, expires_at);
CREATE INDEX work_dead_since ON work_dead (company, died_at);
