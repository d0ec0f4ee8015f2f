//! Word of a changed client, from node to node: `LISTEN` and `NOTIFY` of PostgreSQL. An engine that knows neither tells nobody,
//! and its nodes find out by asking.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::task::JoinHandle;

use super::links::Links;
use crate::address::ServerAddress;
use crate::database::Value;

/// What the nodes of one database listen to.
const CHANNEL: &str = "enroll_clients";

const NOTIFY: &str = "SELECT 1 FROM pg_notify(?, ?)";

/// After how long it is tried again to listen.
const AGAIN: Duration = Duration::from_secs(5);

/// A task that listens until this is dropped.
pub(crate) struct Listener(JoinHandle<()>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Tells every node that the client of this key changed. Where that fails they find out a moment later.
pub(super) async fn tell(links: &Arc<Links>, key: &str) {
    if let Err(fault) = links.fetch(NOTIFY.into(), &[Value::from(CHANNEL), Value::from(key)]).await {
        tracing::debug!("the other nodes were not told of a change: {}", fault.into_cause());
    }
}

/// Listens for ever: `told` hears the key of each client that changed, and nothing where any may have, since for a while
/// nobody listened.
pub(super) fn listen(
    address: ServerAddress,
    told: impl Fn(Option<&str>) + Send + Sync + 'static,
) -> Listener {
    Listener(tokio::spawn(async move {
        loop {
            let Err(error) = hear(&address, &told).await;
            tracing::debug!(
                "nothing is heard of changes by other nodes, which are asked for instead: {error}"
            );
            told(None);
            tokio::time::sleep(AGAIN).await;
        }
    }))
}

async fn hear(
    address: &ServerAddress,
    told: &(impl Fn(Option<&str>) + Sync),
) -> Result<Infallible, sqlx::Error> {
    let mut listener = PgListener::connect(address.url.as_str()).await?;
    listener.listen(CHANNEL).await?;
    told(None);
    loop {
        let notice = listener.try_recv().await?;
        told(notice.as_ref().map(sqlx::postgres::PgNotification::payload));
    }
}
