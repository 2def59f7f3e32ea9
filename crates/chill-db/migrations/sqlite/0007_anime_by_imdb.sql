-- How many episodes an anime has, where the map says so; and all anime of one series of IMDb.
ALTER TABLE anime_ids ADD COLUMN episodes BIGINT;
CREATE INDEX anime_ids_by_imdb ON anime_ids (imdb);
