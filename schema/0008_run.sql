-- The test run that a workspace was made for, as whoever made it calls it; NULL: it did not say.
ALTER TABLE workspace ADD COLUMN run TEXT;
