//! Clients that nobody uses are deleted, as their policies say: what is judged by `enroll_access::Retention` is looked for
//! here, and done.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use enroll_access::{Reason, Terms, Usage};
use enroll_oauth_types::{ClientId, Clock, Timestamp};
use enroll_provider::Activity;
use enroll_store::{
    Belongs, Client, ClientArchive, Page, RecordKind, RecordStore, StoreError, Tombstone, Write,
};
use tokio::time::MissedTickBehavior;

use crate::failure::with_causes;

/// How often all clients are looked at: as often as the shortest rule says, within these bounds.
const OFTEN: Duration = Duration::from_mins(1);
const SELDOM: Duration = Duration::from_hours(1);

/// How many are looked at between two rests, and how long a rest is: who registers or asks for tokens notices nothing.
const PAGE: u32 = 200;
const REST: Duration = Duration::from_millis(50);

/// Looks for clients that are not to be kept, and deletes them.
pub(crate) struct Reaper {
    pub(crate) clients: Arc<dyn ClientArchive>,
    pub(crate) records: Arc<dyn RecordStore>,
    pub(crate) activity: Arc<Activity>,
    /// The terms of every policy, by its name. A client of another one is kept.
    pub(crate) terms: HashMap<String, Arc<Terms>>,
    /// How long the identifiers of deleted clients are kept.
    pub(crate) tombstones: Option<Duration>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A client that is not to be kept.
pub(crate) struct Finding {
    pub(crate) client: Client,
    pub(crate) last_use: Option<Timestamp>,
    pub(crate) reason: Reason,
}

impl Reaper {
    /// The same for whoever may only read clients: it deletes none, and removes what was kept for those that others deleted.
    pub(crate) fn deleting_none(self) -> Self {
        Self { terms: HashMap::new(), tombstones: None, ..self }
    }

    /// Whether any policy lets its clients end.
    pub(crate) fn has_rules(&self) -> bool {
        self.terms.values().any(|terms| !terms.retention.is_for_ever())
    }

    /// Deletes what is not to be kept, for as long as the server runs.
    pub(crate) async fn keep_up(self) {
        let mut look = tokio::time::interval(self.pause());
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            if let Err(error) = self.round().await {
                tracing::error!("clients that nobody uses could not be deleted: {}", with_causes(&error));
            }
        }
    }

    /// How long it is until the next look: no client outstays its time by much.
    fn pause(&self) -> Duration {
        let shortest = self.terms.values().filter_map(|terms| terms.retention.shortest()).min();
        shortest.map_or(SELDOM, |shortest| shortest.clamp(OFTEN, SELDOM))
    }

    async fn round(&self) -> Result<(), StoreError> {
        if self.has_rules() {
            let mut after = None;
            while let Some(clients) = self.next_page(&mut after).await? {
                for client in clients {
                    if let Some(finding) = Box::pin(self.judge(client)).await? {
                        Box::pin(self.reap(&finding)).await?;
                    }
                }
                tokio::time::sleep(REST).await;
            }
        }
        // While it is known that they were deleted.
        self.remove_records_of_the_deleted().await?;
        self.forget_tombstones().await
    }

    /// The clients behind `after`, which is moved on; `None` when there are no more.
    pub(crate) async fn next_page(
        &self,
        after: &mut Option<ClientId>,
    ) -> Result<Option<Vec<Client>>, StoreError> {
        let clients = self.clients.list(Page { after: after.take(), limit: PAGE }).await?;
        *after = clients.last().map(|last| last.id.clone());
        Ok((!clients.is_empty()).then_some(clients))
    }

    /// Why the client is not to be kept, if that is so.
    pub(crate) async fn judge(&self, client: Client) -> Result<Option<Finding>, StoreError> {
        let now = self.clock.now();
        let Some(terms) = self.terms.get(&client.registered_by.policy) else { return Ok(None) };
        let retention = &terms.retention;
        if retention.is_for_ever() {
            return Ok(None);
        }
        let last = self.activity.last_use(&client.id).await?;
        let mut usage = Usage { noted_since: self.activity.since().await?, last, holds_something: false };
        // What takes longer to find out is looked at only where it matters.
        if retention.reason(&client, &usage, now).is_some() {
            usage.holds_something = self.holds_something(&client.id, now).await?;
        }
        let reason = retention.reason(&client, &usage, now);
        Ok(reason.map(|reason| Finding { client, last_use: last, reason }))
    }

    /// Whether something that was given to it still works.
    async fn holds_something(&self, client: &ClientId, now: Timestamp) -> Result<bool, StoreError> {
        let belongs_to = Belongs { client: Some(client.clone()), ..Belongs::default() };
        for kind in [RecordKind::Grant, RecordKind::RefreshToken, RecordKind::ReferenceToken] {
            let mut after = None;
            loop {
                let records = self.records.records(kind, &belongs_to, after.as_ref(), PAGE).await?;
                if records.iter().any(|record| !record.has_ended(now)) {
                    return Ok(true);
                }
                let Some(last) = records.last() else { break };
                after = Some(last.key);
            }
        }
        Ok(false)
    }

    /// Deletes the client, if it is still as it was found and still not to be kept, and all that was kept for it. Says
    /// whether it did.
    pub(crate) async fn reap(&self, finding: &Finding) -> Result<bool, StoreError> {
        let id = &finding.client.id;
        let Some(Finding { client, last_use, reason }) = self.judge(finding.client.clone()).await? else {
            return Ok(false); // it was used meanwhile
        };
        if !self.clients.retire(&client, self.clock.now()).await? {
            return Ok(false); // it was changed meanwhile
        }
        self.remove_records(id).await?;
        let last_use = last_use.map_or_else(|| "never".to_owned(), |last| last.seconds().to_string());
        let (reason, policy) = (reason.as_str(), &client.registered_by.policy);
        metrics::counter!("enroll_clients_reaped_total", "reason" => reason).increment(1);
        tracing::info!(client.id = %id.brief(), reason, policy, last_use, "deleted the client, which is not kept by its policy");
        Ok(true)
    }

    /// Removes what is kept for a client that is gone, a little in each write.
    async fn remove_records(&self, client: &ClientId) -> Result<(), StoreError> {
        let belongs_to = Belongs { client: Some(client.clone()), ..Belongs::default() };
        for kind in RecordKind::ALL {
            loop {
                let records = self.records.records(*kind, &belongs_to, None, PAGE).await?;
                let remove = |key| Write::Remove { kind: *kind, key, revision: None };
                let writes: Vec<_> = records.iter().map(|record| remove(record.key)).collect();
                if writes.is_empty() {
                    break;
                }
                self.records.apply(writes).await?;
            }
        }
        Ok(())
    }

    /// Those that were deleted longer ago than they are to be remembered, but for those that would come back.
    async fn forget_tombstones(&self) -> Result<(), StoreError> {
        let Some(kept) = self.tombstones else { return Ok(()) };
        let (now, mut after) = (self.clock.now(), None);
        loop {
            let tombstones = self.clients.tombstones(Page { after, limit: PAGE }).await?;
            let Some(last) = tombstones.last() else { return Ok(()) };
            after = Some(last.client_id.clone());
            let is_over = |own: &&Tombstone| own.deleted_at + kept <= now && !own.may_be_sealed();
            for tombstone in tombstones.iter().filter(is_over) {
                self.clients.forget(&tombstone.client_id).await?;
            }
            tokio::time::sleep(REST).await;
        }
    }

    /// A client that deletes itself does so in the other plane.
    async fn remove_records_of_the_deleted(&self) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let kind = RecordKind::ClientActivity;
            let records = self.records.records(kind, &Belongs::default(), after.as_ref(), PAGE).await?;
            let Some(last) = records.last() else { return Ok(()) };
            after = Some(last.key);
            for client in records.iter().filter_map(|record| record.belongs_to.client.as_ref()) {
                if self.clients.deleted_at(client).await?.is_some() {
                    self.remove_records(client).await?;
                }
            }
            tokio::time::sleep(REST).await;
        }
    }
}

#[cfg(test)]
mod tests;
