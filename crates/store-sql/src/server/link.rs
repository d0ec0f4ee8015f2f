//! One connection, whichever engine is at its other end. This and the two files of the engines are all that tells them
//! apart; what is done with connections does not.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, MySqlConnection, PgConnection,
};
use sqlx::{mysql::MySqlConnectOptions, postgres::PgConnectOptions};
use tokio::time::timeout;

use super::fault::Fault;
use super::{mysql, postgres};
use crate::address::ServerAddress;
use crate::database::{Access, Engine, Row, Value};

/// How long the server may take to answer a query, or to be connected to.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// How long it may take for a write: many records may go with their owner.
pub(super) const LONG_PATIENCE: Duration = Duration::from_secs(10);

/// How to connect.
pub(super) enum Options {
    Postgres(PgConnectOptions),
    MySql(MySqlConnectOptions),
}

impl Options {
    pub(super) fn read(address: &ServerAddress) -> sqlx::Result<Self> {
        match address.engine {
            Engine::MySql => mysql::options(address).map(Self::MySql),
            Engine::Postgres | Engine::Sqlite => postgres::options(address).map(Self::Postgres),
        }
    }
}

/// A connection. It is dropped, and so closed, whenever something was left unfinished on it.
pub(super) enum Link {
    Postgres(Box<PgConnection>),
    MySql(Box<MySqlConnection>),
}

impl Link {
    /// Connects within [`PATIENCE`]. `limit` is how long a statement may run.
    pub(super) async fn connect(
        options: &Options,
        access: Access,
        limit: Option<Duration>,
    ) -> Result<Self, Fault> {
        let connecting = async {
            let (mut link, greeting) = match options {
                Options::Postgres(options) => {
                    (Self::Postgres(Box::new(options.connect().await?)), postgres::greeting(access, limit))
                }
                Options::MySql(options) => {
                    (Self::MySql(Box::new(options.connect().await?)), mysql::greeting(access))
                }
            };
            for statement in greeting {
                let is_wish = statement == mysql::READ_ONLY;
                match link.tell(statement.into()).await {
                    Err(sqlx::Error::Database(_)) if is_wish => {}
                    told => told?,
                }
            }
            Ok(link)
        };
        match timeout(PATIENCE, connecting).await {
            Ok(connected) => connected.map_err(|error: sqlx::Error| Fault::Unreached(error.into())),
            Err(_) => Err(Fault::Unreached(format!("no connection within {} s", PATIENCE.as_secs()).into())),
        }
    }

    /// How many rows a statement with these values touched.
    pub(super) async fn execute(
        &mut self,
        sql: Arc<str>,
        values: impl Iterator<Item = &Value>,
        patience: Duration,
    ) -> Result<u64, Fault> {
        match self {
            Self::Postgres(connection) => {
                let values = postgres::arguments(values).map_err(Fault::Unfit)?;
                let done = sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **connection);
                within(patience, done).await?.map(|done| done.rows_affected()).map_err(postgres::fault)
            }
            Self::MySql(connection) => {
                let values = mysql::arguments(values).map_err(Fault::Unfit)?;
                let done = sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **connection);
                within(patience, done).await?.map(|done| done.rows_affected()).map_err(mysql::fault)
            }
        }
    }

    /// The rows of a query.
    pub(super) async fn fetch(
        &mut self,
        sql: Arc<str>,
        values: &[Value],
        patience: Duration,
    ) -> Result<Vec<Row>, Fault> {
        match self {
            Self::Postgres(connection) => {
                let values = postgres::arguments(values.iter()).map_err(Fault::Unfit)?;
                let rows = sqlx::query_with(AssertSqlSafe(sql), values).fetch_all(&mut **connection);
                let rows = within(patience, rows).await?.map_err(postgres::fault)?;
                rows.iter().map(postgres::row).collect::<Result<_, _>>().map_err(postgres::fault)
            }
            Self::MySql(connection) => {
                let values = mysql::arguments(values.iter()).map_err(Fault::Unfit)?;
                let rows = sqlx::query_with(AssertSqlSafe(sql), values).fetch_all(&mut **connection);
                let rows = within(patience, rows).await?.map_err(mysql::fault)?;
                rows.iter().map(mysql::row).collect::<Result<_, _>>().map_err(mysql::fault)
            }
        }
    }

    /// A statement without values that is not compiled: `BEGIN` and its like.
    pub(super) async fn order(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        patience: Duration,
    ) -> Result<(), Fault> {
        let is_postgres = matches!(self, Self::Postgres(_));
        let told = within(patience, self.tell(sql.into())).await?;
        told.map_err(if is_postgres { postgres::fault } else { mysql::fault })
    }

    async fn tell(&mut self, sql: Cow<'static, str>) -> sqlx::Result<()> {
        match self {
            Self::Postgres(connection) => {
                connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.map(drop)
            }
            Self::MySql(connection) => connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.map(drop),
        }
    }

    /// Whether the other end still answers.
    pub(super) async fn answers(&mut self) -> bool {
        let ping = async {
            match self {
                Self::Postgres(connection) => connection.ping().await,
                Self::MySql(connection) => connection.ping().await,
            }
        };
        matches!(timeout(Duration::from_secs(1), ping).await, Ok(Ok(())))
    }
}

async fn within<T>(patience: Duration, work: impl Future<Output = T>) -> Result<T, Fault> {
    let late = |_| Fault::Lost(format!("no answer within {} s", patience.as_secs()).into());
    timeout(patience, work).await.map_err(late)
}
