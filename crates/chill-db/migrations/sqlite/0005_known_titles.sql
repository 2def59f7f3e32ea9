-- What films and series that torrents are known of are called, in plain letters: a search by words begins here.
CREATE TABLE known_titles (
    title TEXT NOT NULL,
    -- The film's or series' id, as in known_contents.
    work TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (title, work)
);
CREATE INDEX known_titles_by_age ON known_titles (seen_at);
