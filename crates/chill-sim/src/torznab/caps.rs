//! The capabilities document (`t=caps`).

use super::Indexer;
use super::feed::escaped;

pub(super) fn document(indexer: &Indexer) -> String {
    let searching = if indexer.searching_in_caps { searching(indexer) } else { String::new() };
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<caps>
  <server version="1.3" title="{}" />
  <limits max="{}" default="{}" />
{searching}  <categories>
    <category id="2000" name="Movies"><subcat id="2030" name="Movies/SD" /><subcat id="2040" name="Movies/HD" /><subcat id="2045" name="Movies/UHD" /></category>
    <category id="5000" name="TV"><subcat id="5030" name="TV/SD" /><subcat id="5040" name="TV/HD" /><subcat id="5045" name="TV/UHD" /></category>
  </categories>
</caps>
"#,
        escaped(&indexer.title),
        indexer.limit_max,
        indexer.limit_default,
    )
}

fn searching(indexer: &Indexer) -> String {
    let yes_no = |available: bool| if available { "yes" } else { "no" };
    let imdbid = if indexer.imdbid { ",imdbid" } else { "" };
    let episodes = if indexer.season_and_episode { ",season,ep" } else { "" };
    format!(
        r#"  <searching>
    <search available="{}" supportedParams="q" />
    <tv-search available="{}" supportedParams="q{episodes}{imdbid}" />
    <movie-search available="{}" supportedParams="q{imdbid}" />
  </searching>
"#,
        yes_no(indexer.search),
        yes_no(indexer.tv_search),
        yes_no(indexer.movie_search),
    )
}
