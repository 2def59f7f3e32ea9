-- Titles of films and series from IMDb's title.basics, imported by the operator. Rows are found by id alone.
CREATE TABLE imdb_titles (
    imdb TEXT NOT NULL PRIMARY KEY,
    -- IMDb's own word: movie, tvSeries, …
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    -- NULL where it is the same as the title.
    original_title TEXT,
    year BIGINT
);

-- One row: how far the import of which file got, so that one that was broken off goes on there.
CREATE TABLE imdb_import (
    id BIGINT NOT NULL PRIMARY KEY,
    file TEXT NOT NULL,
    lines BIGINT NOT NULL,
    done BOOLEAN NOT NULL
);
