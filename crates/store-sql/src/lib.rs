//! Clients and tokens in one SQL database, the records of the authorization server in another.
//!
//! Each statement is written once, in `clients.rs`, `tokens.rs` and `records.rs`; `database.rs` alone knows which engine runs it.

mod address;
mod client_key;
mod clients;
mod database;
mod migrate;
mod records;
mod server;
mod sqlite;
mod tokens;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use enroll_store::StoreError;

pub use address::without_password;
use clients::KnownClients;
use database::Database;
pub use database::{Access, OpenError};
use migrate::Plane;
pub use migrate::SchemaVersion;
use server::Listener;

/// A store for clients and tokens, the configuration. Cloning it is cheap; all clones share the connections.
///
/// ```
/// use enroll_store_sql::{Access, SqlStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let url = format!("sqlite://{}", folder.path().join("configuration.db").display());
/// let store = SqlStore::open(&url, Access::ReadWrite).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqlStore {
    database: Arc<Database>,
    known: Arc<KnownClients>,
    _listener: Option<Arc<Listener>>,
}

impl SqlStore {
    /// Opens the database at `url`: `sqlite:///var/lib/enroll/configuration.db`, `postgres://…`, `mysql://…`. With
    /// [`Access::ReadWrite`] a file is made when it is not there, and the schema brought to the newest.
    pub async fn open(url: &str, access: Access) -> Result<Self, OpenError> {
        Database::open(url, Plane::Configuration, access).await.map(Self::of)
    }

    /// Opens an SQLite file.
    pub fn sqlite(path: &Path, access: Access) -> Result<Self, OpenError> {
        Database::sqlite(path, Plane::Configuration, access).map(Self::of)
    }

    fn of(database: Database) -> Self {
        Self {
            database: Arc::new(database),
            known: Arc::new(KnownClients::new(Duration::ZERO)),
            _listener: None,
        }
    }

    /// The same store, for a node that takes a client to be as it was read for this long at the most
    /// ([`ClientReader::recent_client`](enroll_store::ClientReader::recent_client)), and hears of changes by other nodes
    /// where the engine carries the word. A file is asked each time all the same, since that costs less.
    #[must_use]
    pub fn remembering(self, moment: Duration) -> Self {
        if !self.database.is_far() || moment.is_zero() {
            return self;
        }
        let known = Arc::new(KnownClients::new(moment));
        let told = known.clone();
        let listener = self.database.listen(move |key| match key {
            Some(key) => told.forget(key),
            None => told.forget_all(),
        });
        Self { known, _listener: listener.map(Arc::new), ..self }
    }

    /// Whether `url` names a database that this version can open, without opening it.
    pub fn check_url(url: &str) -> Result<(), OpenError> {
        Database::check_url(url)
    }

    /// The schema that the database has and the one that this version needs, without changing anything.
    pub async fn schema(url: &str) -> Result<SchemaVersion, OpenError> {
        Database::schema(url, Plane::Configuration).await
    }

    /// Whether the store can read, and write when it was opened for that: it does both, and changes nothing.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.database.ping().await
    }
}

/// A store for records, in a database of its own. Cloning it is cheap; all clones share the connections.
///
/// ```
/// use enroll_store_sql::{Access, SqlRecords};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let url = format!("sqlite://{}", folder.path().join("operational.db").display());
/// let records = SqlRecords::open(&url, Access::ReadWrite).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqlRecords {
    database: Arc<Database>,
}

impl SqlRecords {
    /// Opens the database at `url`: `sqlite:///var/lib/enroll/operational.db`, `postgres://…`, `mysql://…`. With
    /// [`Access::ReadWrite`] a file is made when it is not there, and the schema brought to the newest.
    pub async fn open(url: &str, access: Access) -> Result<Self, OpenError> {
        Ok(Self { database: Arc::new(Database::open(url, Plane::Operational, access).await?) })
    }

    /// Opens an SQLite file.
    pub fn sqlite(path: &Path, access: Access) -> Result<Self, OpenError> {
        Ok(Self { database: Arc::new(Database::sqlite(path, Plane::Operational, access)?) })
    }

    /// The schema that the database has and the one that this version needs, without changing anything.
    pub async fn schema(url: &str) -> Result<SchemaVersion, OpenError> {
        Database::schema(url, Plane::Operational).await
    }

    /// Whether the store can read, and write when it was opened for that: it does both, and changes nothing.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.database.ping().await
    }
}
