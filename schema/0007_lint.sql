-- Which findings about its client a workspace does not want to hear of: a bit each, by their numbers.
ALTER TABLE workspace ADD COLUMN lint_ignored INTEGER NOT NULL DEFAULT 0;
