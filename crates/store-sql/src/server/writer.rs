//! The writer: what has queued up is written by a few tasks, together where that can be, and each is answered only after the
//! commit. It has a thread and a runtime to itself, so that what was queued is written however the program ends.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use enroll_store::{BoxError, StoreError};
use tokio::runtime::Builder;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinSet;

use super::link::LONG_PATIENCE;
use super::links::Links;
use super::shape::Shape;
use super::sizes::LARGEST;
use super::{batch, paid, unit};
use crate::address::ServerAddress;
use crate::database::{Access, Statement};

/// How many tasks write what can be written together, and how many write units in transactions of their own.
const TOGETHER: usize = 4;
const ALONE: usize = 8;

/// How many units may wait for each; whoever comes then waits to be queued.
const QUEUE: usize = 1024;

/// The thread that writes, and the queues before it.
pub(super) struct Writer {
    queues: Option<Queues>,
    thread: Option<JoinHandle<()>>,
}

struct Queues {
    together: mpsc::Sender<Job>,
    paid: mpsc::Sender<Job>,
    alone: mpsc::Sender<Job>,
}

/// A unit, and who waits for it.
pub(super) struct Job {
    pub(super) unit: Vec<Statement>,
    answer: oneshot::Sender<Result<u64, StoreError>>,
    queued_at: Instant,
}

impl Job {
    /// Refuses it where it has waited for so long that whoever wanted it has most likely gone: where a server hangs, those that wait
    /// would each hang after the other.
    fn in_time(self) -> Option<Self> {
        if self.queued_at.elapsed() < LONG_PATIENCE {
            return Some(self);
        }
        let late = format!("nothing was written: it waited {} s for its turn", LONG_PATIENCE.as_secs());
        let _gone = self.answer.send(Err(StoreError::backend(late)));
        None
    }
}

impl Writer {
    pub(super) fn start(address: ServerAddress) -> Result<Self, BoxError> {
        let links = Arc::new(Links::new(address, Access::ReadWrite, TOGETHER + paid::BATCHES + ALONE)?);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (together, to_write_together) = mpsc::channel(QUEUE);
        let (paid, to_write_paid) = mpsc::channel(QUEUE);
        let (alone, to_write_alone) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new().name("database-writer".to_owned());
        let written = run(links, to_write_together, to_write_paid, to_write_alone);
        let thread = thread.spawn(move || runtime.block_on(written))?;
        Ok(Self { queues: Some(Queues { together, paid, alone }), thread: Some(thread) })
    }

    /// Writes a unit; returns when it is committed, or undone, and says how many rows it touched. Once it is queued, a caller
    /// that goes away changes nothing.
    pub(super) async fn apply(&self, unit: Vec<Statement>) -> Result<u64, StoreError> {
        let ended = || StoreError::backend("the writer has ended");
        let (answer, answered) = oneshot::channel();
        let queues = self.queues.as_ref().ok_or_else(ended)?;
        let queue = match Shape::of(&unit) {
            Some(shape) if shape.is_paid() => &queues.paid,
            Some(_) => &queues.together,
            None => &queues.alone,
        };
        queue.send(Job { unit, answer, queued_at: Instant::now() }).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

/// Waits until all that was queued is written, or has waited for too long.
impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queues.take());
        if let Some(thread) = self.thread.take() {
            // It ends when the queues do; a panic in it has been reported by itself.
            let _ended = thread.join();
        }
    }
}

async fn run(
    links: Arc<Links>,
    together: mpsc::Receiver<Job>,
    paid: mpsc::Receiver<Job>,
    alone: mpsc::Receiver<Job>,
) {
    let (together, alone) = (Arc::new(Mutex::new(together)), Arc::new(Mutex::new(alone)));
    let mut tasks = JoinSet::new();
    for _ in 0..TOGETHER {
        tasks.spawn(write_together(links.clone(), together.clone()));
    }
    tasks.spawn(paid::write_all(links.clone(), paid));
    for _ in 0..ALONE {
        tasks.spawn(write_alone(links.clone(), alone.clone()));
    }
    while tasks.join_next().await.is_some() {}
}

async fn write_together(links: Arc<Links>, queue: Arc<Mutex<mpsc::Receiver<Job>>>) {
    let mut jobs = Vec::new();
    while queue.lock().await.recv_many(&mut jobs, LARGEST).await > 0 {
        write_batches(links.clone(), std::mem::take(&mut jobs)).await;
    }
}

/// Writes units, those together that can be, and answers each.
pub(super) async fn write_batches(links: Arc<Links>, mut jobs: Vec<Job>) {
    loop {
        jobs = jobs.into_iter().filter_map(Job::in_time).collect();
        if jobs.is_empty() {
            return;
        }
        let mut is_alike = alike(&jobs).into_iter();
        let (alike, others) = jobs.into_iter().partition(|_| is_alike.next().unwrap_or_default());
        jobs = others;
        write_alike(&links, alike).await;
    }
}

/// Which of them can be written together with the first, as it can itself.
fn alike(jobs: &[Job]) -> Vec<bool> {
    match jobs.first().and_then(|job| Shape::of(&job.unit)) {
        Some(mut shape) => jobs.iter().map(|job| shape.takes_in(&job.unit)).collect(),
        None => vec![true; jobs.len()],
    }
}

/// Writes units of the same shape, and answers each.
async fn write_alike(links: &Arc<Links>, jobs: Vec<Job>) {
    let (units, answers): (Vec<_>, Vec<_>) = jobs.into_iter().map(|job| (job.unit, job.answer)).unzip();
    for (answer, outcome) in answers.into_iter().zip(batch::write(links, &units).await) {
        // Who does not wait any more has gone away.
        let _gone = answer.send(outcome);
    }
}

async fn write_alone(links: Arc<Links>, queue: Arc<Mutex<mpsc::Receiver<Job>>>) {
    loop {
        let Some(job) = queue.lock().await.recv().await else { return };
        if let Some(Job { unit, answer, .. }) = job.in_time() {
            let _gone = answer.send(unit::write(&links, unit).await);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waited_for_too_long_is_refused_and_not_written() {
        let job = |queued_at| {
            let (answer, answered) = oneshot::channel();
            (Job { unit: Vec::new(), answer, queued_at }, answered)
        };
        let (fresh, _waits) = job(Instant::now());
        assert!(fresh.in_time().is_some());
        let (late, mut answered) = job(Instant::now().checked_sub(LONG_PATIENCE).unwrap());
        assert!(late.in_time().is_none());
        assert!(matches!(answered.try_recv(), Ok(Err(StoreError::Backend(_)))));
    }
}
