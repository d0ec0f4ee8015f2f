//! `enroll records`: moves what the authorization server keeps to another database, as it is.

use std::path::Path;
use std::sync::Arc;

use enroll_oauth_types::{ClientId, Clock as _, SecretHash, SystemClock, Timestamp};
use enroll_store::{Belongs, Record, RecordKind, RecordStore, StoreError, Write};
use enroll_store_sql::{Access, SqlRecords};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::transfer::{self, Destination, Input, Obstacle, Outcome, PAGE, Page, Source, Taker};
use crate::cli::{Output, Place, Records};
use crate::config::Config;
use crate::failure::Failure;
use crate::service;

/// How often a change is tried again when somebody else was quicker.
const ATTEMPTS: u32 = 5;

pub(super) async fn run(command: Records) -> Result<(), Failure> {
    match command {
        Records::Export { output, place } => export(&output, &place).await,
        Records::Import { file, replace, place } => import(&file, replace, &place).await,
    }
}

async fn export(output: &Output, place: &Place) -> Result<(), Failure> {
    let config = Config::load(place)?;
    service::operational_must_exist(&config).await?;
    let records = service::records(&config, Access::ReadOnly).await?;
    let key = service::present_sealing_key(&config)?;
    let destination = Destination::open(output)?;
    transfer::export(&Everything { records, now: SystemClock.now() }, key.as_ref(), destination).await
}

async fn import(file: &Path, replace: bool, place: &Place) -> Result<(), Failure> {
    let config = Config::load(place)?;
    let input = Input::open(file, Everything::WHAT)?;
    let Some(header) = &input.header else {
        let problem = "this is not what `enroll records export` wrote: its first line says nothing of it";
        return Err(Failure::Refused(problem.to_owned()));
    };
    transfer::must_have_the_same_key(header, service::present_sealing_key(&config)?.as_ref(), &config)?;
    let records = service::records(&config, Access::ReadWrite).await?;
    transfer::import(input, Arc::new(Keeper { records, replace, now: SystemClock.now() })).await
}

/// A line.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kind: String,
    key: SecretHash,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<ClientId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    family: Option<String>,
    issued_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    document: Box<RawValue>,
}

impl From<Record> for Entry {
    fn from(record: Record) -> Self {
        let Record { kind, key, belongs_to, issued_at, expires_at, document, .. } = record;
        let Belongs { client, subject, session, family } = belongs_to;
        let kind = kind.as_str().to_owned();
        Self { kind, key, client, subject, session, family, issued_at, expires_at, document }
    }
}

impl Entry {
    fn record(self) -> Result<Record, Obstacle> {
        let Self { kind, key, client, subject, session, family, issued_at, expires_at, document } = self;
        let kind = RecordKind::from_name(&kind).ok_or_else(|| {
            Obstacle::Unreadable(format!("this version knows no record of the kind `{kind}`"))
        })?;
        let belongs_to = Belongs { client, subject, session, family };
        Ok(Record { kind, key, revision: 1, belongs_to, issued_at, expires_at, document })
    }
}

/// The operational plane, but for what is over.
struct Everything {
    records: SqlRecords,
    now: Timestamp,
}

impl Source for Everything {
    const WHAT: &'static str = "records";
    const PARTS: usize = RecordKind::ALL.len();

    async fn page(&self, part: usize, after: Option<&str>) -> Result<Page, Failure> {
        let after = after.and_then(SecretHash::from_text);
        let records =
            self.records.records(RecordKind::ALL[part], &Belongs::default(), after.as_ref(), PAGE).await?;
        let last = records.last().map(|record| record.key.to_text());
        let lasting = records.into_iter().filter(|record| !record.has_ended(self.now));
        let line = |record| serde_json::to_string(&Entry::from(record));
        let lines = lasting.map(line).collect::<Result<Vec<_>, _>>();
        Ok(Page { lines: lines.map_err(|error| Failure::world(&error))?, last })
    }

    fn place_of(&self, line: &str) -> Option<(usize, String)> {
        let Entry { kind, key, .. } = serde_json::from_str(line).ok()?;
        let part = RecordKind::ALL.iter().position(|own| own.as_str() == kind)?;
        Some((part, key.to_text()))
    }
}

/// Stores records.
struct Keeper<Store> {
    records: Store,
    /// Whether what is here and differs gives way.
    replace: bool,
    now: Timestamp,
}

impl<Store: RecordStore> Taker for Keeper<Store> {
    fn name(line: &str) -> Option<String> {
        #[derive(Deserialize)]
        struct Named<'a> {
            kind: &'a str,
            key: &'a str,
        }
        let Named { kind, key } = serde_json::from_str(line).ok()?;
        Some(format!("{kind} {key}"))
    }

    async fn take(&self, line: String) -> Result<Outcome, Obstacle> {
        let entry: Entry =
            serde_json::from_str(&line).map_err(|error| Obstacle::Unreadable(error.to_string()))?;
        let record = entry.record()?;
        if record.has_ended(self.now) {
            return Ok(Outcome::LeftOut);
        }
        for _ in 0..ATTEMPTS {
            let here = self.records.record(record.kind, &record.key).await?;
            let revision = here.as_ref().map_or(1, |here| here.revision);
            let next = Record { revision, ..record.clone() };
            let (writes, outcome) = match here {
                None => (vec![Write::Insert(next)], Outcome::Stored(Vec::new())),
                Some(here) if here == next => return Ok(Outcome::There),
                Some(here) if self.replace => (in_the_place_of(&here, next), Outcome::Replaced),
                Some(_) => {
                    let (kind, key) = (record.kind.as_str(), record.key.to_text());
                    return Err(Obstacle::Differs(format!("the {kind} {key}")));
                }
            };
            match self.records.apply(writes).await {
                Ok(()) => return Ok(outcome),
                Err(StoreError::Duplicate | StoreError::Conflict) => {} // somebody was quicker: look again
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }
}

/// What puts `next` where `here` is. To replace a record leaves it whose it was, and the subject of a user stands nowhere else.
fn in_the_place_of(here: &Record, next: Record) -> Vec<Write> {
    if here.belongs_to == next.belongs_to {
        return vec![Write::Replace(next)];
    }
    let taken = Write::Remove { kind: here.kind, key: here.key, revision: Some(here.revision) };
    vec![taken, Write::Insert(next)]
}

#[cfg(test)]
mod tests {
    use enroll_store::MemoryRecords;

    use super::*;

    const LINE: &str = r#"{"kind":"user","key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","subject":"alice","issued_at":1,"expires_at":10,"document":{"a":1.50}}"#;

    fn keeper(now: u64, replace: bool) -> Keeper<MemoryRecords> {
        Keeper { records: MemoryRecords::default(), replace, now: Timestamp(now) }
    }

    async fn taken(keeper: &Keeper<MemoryRecords>, line: &str) -> String {
        format!("{:?}", keeper.take(line.to_owned()).await)
    }

    #[tokio::test]
    async fn a_record_is_stored_once_and_comes_back_as_it_was() {
        let keeper = keeper(9, false);
        assert!(taken(&keeper, LINE).await.contains("Stored"));
        assert!(taken(&keeper, LINE).await.contains("There"));
        let changed = LINE.replace("1.50", "2");
        assert!(taken(&keeper, &changed).await.contains("Differs"));
        let stored = keeper.records.records(RecordKind::User, &Belongs::default(), None, 9).await.unwrap();
        assert_eq!(serde_json::to_string(&Entry::from(stored[0].clone())).unwrap(), LINE);
        let keeper = Keeper { replace: true, ..keeper };
        assert!(taken(&keeper, &changed).await.contains("Replaced"));
        assert!(taken(&keeper, &changed).await.contains("There"));
    }

    #[tokio::test]
    async fn what_takes_the_place_of_somebody_elses_belongs_to_whom_the_line_says() {
        let keeper = keeper(9, true);
        assert!(taken(&keeper, LINE).await.contains("Stored"));
        let others = LINE.replace("alice", "bob");
        assert!(taken(&keeper, &others).await.contains("Replaced"));
        assert!(taken(&keeper, &others).await.contains("There"));
        let stored = keeper.records.records(RecordKind::User, &Belongs::default(), None, 9).await.unwrap();
        let lines: Vec<_> = stored.into_iter().map(Entry::from).collect();
        assert_eq!(serde_json::to_string(&lines).unwrap(), format!("[{others}]"));
    }

    #[tokio::test]
    async fn what_is_over_at_its_second_is_left_out() {
        assert!(taken(&keeper(9, false), LINE).await.contains("Stored"));
        assert!(taken(&keeper(10, false), LINE).await.contains("LeftOut"));
    }

    #[tokio::test]
    async fn what_this_version_does_not_know_is_told() {
        for line in [LINE.replace("user", "spell"), LINE.replace("\"subject\"", "\"sbject\""), "{".to_owned()]
        {
            assert!(taken(&keeper(9, false), &line).await.contains("Unreadable"), "{line}");
        }
    }
}
