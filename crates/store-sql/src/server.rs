//! A database server, PostgreSQL or MySQL and what speaks as they do: connections for reading, and a writer that writes together
//! what has queued up.
//!
//! A server may be far away, be restarted, hang, or fail in the middle of a commit. So everything here ends within a bounded
//! time, and what may not have been written is never called written.

mod batch;
mod fault;
mod link;
mod links;
mod migrate;
mod mysql;
mod notices;
mod paid;
mod postgres;
mod shape;
mod sizes;
mod text;
mod unit;
mod writer;

use std::borrow::Cow;
use std::sync::Arc;

use enroll_store::{BoxError, StoreError};

use crate::address::ServerAddress;
use crate::database::{Access, Engine, OpenError, Row, Statement, Value};
use crate::migrate::{Plane, SchemaVersion, too_old};
use fault::Fault;
use links::Links;
pub(crate) use notices::Listener;
use writer::Writer;

/// How many queries run at the same time.
const READERS: usize = 12;

/// A database of a server.
pub(crate) struct Server {
    plane: Plane,
    readers: Arc<Links>,
    /// `None` when it was opened for reading alone.
    writer: Option<Writer>,
}

impl Server {
    pub(crate) async fn open(
        address: ServerAddress,
        plane: Plane,
        access: Access,
    ) -> Result<Self, OpenError> {
        let database = address.shown.clone();
        let failed = |source: BoxError| OpenError::Failed { database: database.clone(), source };
        let readers = Arc::new(Links::new(address.clone(), Access::ReadOnly, READERS).map_err(failed)?);
        let version = migrate::version(&readers, plane).await?;
        if version.found < version.known {
            match access {
                Access::ReadWrite => migrate::migrate(&address, plane).await?,
                Access::ReadOnly => return Err(failed(too_old(version).into())),
            }
        }
        let writer = match access {
            Access::ReadWrite => Some(Writer::start(address).map_err(failed)?),
            Access::ReadOnly => None,
        };
        Ok(Self { plane, readers, writer })
    }

    pub(crate) fn engine(&self) -> Engine {
        self.readers.address.engine
    }

    pub(crate) async fn schema(address: &ServerAddress, plane: Plane) -> Result<SchemaVersion, OpenError> {
        let links = Links::new(address.clone(), Access::ReadOnly, 1);
        let links = links.map_err(|source| OpenError::Failed { database: address.shown.clone(), source })?;
        migrate::version(&Arc::new(links), plane).await
    }

    pub(crate) async fn fetch(
        &self,
        sql: Cow<'static, str>,
        values: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        self.readers.fetch(sql, values).await.map_err(Fault::into_error)
    }

    /// Says how many rows the unit touched. Once it is queued, a caller that goes away changes nothing.
    pub(crate) async fn apply(&self, unit: Vec<Statement>) -> Result<u64, StoreError> {
        match &self.writer {
            _ if unit.is_empty() => Ok(0),
            Some(writer) => writer.apply(unit).await,
            None => Err(StoreError::backend("the database was opened for reading alone")),
        }
    }

    /// Tells the other nodes that the client of this key changed, where the engine carries the word.
    pub(crate) async fn tell(&self, client_key: &str) {
        if self.readers.address.engine == Engine::Postgres {
            notices::tell(&self.readers, client_key).await;
        }
    }

    /// Hears what other nodes tell, where the engine carries it.
    pub(crate) fn listen(&self, told: impl Fn(Option<&str>) + Send + Sync + 'static) -> Option<Listener> {
        let address = &self.readers.address;
        (address.engine == Engine::Postgres).then(|| notices::listen(address.clone(), told))
    }

    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        self.fetch(self.plane.ledger().read.into(), &[Value::Integer(1)]).await?;
        match &self.writer {
            Some(writer) => writer
                .apply(vec![Statement::new(self.plane.ledger().write, [Value::Integer(1)])])
                .await
                .map(drop),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
