//! `enroll clients reap`: deletes the clients that their policies do not keep, or tells which those are.

use std::sync::Arc;

use enroll_provider::Activity;
use enroll_store_sql::Access;
use serde_json::json;

use crate::cli::Reap;
use crate::commands::{moment, say, say_row, tell};
use crate::config::Config;
use crate::failure::Failure;
use crate::retention::{Finding, Reaper};
use crate::service;

pub(super) async fn reap(options: &Reap) -> Result<(), Failure> {
    let config = Config::load(&options.place)?;
    let reaper = open(&config, options.dry_run).await?;
    if !reaper.has_rules() {
        let problem = "no policy has unused_after, idle_after or lifetime, so every client is kept";
        return Err(Failure::Refused(problem.to_owned()));
    }
    if reaper.activity.since().await?.is_none() {
        tell("No server has noted uses of clients yet, so only lifetimes count.");
    }
    if !options.json {
        say(row("CLIENT_ID", "POLICY", "REGISTERED", "LAST USE", "WHY", "NAME"))?;
    }
    let (mut seen, mut found, mut after) = (0_u64, 0_u64, None);
    while let Some(clients) = reaper.next_page(&mut after).await? {
        for client in clients {
            seen += 1;
            let Some(finding) = reaper.judge(client).await? else { continue };
            if options.dry_run || reaper.reap(&finding).await? {
                found += 1;
                say_one(&finding, options.json)?;
            }
        }
    }
    let done = if options.dry_run { "would be deleted" } else { "deleted" };
    let summary = format!("{found} of {seen} clients {done}");
    if options.json {
        tell(summary);
        return Ok(());
    }
    say(summary)
}

async fn open(config: &Config, reads_alone: bool) -> Result<Reaper, Failure> {
    let access = if reads_alone { Access::ReadOnly } else { Access::ReadWrite };
    let store = service::existing_store(config, access).await?;
    service::operational_must_exist(config).await?;
    let records = service::records(config, access).await?;
    let activity = Arc::new(Activity::new(Arc::new(records.clone())));
    service::reaper(config, store, records, activity)
}

fn say_one(finding: &Finding, as_json: bool) -> Result<(), Failure> {
    let Finding { client, last_use, reason } = finding;
    let name = client.metadata.client_name.as_ref().and_then(|name| name.untagged());
    let policy = &client.registered_by.policy;
    if as_json {
        return say(json!({
            "client_id": client.id, "client_name": name, "policy": policy,
            "client_id_issued_at": client.issued_at, "last_use": last_use, "reason": reason.as_str(),
        }));
    }
    let last_use = last_use.map_or_else(|| "never".to_owned(), moment);
    let (registered, name) = (moment(client.issued_at), name.map_or("", String::as_str));
    say_row(&row(client.id.as_str(), policy, &registered, &last_use, reason.as_str(), name))
}

fn row(id: &str, policy: &str, registered: &str, last_use: &str, why: &str, name: &str) -> String {
    format!("{id:<36}  {policy:<12}  {registered:<20}  {last_use:<20}  {why:<8}  {name}")
}
