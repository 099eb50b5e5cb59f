-- The keys that let programs call, found by the SHA-256 of their secrets: a
-- secret names its company, so that index alone begins with no company.

CREATE TABLE api_keys (
    company      TEXT NOT NULL,
    id           TEXT NOT NULL,
    name         TEXT NOT NULL,
    scope        TEXT NOT NULL,
    plan         TEXT NOT NULL,
    hint         TEXT NOT NULL,
    hash         BLOB NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL, -- 0: never
    last_used_at BIGINT NOT NULL, -- 0: never
    replaced_by  TEXT NOT NULL,
    PRIMARY KEY (company, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (hash);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('api_keys', 'api_keys', '100000 1000 1'),
    ('api_keys', 'api_keys_by_hash', '100000 1');
ANALYZE sqlite_schema;
