-- Times are integer milliseconds since the epoch, on the workspace's clock. Every key that a client
-- sees is unique within its workspace; `seq` is creation order.

CREATE TABLE workspace (
    pk INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    project_id TEXT NOT NULL UNIQUE,
    active INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL
) STRICT;

-- A key is kept as its SHA-256; the last four characters are for people to tell keys apart.
CREATE TABLE api_key (
    pk INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL REFERENCES workspace (pk) ON DELETE CASCADE,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    last4 TEXT NOT NULL,
    active INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX api_key_workspace ON api_key (workspace);

-- ASCII letters of `email` are in lower case.
CREATE TABLE member (
    seq INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL REFERENCES workspace (pk) ON DELETE CASCADE,
    email TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (workspace, email)
) STRICT;

-- status: 0 queued, 1 processing, 2 completed, 3 failed, 4 cancelled. What changes and what every
-- read needs comes first, so that a long prompt's overflow pages are left alone. `event` is the
-- number of its creation among what happened in its workspace. `marks`: 1 what is to become of it is
-- in job_plan, 2 it is held, 4 reading it moves it. A job that is held or that reads move has no
-- due_at: no timer moves it. The causes: why it was started and why it ended.
CREATE TABLE job (
    seq INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL REFERENCES workspace (pk) ON DELETE CASCADE,
    id TEXT NOT NULL,
    status INTEGER NOT NULL CHECK (status BETWEEN 0 AND 4),
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    completed_at INTEGER,
    due_at INTEGER,
    queue_time INTEGER NOT NULL,
    processing_time INTEGER NOT NULL,
    event INTEGER NOT NULL,
    marks INTEGER NOT NULL,
    start_cause INTEGER NOT NULL DEFAULT 0,
    end_cause INTEGER NOT NULL DEFAULT 0,
    scenario TEXT,
    error_code TEXT,
    error_message TEXT,
    base TEXT NOT NULL,
    request_id TEXT,
    session TEXT,
    user_email TEXT NOT NULL,
    scenario_slug TEXT,
    callback_url TEXT,
    callback_headers TEXT,
    prompt TEXT NOT NULL,
    context TEXT
) STRICT;
CREATE UNIQUE INDEX job_id ON job (workspace, id);
CREATE UNIQUE INDEX job_request_id ON job (workspace, request_id) WHERE request_id IS NOT NULL;
CREATE UNIQUE INDEX job_event ON job (workspace, event);
-- Timers; jobs that have ended are in neither.
CREATE INDEX job_queued ON job (workspace, due_at, seq) WHERE status = 0;
CREATE INDEX job_processing ON job (workspace, due_at, seq) WHERE status = 1;

CREATE TABLE session (
    seq INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL REFERENCES workspace (pk) ON DELETE CASCADE,
    id TEXT NOT NULL,
    job TEXT,
    created_at INTEGER NOT NULL,
    base TEXT NOT NULL,
    request_id TEXT,
    user_email TEXT NOT NULL,
    prompt TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX session_id ON session (workspace, id);
CREATE UNIQUE INDEX session_request_id ON session (workspace, request_id)
    WHERE request_id IS NOT NULL;

-- The Studio API's scenarios, made by jobs. `source` is the id of the scenario that was remixed.
CREATE TABLE scenario (
    seq INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL REFERENCES workspace (pk) ON DELETE CASCADE,
    id TEXT NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    source TEXT,
    job TEXT,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX scenario_id ON scenario (workspace, id);
CREATE UNIQUE INDEX scenario_slug ON scenario (workspace, slug);

-- The outbox: one row for each callback that is owed, written with the job's last transition.
-- status: 0 pending, 1 delivered, 2 failed.
CREATE TABLE delivery (
    seq INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL REFERENCES workspace (pk) ON DELETE CASCADE,
    job INTEGER NOT NULL REFERENCES job (seq) ON DELETE CASCADE,
    status INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX delivery_job ON delivery (job);

-- The Scenarios API's scenarios. What JSON may hold inside `messages`, `evaluators` and
-- `persona_ids` is kept as compact JSON text.
CREATE TABLE project_scenario (
    seq INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL REFERENCES workspace (pk) ON DELETE CASCADE,
    project TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    instructions TEXT,
    messages TEXT,
    max_messages INTEGER,
    success_criteria TEXT,
    failure_criteria TEXT,
    failure_criteria_mode TEXT NOT NULL,
    evaluators TEXT,
    persona_ids TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX project_scenario_id ON project_scenario (workspace, id);
CREATE UNIQUE INDEX project_scenario_name ON project_scenario (workspace, project, name);
CREATE INDEX project_scenario_list ON project_scenario (workspace, project, seq);
