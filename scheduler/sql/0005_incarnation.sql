-- Which life of this database it is: a restore from a backup begins a new one, and what was leased
-- in an earlier one counts no more (scheduler/upkeep/restoration.h).
CREATE TABLE scheduler (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  incarnation INTEGER NOT NULL
) STRICT;
INSERT INTO scheduler (one, incarnation) VALUES (1, 0);
