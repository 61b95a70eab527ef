-- What the control plane sets. NULL in a setting: the server's own options count.
ALTER TABLE workspace ADD COLUMN ttl INTEGER;
ALTER TABLE workspace ADD COLUMN queue_time INTEGER;
ALTER TABLE workspace ADD COLUMN processing_time INTEGER;
ALTER TABLE workspace ADD COLUMN max_processing INTEGER;
ALTER TABLE workspace ADD COLUMN jitter REAL NOT NULL DEFAULT 0;
-- 0: no limit.
ALTER TABLE workspace ADD COLUMN rate_per_minute INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspace ADD COLUMN rate_per_day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspace ADD COLUMN rate_creations INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspace ADD COLUMN magic INTEGER;
ALTER TABLE workspace ADD COLUMN any_key INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspace ADD COLUMN public_url TEXT;
-- When max_processing last made room: no job that waited for it starts earlier.
ALTER TABLE workspace ADD COLUMN room_since INTEGER NOT NULL DEFAULT 0;

-- deleted: 0 no; 1 yes, and rows of its own are left to be removed; 2 yes, and none is left.
ALTER TABLE workspace ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX workspace_deleted ON workspace (deleted) WHERE deleted > 0;
CREATE INDEX delivery_workspace ON delivery (workspace);

ALTER TABLE api_key ADD COLUMN id TEXT;
UPDATE api_key SET id = lower(hex(randomblob(6)));
CREATE UNIQUE INDEX api_key_id ON api_key (workspace, id);
