-- Where anime of other catalogues stand at IMDb, imported by the operator. Rows are found by id alone.
CREATE TABLE anime_ids (
    -- kitsu or mal
    site TEXT NOT NULL,
    number BIGINT NOT NULL,
    -- The same anime at Kitsu.
    kitsu BIGINT,
    imdb TEXT,
    season BIGINT,
    -- Episodes of that season before the anime's first.
    skipped BIGINT NOT NULL,
    PRIMARY KEY (site, number)
);
