//! The library of known torrents as the edge sees it.

use async_trait::async_trait;
use chill_core::{Clock, ContentId, Found, InfoHash, KnownFile, KnownTorrent, Library, LibraryError, Listed};

use crate::{Db, DbError};

/// Known torrents in the database.
#[derive(Clone, Debug)]
pub struct TorrentLibrary {
    db: Db,
    clock: Clock,
}

impl TorrentLibrary {
    /// A library in a migrated database.
    #[must_use]
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }
}

impl From<DbError> for LibraryError {
    fn from(error: DbError) -> Self {
        Self(error.to_string())
    }
}

#[async_trait]
impl Library for TorrentLibrary {
    async fn find(&self, content: &ContentId) -> Result<Vec<KnownTorrent>, LibraryError> {
        let mut tx = self.db.read().await?;
        Ok(tx.known_find(content).await?)
    }

    async fn remember(&self, content: &ContentId, found: &[Found]) -> Result<(), LibraryError> {
        let mut tx = self.db.write().await?;
        tx.known_remember(content, found, self.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    async fn call(&self, content: &ContentId, names: &[String]) -> Result<(), LibraryError> {
        let mut tx = self.db.write().await?;
        tx.known_call(content.work().as_ref(), names, self.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    async fn newest(&self, limit: usize) -> Result<Vec<Listed>, LibraryError> {
        Ok(self.db.read().await?.known_newest(limit).await?)
    }

    async fn of_work(&self, work: &str) -> Result<Vec<Listed>, LibraryError> {
        Ok(self.db.read().await?.known_of_work(work).await?)
    }

    async fn called(&self, name: &str) -> Result<Vec<String>, LibraryError> {
        Ok(self.db.read().await?.known_called(name).await?)
    }

    async fn remember_files(&self, hash: &InfoHash, files: &[KnownFile]) -> Result<(), LibraryError> {
        let mut tx = self.db.write().await?;
        tx.known_remember_files(hash, files, self.clock.now()).await?;
        Ok(tx.commit().await?)
    }
}
