-- Inboxes: receivers of the server's own, by name. A row stands for a name that was used. received
-- is the number of its last message, messages how many are kept, dropped how many had to make room.
CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL REFERENCES workspace (pk) ON DELETE CASCADE,
    name TEXT NOT NULL,
    received INTEGER NOT NULL DEFAULT 0,
    messages INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0,
    UNIQUE (workspace, name)
) STRICT;

-- What came, from callbacks that were sent here without the network (webhook and job are their ids)
-- and from whoever posted. received_at is of the workspace's clock; headers a JSON object; reply the
-- status that was answered; bytes what it takes up.
CREATE TABLE inbox_message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace INTEGER NOT NULL REFERENCES workspace (pk) ON DELETE CASCADE,
    inbox INTEGER NOT NULL REFERENCES inbox (seq) ON DELETE CASCADE,
    id TEXT NOT NULL,
    number INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    method TEXT NOT NULL,
    url TEXT NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL,
    webhook TEXT,
    job TEXT,
    reply INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX inbox_message_of ON inbox_message (inbox, seq);
CREATE INDEX inbox_message_workspace ON inbox_message (workspace, seq);

-- What a workspace's inboxes have in all, to be bounded.
CREATE TABLE inbox_total (
    workspace INTEGER PRIMARY KEY REFERENCES workspace (pk) ON DELETE CASCADE,
    names INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;

-- What an inbox answers, in the order of seq. times_left NULL: from then on. document is a JSON
-- object of delay, headers and body.
CREATE TABLE inbox_reply (
    seq INTEGER PRIMARY KEY,
    inbox INTEGER NOT NULL REFERENCES inbox (seq) ON DELETE CASCADE,
    status INTEGER NOT NULL,
    times_left INTEGER,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX inbox_reply_of ON inbox_reply (inbox, seq);
