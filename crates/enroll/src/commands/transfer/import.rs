//! Reading an import: many lines at once, so that they share a commit, and told about in their order.

use std::collections::VecDeque;
use std::sync::Arc;

use enroll_registration::{Note, RegistrationError};
use enroll_store::StoreError;
use tokio::task::JoinHandle;

use super::input::Input;
use super::progress::Progress;
use crate::commands::say;
use crate::failure::{Failure, with_causes};

/// How many lines are on their way at once: as many as the store commits together.
const AT_ONCE: usize = 512;

/// Stores what a line says.
pub(in crate::commands) trait Taker: Send + Sync + 'static {
    /// What the line is about, if it says so: of two lines about the same thing the later one waits for the earlier.
    fn name(line: &str) -> Option<String>;

    fn take(&self, line: String) -> impl Future<Output = Result<Outcome, Obstacle>> + Send;
}

/// What became of a line.
#[derive(Debug)]
pub(in crate::commands) enum Outcome {
    /// It is stored, and this was decided otherwise than it says.
    Stored(Vec<Note>),
    /// It took the place of what was there.
    Replaced,
    /// It is there already.
    There,
    /// This import is not for its like.
    LeftOut,
}

/// What keeps a line out.
#[derive(Debug, thiserror::Error)]
pub(in crate::commands) enum Obstacle {
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    #[error("{0} is here, and differs; --replace puts what the line says in its place")]
    Differs(String),
    #[error("the client {0} was deleted here at {1}, and its identifier is not given again")]
    Deleted(String, String),
    #[error(
        "the client {0} was deleted where this was exported, and lives here: `enroll clients delete` deletes it here too"
    )]
    Lives(String),
    #[error(
        "a secret of the client {0} is sealed under another key than {1}: copy the key of the server that it comes from"
    )]
    Sealed(String, String),
    #[error(
        "the registration key {0} is sealed under another key than {1}: copy the key of the server that it comes from"
    )]
    SealedKey(String, String),
    #[error(transparent)]
    Refused(RegistrationError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How many lines became what.
#[derive(Default)]
struct Counts {
    stored: u64,
    replaced: u64,
    there: u64,
    left_out: u64,
    wrong: u64,
}

/// Takes every line. One that is wrong is told with its number, and the others go on; when the store fails, the rest is left
/// for another time. What is there already is passed over, so that the same import again goes on where one was cut off.
pub(in crate::commands) async fn import<T: Taker>(mut input: Input, taker: Arc<T>) -> Result<(), Failure> {
    let progress = Progress::of_reading(input.length);
    let (mut counts, mut under_way) = (Counts::default(), VecDeque::with_capacity(AT_ONCE));
    let ended = loop {
        let next = match input.next() {
            Ok(next) => next,
            Err(failure) => break Err(failure),
        };
        let Some((number, line)) = next else { break Ok(()) };
        let name = line.as_ref().ok().and_then(|line| T::name(line));
        while name.is_some() && under_way.iter().any(|own: &OneUnderWay| own.name == name) {
            counts.settle(&mut under_way, &progress).await?;
        }
        let taker = taker.clone();
        let outcome = tokio::spawn(async move {
            let line = line.map_err(|flaw| Obstacle::Unreadable(flaw.to_string()))?;
            taker.take(line).await
        });
        under_way.push_back(OneUnderWay { number, name, outcome });
        if under_way.len() >= AT_ONCE {
            counts.settle(&mut under_way, &progress).await?;
            progress.at(input.offset(), format!("{} lines", counts.all()));
        }
    };
    while !under_way.is_empty() {
        counts.settle(&mut under_way, &progress).await?;
    }
    drop(progress);
    say(counts.summary())?;
    ended?;
    match counts.wrong {
        0 => Ok(()),
        1 => Err(Failure::Refused("one line could not be imported".to_owned())),
        wrong => Err(Failure::Refused(format!("{wrong} lines could not be imported"))),
    }
}

/// A line that is being taken: its number, and what it is about.
struct OneUnderWay {
    number: u64,
    name: Option<String>,
    outcome: JoinHandle<Result<Outcome, Obstacle>>,
}

type UnderWay = VecDeque<OneUnderWay>;

impl Counts {
    /// Waits for the line that came first.
    async fn settle(&mut self, under_way: &mut UnderWay, progress: &Progress) -> Result<(), Failure> {
        let Some(OneUnderWay { number, outcome, .. }) = under_way.pop_front() else { return Ok(()) };
        match outcome.await.map_err(|error| Failure::world(&error))? {
            Ok(Outcome::Stored(notes)) => {
                self.stored += 1;
                for note in notes {
                    progress.tell(format_args!("line {number}: {}: {}", note.member, note.text));
                }
            }
            Ok(Outcome::Replaced) => self.replaced += 1,
            Ok(Outcome::There) => self.there += 1,
            Ok(Outcome::LeftOut) => self.left_out += 1,
            // What the store has no place for is about this line alone.
            Err(Obstacle::Store(error)) if !matches!(error, StoreError::Refused(_)) => {
                return Err(Failure::World(format!(
                    "line {number}: {}; what came before it is stored, and the same import again goes on from there",
                    with_causes(&error)
                )));
            }
            Err(obstacle) => {
                self.wrong += 1;
                progress.tell(format_args!("line {number}: {}", with_causes(&obstacle)));
            }
        }
        Ok(())
    }

    fn all(&self) -> u64 {
        self.stored + self.replaced + self.there + self.left_out + self.wrong
    }

    fn summary(&self) -> String {
        let Self { stored, replaced, there, left_out, wrong } = self;
        let replaced = if *replaced > 0 { format!("{replaced} replaced, ") } else { String::new() };
        let left_out = if *left_out > 0 { format!("{left_out} left out, ") } else { String::new() };
        format!("{stored} imported, {replaced}{there} were there already, {left_out}{wrong} failed")
    }
}
