-- The vectors of passages, and what fits the confidence to a company.

-- The spaces that a company has vectors of: those of one embedder, and of another
-- while it takes its place. A row of a vector holds the number.
CREATE TABLE vector_spaces (
    company TEXT NOT NULL,
    name    TEXT NOT NULL,   -- as the embedder says
    number  BIGINT NOT NULL, -- from 1
    PRIMARY KEY (company, name)
) WITHOUT ROWID;

-- The vectors of live versions' passages. A vector is its numbers one after the
-- other, each the four bytes of an IEEE 754 binary32, the lowest first.
CREATE TABLE passage_vectors (
    company     TEXT NOT NULL,
    space       BIGINT NOT NULL,
    document_id TEXT NOT NULL,
    version     BIGINT NOT NULL,
    ordinal     BIGINT NOT NULL,
    vector      BLOB NOT NULL,
    PRIMARY KEY (company, space, document_id, version, ordinal)
);

CREATE TABLE calibrations (
    company TEXT NOT NULL PRIMARY KEY,
    body    TEXT NOT NULL -- as JSON
) WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('vector_spaces', 'vector_spaces', '100 1 1'),
    ('passage_vectors', 'sqlite_autoindex_passage_vectors_1', '100000000 1000000 1000000 10 10 1'),
    ('calibrations', 'calibrations', '100 1');
ANALYZE sqlite_schema;
