-- Each workspace's clock shows base + rate * (wall - anchor); rate is 1 in mode 0 (real), `scale` in
-- 1 (scaled), 0 in 2 (manual) and 3 (auto). Base and anchor of 0: wall time itself.
ALTER TABLE workspace ADD COLUMN clock_mode INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspace ADD COLUMN clock_scale REAL NOT NULL DEFAULT 1;
ALTER TABLE workspace ADD COLUMN clock_base INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspace ADD COLUMN clock_anchor INTEGER NOT NULL DEFAULT 0;
-- What ids and varied times are drawn from, as JSON; NULL: from the cryptographic source. `draws`:
-- how many were drawn from it.
ALTER TABLE workspace ADD COLUMN seed TEXT;
ALTER TABLE workspace ADD COLUMN draws INTEGER NOT NULL DEFAULT 0;

-- What is to become of a job, where it is not what the settings say; NULL: not said. `polls`: how
-- many times it was read in its present state.
CREATE TABLE job_plan (
    job INTEGER PRIMARY KEY REFERENCES job (seq) ON DELETE CASCADE,
    ending INTEGER,
    error_code TEXT,
    error_message TEXT,
    scenario_name TEXT,
    scenario_slug TEXT,
    polls_queued INTEGER,
    polls_processing INTEGER,
    hold_at INTEGER,
    polls INTEGER NOT NULL DEFAULT 0,
    rule TEXT
) STRICT;
-- What a reset puts back: the state document that a workspace was made with.
CREATE TABLE workspace_origin (
    workspace INTEGER PRIMARY KEY REFERENCES workspace (pk) ON DELETE CASCADE,
    document TEXT NOT NULL
) STRICT;
