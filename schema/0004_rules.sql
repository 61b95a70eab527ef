-- What tests say is to happen to requests and jobs. `document` is the rule as it was given; times
-- NULL: an override, which is never used up. What is left of `times` and `skip` counts down here,
-- so that exactly so many requests are acted on.
CREATE TABLE rule (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace INTEGER NOT NULL REFERENCES workspace (pk) ON DELETE CASCADE,
    id TEXT NOT NULL,
    label TEXT,
    document TEXT NOT NULL,
    uses_left INTEGER,
    skip_left INTEGER NOT NULL,
    hits INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    UNIQUE (workspace, id)
) STRICT;
