//! Connections, made when none is idle. We keep them ourselves: a pool that asks after each use whether a connection still
//! works doubles the way of every statement.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use enroll_store::BoxError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::fault::Fault;
use super::link::{LONG_PATIENCE, Link, Options, PATIENCE};
use super::text::Texts;
use crate::address::ServerAddress;
use crate::database::{Access, Row, Value};

/// After how long in idleness a connection is asked whether it works, and after how long it is not used any more.
const DOUBTED: Duration = Duration::from_secs(2);
const OLD: Duration = Duration::from_mins(5);

/// The connections for one purpose.
pub(super) struct Links {
    options: Options,
    access: Access,
    pub(super) address: ServerAddress,
    pub(super) texts: Texts,
    idle: Mutex<Vec<(Link, Instant)>>,
    turns: Arc<Semaphore>,
}

impl Links {
    /// At most so many at the same time.
    pub(super) fn new(address: ServerAddress, access: Access, most: usize) -> Result<Self, BoxError> {
        Ok(Self {
            options: Options::read(&address)?,
            access,
            texts: Texts::of(address.engine),
            address,
            idle: Mutex::default(),
            turns: Arc::new(Semaphore::new(most)),
        })
    }

    /// A connection, one that was used before when there is one.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Held, Fault> {
        let turn = self.turn().await?;
        while let Some((mut link, since)) = self.next_idle() {
            let idle = since.elapsed();
            if idle >= OLD {
                continue;
            }
            if idle < DOUBTED || link.answers().await {
                return Ok(Held { link, was_used: true, links: self.clone(), _turn: turn });
            }
            // What keeps it from answering is at the other end of the others too, and each would be waited for.
            self.idle().clear();
        }
        self.connect(turn).await
    }

    /// A connection that nobody used before: whatever broke the others, this is not one of them.
    pub(super) async fn take_new(self: &Arc<Self>) -> Result<Held, Fault> {
        let turn = self.turn().await?;
        self.connect(turn).await
    }

    /// A connection on which a statement may run as long as it takes.
    pub(super) async fn take_patient(self: &Arc<Self>) -> Result<Held, Fault> {
        let turn = self.turn().await?;
        let link = Link::connect(&self.options, self.access, None).await?;
        Ok(Held { link, was_used: false, links: self.clone(), _turn: turn })
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Fault> {
        match timeout(PATIENCE, self.turns.clone().acquire_owned()).await {
            Ok(turn) => turn.map_err(|closed| Fault::Unreached(closed.into())),
            Err(_) => Err(Fault::Unreached("all connections to the database are busy".into())),
        }
    }

    async fn connect(self: &Arc<Self>, turn: OwnedSemaphorePermit) -> Result<Held, Fault> {
        let link = Link::connect(&self.options, self.access, Some(LONG_PATIENCE)).await?;
        Ok(Held { link, was_used: false, links: self.clone(), _turn: turn })
    }

    fn next_idle(&self) -> Option<(Link, Instant)> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Link, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a query, and once more when it was the connection that failed it: who reads changes nothing by asking again.
    pub(super) async fn fetch(
        self: &Arc<Self>,
        sql: Cow<'static, str>,
        values: &[Value],
    ) -> Result<Vec<Row>, Fault> {
        let begin = Instant::now();
        let mut held = self.take().await?;
        let text = self.texts.get(sql, 1);
        let mut rows = held.link.fetch(text.clone(), values, PATIENCE).await;
        if matches!(rows, Err(Fault::Lost(_))) && held.was_used && begin.elapsed() < PATIENCE {
            // Its turn is given back first, lest all wait for each other's.
            drop(held);
            held = self.take_new().await?;
            rows = held.link.fetch(text.clone(), values, PATIENCE).await;
        }
        if matches!(rows, Err(Fault::Again(_))) {
            rows = held.link.fetch(text, values, PATIENCE).await;
        }
        if rows.as_ref().err().is_none_or(Fault::leaves_the_link) {
            held.give_back();
        }
        rows
    }
}

/// A connection in use. It is closed when it is not given back, which is what becomes of it when whoever uses it goes away.
pub(super) struct Held {
    pub(super) link: Link,
    /// Whether others used it before, so that it may have broken in the meantime.
    pub(super) was_used: bool,
    links: Arc<Links>,
    _turn: OwnedSemaphorePermit,
}

impl Held {
    /// Nothing is under way on it.
    pub(super) fn give_back(self) {
        self.links.idle().push((self.link, Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use enroll_throwaway::{Engine, Throwaway};

    use super::*;
    use crate::server::tests::place;

    const IDLE: usize = 12;

    #[tokio::test]
    #[ignore = "needs PostgreSQL, MariaDB: cargo xtask test starts one"]
    async fn where_one_idle_connection_does_not_answer_the_others_are_not_waited_for() {
        for engine in [Engine::Postgres, Engine::MariaDb] {
            let server = Throwaway::start(engine).unwrap();
            let links = place::links(&server.url());
            let mut held = Vec::new();
            for _ in 0..IDLE {
                held.push(links.take().await.unwrap());
            }
            let since = Instant::now().checked_sub(DOUBTED).unwrap();
            links.idle().extend(held.into_iter().map(|held| (held.link, since)));
            server.pause().unwrap();
            let begin = Instant::now();
            assert!(matches!(links.take().await, Err(Fault::Unreached(_))));
            server.resume().unwrap();
            assert!(begin.elapsed() < PATIENCE + Duration::from_secs(4), "{:?}", begin.elapsed());
        }
    }
}
