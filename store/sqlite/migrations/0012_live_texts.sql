-- A text that is live is told of by its document, until something else of that is
-- written: only then it gets a row of its own in document_versions. Those of documents
-- written before this have theirs.

ALTER TABLE documents ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;      -- of the text
ALTER TABLE documents ADD COLUMN actor TEXT NOT NULL DEFAULT '';       -- who wrote it; empty for a run
ALTER TABLE documents ADD COLUMN written_at BIGINT NOT NULL DEFAULT 0; -- when that was
