-- Ids are TEXT, times BIGINT milliseconds since 1970 from the application's clock, ciphertext BYTEA.

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    -- The name in lower case: two users may not differ by case alone.
    name_key TEXT NOT NULL UNIQUE,
    email TEXT,
    status TEXT NOT NULL,
    -- NULL is the instance's default.
    max_devices BIGINT,
    delivery TEXT,
    -- How many of the user's devices are active; changed only under the lock of this row.
    device_count BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE links (
    link_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- A link that was reset stays here, so that its late usage still finds its user.
    current BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX links_by_user ON links (user_id);

CREATE TABLE devices (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    label TEXT,
    state TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    UNIQUE (user_id, device_id)
);

-- One row per store that has keys; its lock orders everything that assigns users to keys.
CREATE TABLE pools (
    store TEXT NOT NULL PRIMARY KEY
);

CREATE TABLE keys (
    id TEXT NOT NULL PRIMARY KEY,
    store TEXT NOT NULL REFERENCES pools (store),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    sealed_by TEXT NOT NULL,
    terms TEXT NOT NULL,
    max_users BIGINT,
    max_streams BIGINT,
    owner TEXT,
    weight BIGINT NOT NULL,
    -- How many assignments name this key; changed only under the lock of its pool.
    assigned BIGINT NOT NULL,
    state TEXT NOT NULL,
    state_until BIGINT,
    has_worked BOOLEAN NOT NULL,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    last_probe_at BIGINT,
    -- When the control plane asks the store about this key next; NULL is never.
    probe_due BIGINT,
    probe_failures BIGINT NOT NULL,
    UNIQUE (store, name_key)
);
CREATE INDEX keys_by_probe ON keys (probe_due);

CREATE TABLE assignments (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    store TEXT NOT NULL,
    key_id TEXT NOT NULL REFERENCES keys (id),
    assigned_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, store)
);
CREATE INDEX assignments_by_key ON assignments (key_id);

-- No foreign keys: usage outlives users and keys, and a late event of either must still be counted.
CREATE TABLE usage_events (
    event_id TEXT NOT NULL PRIMARY KEY,
    -- Days since 1970-01-01.
    day BIGINT NOT NULL,
    at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    user_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    device_id TEXT,
    action TEXT NOT NULL,
    hash TEXT,
    cached BOOLEAN,
    bytes BIGINT NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX usage_events_by_arrival ON usage_events (received_at);

CREATE TABLE usage_hourly (
    -- Hours since 1970-01-01T00:00Z.
    hour BIGINT NOT NULL,
    user_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    events BIGINT NOT NULL,
    streams BIGINT NOT NULL,
    cached BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (hour, user_id, key_id)
);

CREATE TABLE usage_daily (
    day BIGINT NOT NULL,
    user_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    events BIGINT NOT NULL,
    streams BIGINT NOT NULL,
    cached BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (day, user_id, key_id)
);

-- One row. Taking the next number locks it until commit, so the order of numbers is the order of commits.
CREATE TABLE epoch (
    id BIGINT NOT NULL PRIMARY KEY,
    n BIGINT NOT NULL
);
INSERT INTO epoch (id, n) VALUES (1, 0);

CREATE TABLE changes (
    epoch BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    link_id TEXT,
    device_id TEXT,
    key_id TEXT,
    act TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX changes_by_age ON changes (at);

CREATE TABLE known_torrents (
    hash TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    size BIGINT,
    seeders BIGINT,
    source TEXT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX known_torrents_by_age ON known_torrents (seen_at);

CREATE TABLE known_contents (
    imdb TEXT NOT NULL,
    content_id TEXT NOT NULL,
    hash TEXT NOT NULL REFERENCES known_torrents (hash) ON DELETE CASCADE,
    exact BOOLEAN NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (imdb, content_id, hash)
);
CREATE INDEX known_contents_by_hash ON known_contents (hash);

-- The files of one torrent are read together or not at all, so they are one JSON text: [[path, size or null], …].
CREATE TABLE known_files (
    hash TEXT NOT NULL PRIMARY KEY,
    files TEXT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX known_files_by_age ON known_files (seen_at);

CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    actor_from TEXT NOT NULL,
    act TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    detail TEXT
);

-- A known text sealed under each master in use: what start-up tries to open.
CREATE TABLE key_check (
    sealed_by TEXT NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL
);

-- SQLite's two functions for lists in one parameter, under the same names, so that a query has one text on both engines.
-- STRICT keeps the first from being inlined, and so keeps its estimate of one row: with the hundred that PostgreSQL assumes
-- otherwise it reads whole tables instead of asking their indexes.
CREATE FUNCTION json_each(list TEXT) RETURNS TABLE (value TEXT) LANGUAGE sql IMMUTABLE STRICT ROWS 1
    AS $$ SELECT json_array_elements_text(list::json) $$;
CREATE FUNCTION json_extract(doc TEXT, path TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE
    AS $$ SELECT jsonb_path_query_first(doc::jsonb, path::jsonpath) #>> '{}' $$;
