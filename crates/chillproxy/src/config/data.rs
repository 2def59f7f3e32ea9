//! Where data lies.

use std::path::PathBuf;

use chill_db::DbUrl;

use super::Reader;

/// The data directory and the database.
#[derive(Clone, Debug)]
pub(crate) struct DataSection {
    /// Created when missing, mode 0700.
    pub dir: PathBuf,
    /// The control plane's database.
    pub database: DbUrl,
}

impl DataSection {
    /// Reads `CHILLPROXY_DATA_DIR` and `DATABASE_URL`.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let dir = PathBuf::from(reader.text("CHILLPROXY_DATA_DIR").unwrap_or("./data"));
        let database = match reader.text("DATABASE_URL").map(str::parse) {
            Some(Ok(url)) => url,
            given => {
                if given.is_some() {
                    reader.fault("DATABASE_URL", "this is neither sqlite://path nor postgres://user@host/database");
                }
                DbUrl::sqlite(dir.join("chillproxy.db"))
            }
        };
        Self { dir, database }
    }

    /// A file in the data directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}
