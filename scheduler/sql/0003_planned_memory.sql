-- What the plan said an attempt would take, beside what it took.  0: an attempt from before.
ALTER TABLE attempts ADD COLUMN memory_planned_bytes INTEGER NOT NULL DEFAULT 0;
