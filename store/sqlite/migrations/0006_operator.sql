-- Which company is the first one, the operator's: not the oldest, which another
-- server's clock might have a say in.

CREATE TABLE operators (
    id      BIGINT NOT NULL PRIMARY KEY, -- 1
    company TEXT NOT NULL                -- empty before there is one
) WITHOUT ROWID;
INSERT INTO operators (id, company) SELECT 1, COALESCE((SELECT id FROM companies ORDER BY created_at, id LIMIT 1), '');

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('operators', 'operators', '1 1');
ANALYZE sqlite_schema;
