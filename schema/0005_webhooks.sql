-- How a workspace's callbacks are delivered. NULL: the documents' way, one unsigned POST for each end.
ALTER TABLE workspace ADD COLUMN callback_timeout INTEGER;
ALTER TABLE workspace ADD COLUMN callback_connect_timeout INTEGER;
-- JSON: a list of durations or "standard"; an object of prefixes and what takes their place; a list.
ALTER TABLE workspace ADD COLUMN callback_retries TEXT;
ALTER TABLE workspace ADD COLUMN callback_map TEXT;
ALTER TABLE workspace ADD COLUMN webhook_secrets TEXT;
-- Which ends are told: a bit for each state of a job.
ALTER TABLE workspace ADD COLUMN callback_on INTEGER;

-- What a rule has the job's callback do, as JSON, and which rule.
ALTER TABLE job_plan ADD COLUMN webhook TEXT;
ALTER TABLE job_plan ADD COLUMN webhook_rule TEXT;

-- The outbox: one row for each POST that is owed, written with the job's last transition.
-- status: 0 pending, 1 held, 2 retrying, 3 delivered, 4 exhausted, 5 gone, 6 blocked, 7 dropped.
-- due_at is the time of its next attempt, on the workspace's clock; NULL: none comes by itself.
-- sending: the number under which its attempt was given to the sender, 0 while none is under way;
-- by_hand: somebody asked for that one. attempts counts all, tries those of the schedule. message is
-- the id that a receiver sees, the same for duplicates. What a rule says: cut, where the body ends;
-- body, what is sent in its place. bytes: of that and its attempts, for what is kept of them.
ALTER TABLE delivery RENAME TO delivery_before;
CREATE TABLE delivery (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace INTEGER NOT NULL REFERENCES workspace (pk) ON DELETE CASCADE,
    job INTEGER NOT NULL REFERENCES job (seq) ON DELETE CASCADE,
    id TEXT NOT NULL,
    message TEXT NOT NULL,
    status INTEGER NOT NULL CHECK (status BETWEEN 0 AND 7),
    created_at INTEGER NOT NULL,
    due_at INTEGER,
    ended_at INTEGER,
    sending INTEGER NOT NULL DEFAULT 0,
    by_hand INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    cut INTEGER,
    rule TEXT,
    body TEXT
) STRICT;
INSERT INTO delivery (workspace, job, id, message, status, created_at, due_at, ended_at)
    SELECT workspace, job, printf('%012x', seq), printf('%012x', seq),
           CASE status WHEN 0 THEN 0 WHEN 1 THEN 3 ELSE 4 END, created_at,
           CASE status WHEN 0 THEN created_at END, CASE status WHEN 0 THEN NULL ELSE created_at END
    FROM delivery_before
    -- A state that was put in by hand could have others, which nobody can send.
    WHERE EXISTS (SELECT 1 FROM job WHERE job.seq = delivery_before.job AND callback_url IS NOT NULL)
    ORDER BY seq;
DROP TABLE delivery_before;
CREATE UNIQUE INDEX delivery_id ON delivery (workspace, id);
CREATE INDEX delivery_job ON delivery (job);
CREATE INDEX delivery_workspace ON delivery (workspace);
CREATE INDEX delivery_due ON delivery (workspace, due_at, seq)
    WHERE due_at IS NOT NULL AND sending = 0;
CREATE INDEX delivery_sending ON delivery (sending) WHERE sending > 0;
CREATE INDEX delivery_sending_of ON delivery (workspace) WHERE sending > 0;
CREATE INDEX delivery_ended ON delivery (workspace, ended_at, seq, bytes)
    WHERE ended_at IS NOT NULL;

-- What was sent, and what came of it. at is of the workspace's clock, sent_at and duration are real;
-- url and address are those that it went to; headers are those of ours, as JSON (those of the job are
-- with the job); status, answer_headers and answer are what came back, error is why nothing better did.
-- outcome: 0 delivered, 1 failed, 2 gone, 3 blocked. bytes: what the row takes up, roughly.
CREATE TABLE attempt (
    seq INTEGER PRIMARY KEY,
    delivery INTEGER NOT NULL REFERENCES delivery (seq) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    by_hand INTEGER NOT NULL,
    outcome INTEGER NOT NULL CHECK (outcome BETWEEN 0 AND 3),
    at INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    url TEXT NOT NULL,
    address TEXT,
    headers TEXT NOT NULL,
    body TEXT NOT NULL,
    status INTEGER,
    answer_headers TEXT,
    answer BLOB,
    answer_bytes INTEGER NOT NULL,
    error TEXT,
    bytes INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX attempt_number ON attempt (delivery, number);
