-- Documents may come from a source, know their language, and their passages the
-- page they stand on.

ALTER TABLE documents ADD COLUMN source_id TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN language TEXT NOT NULL DEFAULT '';
DROP INDEX documents_external;
CREATE UNIQUE INDEX documents_external ON documents (company, external_id, agent_id, source_id) WHERE external_id <> '';
CREATE INDEX documents_of_source ON documents (company, source_id, id) WHERE source_id <> '';
CREATE INDEX documents_changed ON documents (company, id) WHERE version > 1;
ALTER TABLE passages ADD COLUMN page BIGINT NOT NULL DEFAULT 0;

-- A text that a document has had, as long as its passages are kept.
CREATE TABLE document_versions (
    company     TEXT NOT NULL,
    document_id TEXT NOT NULL,
    version     BIGINT NOT NULL,
    title       TEXT NOT NULL,
    format      TEXT NOT NULL,
    bytes       BIGINT NOT NULL,
    text_hash   BLOB NOT NULL, -- empty where it is older than this column
    actor       TEXT NOT NULL, -- who wrote it; empty for a run
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (company, document_id, version)
) WITHOUT ROWID;
INSERT INTO document_versions (company, document_id, version, title, format, bytes, text_hash, actor, created_at)
    SELECT p.company, p.document_id, p.version, MIN(d.title), MIN(d.format), SUM(LENGTH(CAST(p.body AS BLOB))), X'', '',
        MIN(CASE WHEN p.version = 1 THEN d.created_at ELSE d.updated_at END)
    FROM passages p JOIN documents d ON d.company = p.company AND d.id = p.document_id
    GROUP BY p.company, p.document_id, p.version;

CREATE TABLE sources (
    company         TEXT NOT NULL,
    id              TEXT NOT NULL,
    kind            TEXT NOT NULL,
    agent_id        TEXT NOT NULL,
    name            TEXT NOT NULL,
    url             TEXT NOT NULL,
    schedule        TEXT NOT NULL,
    metadata        TEXT NOT NULL,
    settings        TEXT NOT NULL,
    run_id          TEXT NOT NULL,   -- the latest
    published_id    TEXT NOT NULL,   -- the latest that was published
    last_success_at BIGINT NOT NULL, -- when that ended; 0: never
    next_run_at     BIGINT NOT NULL, -- 0: never
    events          BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (company, id)
) WITHOUT ROWID;
CREATE INDEX sources_of_agent ON sources (company, agent_id, id);
CREATE INDEX sources_of_kind ON sources (company, kind, id);
CREATE INDEX sources_due ON sources (company, next_run_at) WHERE next_run_at > 0;

CREATE TABLE runs (
    company    TEXT NOT NULL,
    id         TEXT NOT NULL,
    kind       TEXT NOT NULL,
    state      TEXT NOT NULL,
    phase      TEXT NOT NULL,
    agent_id   TEXT NOT NULL,
    source_id  TEXT NOT NULL,
    parent_id  TEXT NOT NULL,
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
) WITHOUT ROWID;
CREATE INDEX runs_of_agent ON runs (company, agent_id, id);
CREATE INDEX runs_of_source ON runs (company, source_id, id) WHERE source_id <> '';
CREATE INDEX runs_of_parent ON runs (company, parent_id, id) WHERE parent_id <> '';
CREATE INDEX runs_of_kind ON runs (company, kind, id);
CREATE INDEX runs_of_state ON runs (company, state, id);
CREATE INDEX runs_active ON runs (company, id) WHERE ended_at = 0;
CREATE INDEX runs_queued ON runs (company, source_id, kind, agent_id) WHERE state = 'queued';
CREATE INDEX runs_ended ON runs (company, ended_at) WHERE ended_at > 0;

CREATE TABLE run_events (
    company    TEXT NOT NULL,
    run_id     TEXT NOT NULL,
    sequence   BIGINT NOT NULL,
    type       TEXT NOT NULL,
    item       TEXT NOT NULL,
    counts     TEXT NOT NULL, -- as JSON
    error      TEXT NOT NULL, -- as JSON; empty if there is none
    created_at BIGINT NOT NULL,
    PRIMARY KEY (company, run_id, sequence)
) WITHOUT ROWID;

-- What a run saw. An address is the SHA-256 of a URL, which may be long.
CREATE TABLE pages (
    company       TEXT NOT NULL,
    run_id        TEXT NOT NULL,
    address       BLOB NOT NULL,
    sequence      BIGINT NOT NULL,
    url           TEXT NOT NULL,
    outcome       TEXT NOT NULL,
    reason        TEXT NOT NULL,
    status        BIGINT NOT NULL,
    depth         BIGINT NOT NULL,
    found_on      TEXT NOT NULL,
    final         TEXT NOT NULL,
    document_id   TEXT NOT NULL,
    fetched_at    BIGINT NOT NULL,
    etag          TEXT NOT NULL,
    last_modified TEXT NOT NULL,
    hash          TEXT NOT NULL,
    canonical     TEXT NOT NULL,
    links         TEXT NOT NULL, -- a line each or JSON, last since lists do not read it
    PRIMARY KEY (company, run_id, address)
);
CREATE INDEX pages_in_order ON pages (company, run_id, sequence);
CREATE INDEX pages_of_document ON pages (company, run_id, document_id) WHERE document_id <> '';

-- What a run will do to a document. The passages of a new text are in their table
-- already, under a version above the live one, where nothing finds them.
CREATE TABLE staged (
    company       TEXT NOT NULL,
    document_id   TEXT NOT NULL,
    run_id        TEXT NOT NULL,
    change        TEXT NOT NULL,   -- created, updated or deleted
    base_at       BIGINT NOT NULL, -- when the live document was updated; 0 if there is none
    new_text      BIGINT NOT NULL, -- 1: it has passages under version
    moved         BIGINT NOT NULL, -- 1: the live document has another external id
    version       BIGINT NOT NULL,
    bytes         BIGINT NOT NULL,
    external_hash BLOB NOT NULL,   -- as tombstones have it
    agent_id      TEXT NOT NULL,
    source_id     TEXT NOT NULL,
    kind          TEXT NOT NULL,
    title         TEXT NOT NULL,
    url           TEXT NOT NULL,
    external_id   TEXT NOT NULL,
    language      TEXT NOT NULL,
    metadata      TEXT NOT NULL,
    format        TEXT NOT NULL,
    questions     TEXT NOT NULL,
    state         TEXT NOT NULL,
    hash          BLOB NOT NULL,
    text_hash     BLOB NOT NULL,
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
    company       TEXT NOT NULL,
    source_id     TEXT NOT NULL,
    document_id   TEXT NOT NULL,
    external_hash BLOB NOT NULL, -- the SHA-256 of the external id
    text_hash     BLOB NOT NULL,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (company, source_id, document_id, text_hash)
) WITHOUT ROWID;
CREATE INDEX tombstones_external ON tombstones (company, source_id, external_hash);
CREATE INDEX tombstones_text ON tombstones (company, source_id, text_hash);

-- What has had its time is found by when that was.
CREATE INDEX receipts_expiring ON receipts (company, expires_at);
CREATE INDEX work_dead_since ON work_dead (company, died_at);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('documents', 'documents_external', '10000000 100000 2 1 1'),
    ('documents', 'documents_of_source', '10000000 100000 1000 1'),
    ('documents', 'documents_changed', '1000000 10000 1'),
    ('document_versions', 'document_versions', '20000000 200000 2 1'),
    ('sources', 'sources', '100000 1000 1'),
    ('sources', 'sources_of_agent', '100000 1000 100 1'),
    ('sources', 'sources_of_kind', '100000 1000 500 1'),
    ('sources', 'sources_due', '100000 1000 1'),
    ('runs', 'runs', '10000000 100000 1'),
    ('runs', 'runs_of_agent', '10000000 100000 10000 1'),
    ('runs', 'runs_of_source', '10000000 100000 100 1'),
    ('runs', 'runs_of_parent', '10000000 100000 100 1'),
    ('runs', 'runs_of_kind', '10000000 100000 25000 1'),
    ('runs', 'runs_of_state', '10000000 100000 20000 1'),
    ('runs', 'runs_active', '10000 100 1'),
    ('runs', 'runs_queued', '10000 100 1 1 1'),
    ('runs', 'runs_ended', '10000000 100000 1'),
    ('run_events', 'run_events', '1000000000 10000000 100 1'),
    ('pages', 'sqlite_autoindex_pages_1', '100000000 1000000 1000 1'),
    ('pages', 'pages_in_order', '100000000 1000000 1000 1'),
    ('pages', 'pages_of_document', '100000000 1000000 1000 1'),
    ('staged', 'sqlite_autoindex_staged_1', '1000000 10000 1 1'),
    ('staged', 'staged_of_run', '1000000 10000 1000 1'),
    ('staged', 'staged_external', '1000000 10000 1000 1'),
    ('staged', 'staged_text', '1000000 10000 1000 1'),
    ('tombstones', 'tombstones', '1000000 10000 100 2 1'),
    ('tombstones', 'tombstones_external', '1000000 10000 100 1'),
    ('tombstones', 'tombstones_text', '1000000 10000 100 1'),
    ('receipts', 'receipts_expiring', '10000000 100000 1'),
    ('work_dead', 'work_dead_since', '1000000 10000 1');
ANALYZE sqlite_schema;
