-- Whom a new user may get, the least loaded first: reading it does not grow with the pool. Weights are at most 1,000, so two
-- different loads differ by more than a millionth and keep their order as whole numbers.
CREATE INDEX keys_by_load ON keys (store, (assigned * 1000000 / weight), id)
    WHERE (max_users IS NULL OR assigned < max_users) AND state IN ('healthy', 'throttled', 'cooling');
-- Who is back first, when all rest.
CREATE INDEX keys_by_rest ON keys (store, state_until, id)
    WHERE (max_users IS NULL OR assigned < max_users) AND state IN ('throttled', 'cooling');
