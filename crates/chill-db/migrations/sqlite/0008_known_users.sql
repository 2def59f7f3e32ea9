-- How often a user was moved from one key to another: while this number and the epoch stay, what was read of users is still
-- true, but for how many devices they have. Kept by a trigger, so that it also counts for a release that does not know of it.
INSERT INTO epoch (id, n) VALUES (2, 0);
CREATE TRIGGER assignments_move AFTER UPDATE ON assignments BEGIN UPDATE epoch SET n = n + 1 WHERE id = 2; END;
