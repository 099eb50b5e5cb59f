-- The vectors of passages, and what fits the confidence to a company.

-- The spaces that a company has vectors of: those of one embedder, and of another
-- while it takes its place. A row of a vector holds the number.
CREATE TABLE vector_spaces (
    company TEXT COLLATE "C" NOT NULL,
    name    TEXT COLLATE "C" NOT NULL, -- as the embedder says
    number  BIGINT NOT NULL,           -- from 1
    PRIMARY KEY (company, name)
);

-- The vectors of live versions' passages. A vector is its numbers one after the
-- other, each the four bytes of an IEEE 754 binary32, the lowest first.
CREATE TABLE passage_vectors (
    company     TEXT COLLATE "C" NOT NULL,
    space       BIGINT NOT NULL,
    document_id TEXT COLLATE "C" NOT NULL,
    version     BIGINT NOT NULL,
    ordinal     BIGINT NOT NULL,
    vector      BYTEA NOT NULL,
    PRIMARY KEY (company, space, document_id, version, ordinal)
);
-- They do not get shorter by compression, on which the server would spend its time.
ALTER TABLE passage_vectors ALTER COLUMN vector SET STORAGE EXTERNAL;

CREATE TABLE calibrations (
    company TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    body    TEXT NOT NULL -- as JSON
);
