//! Deciding leases: who asks, from which device, and which key serves him.
//!
//! Two tasks share the work. The first takes all waiting requests together and answers from one read transaction whatever
//! needs no write: refusals, and known devices whose key still serves. What needs a place — a new device, a new key — goes to
//! the second, which decides up to 128 of them in one write transaction and answers after its commit. The epoch is read
//! before anything else in either, so that no lease is newer than what it was decided on.
//!
//! Refuses: network calls. Start reading at [`Queue`]; `rules` holds what is allowed, `ground` what is read, `plan` what is
//! written.

mod ground;
mod plan;
mod rules;

use std::sync::{Arc, OnceLock};

use chill_core::{ControlError, Lease, LeaseRequest};
use chill_db::DbError;
use tokio::sync::{mpsc, oneshot};

use crate::Actor;
use crate::control::{Core, unavailable};
use rules::Verdict;

/// Requests decided in one transaction.
const GROUP: usize = 128;
/// Requests that may wait before others are told to come later.
const WAITING: usize = 4_096;

type Answer = Result<Lease, ControlError>;

/// A request, and who brought it, for the audit trail.
struct Request {
    lease: LeaseRequest,
    by: Arc<Actor>,
}

/// The waiting requests, and the tasks that decide them.
pub(crate) struct Queue {
    core: Arc<Core>,
    /// Started by the first request, since only then a runtime is sure to be there.
    waiting: OnceLock<mpsc::Sender<Waiting>>,
}

struct Waiting {
    ask: Request,
    answer: oneshot::Sender<Answer>,
}

/// What the writing task is given.
enum Job {
    Decide(Waiting),
    /// A device that was seen; its row's id.
    Touch(String),
}

impl Queue {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core, waiting: OnceLock::new() }
    }

    /// Decides one request, together with the others that wait.
    pub(crate) async fn decide(&self, ask: &LeaseRequest) -> Answer {
        let ask = Request { lease: ask.clone(), by: Actor::asking() };
        if !self.core.config.group_commit {
            return alone(&self.core, &ask).await;
        }
        let waiting = self.waiting.get_or_init(|| start(&self.core));
        let (answer, decided) = oneshot::channel();
        let full = |_| ControlError::unavailable("too many requests wait for a decision");
        waiting.try_send(Waiting { ask, answer }).map_err(full)?;
        decided.await.unwrap_or_else(|_| Err(ControlError::unavailable("the decision was not made")))
    }
}

fn start(core: &Arc<Core>) -> mpsc::Sender<Waiting> {
    let (waiting, asked) = mpsc::channel(WAITING);
    let (jobs, given) = mpsc::channel(WAITING);
    drop(tokio::spawn(read_in_groups(core.clone(), asked, jobs)));
    drop(tokio::spawn(write_in_groups(core.clone(), given)));
    waiting
}

async fn read_in_groups(core: Arc<Core>, mut asked: mpsc::Receiver<Waiting>, jobs: mpsc::Sender<Job>) {
    let mut group = Vec::with_capacity(GROUP);
    while asked.recv_many(&mut group, GROUP).await > 0 {
        group.retain(|waiting| !waiting.answer.is_closed());
        let asks: Vec<_> = group.iter().map(|waiting| &waiting.ask.lease).collect();
        let verdicts = core.read(&asks).await;
        for (waiting, verdict) in group.drain(..).zip(verdicts) {
            match verdict {
                Verdict::Answer(answer, seen) => {
                    let _ = waiting.answer.send(answer);
                    // A sight that is lost here is seen again at the next request.
                    if let Some(row) = seen {
                        let _ = jobs.try_send(Job::Touch(row));
                    }
                }
                Verdict::Write => {
                    if jobs.send(Job::Decide(waiting)).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

async fn write_in_groups(core: Arc<Core>, mut given: mpsc::Receiver<Job>) {
    let mut jobs = Vec::with_capacity(GROUP);
    while given.recv_many(&mut jobs, GROUP).await > 0 {
        let (mut waiting, mut seen) = (Vec::new(), Vec::new());
        for job in jobs.drain(..) {
            match job {
                Job::Decide(one) if !one.answer.is_closed() => waiting.push(one),
                Job::Decide(_) => {}
                Job::Touch(row) => seen.push(row),
            }
        }
        let asks: Vec<_> = waiting.iter().map(|one| &one.ask).collect();
        let answers = core.write(&asks, seen).await;
        for (one, answer) in waiting.into_iter().zip(answers) {
            let _ = one.answer.send(answer);
        }
    }
}

/// One request in transactions of its own.
async fn alone(core: &Core, ask: &Request) -> Answer {
    let lost = || Err(ControlError::unavailable("the decision was not made"));
    match core.read(&[&ask.lease]).await.pop() {
        Some(Verdict::Answer(answer, None)) => answer,
        Some(Verdict::Answer(answer, Some(row))) => {
            core.write(&[], vec![row]).await;
            answer
        }
        Some(Verdict::Write) => core.write(&[ask], Vec::new()).await.pop().unwrap_or_else(lost),
        None => lost(),
    }
}

impl Core {
    /// Verdicts in the order of the requests, from one read transaction.
    async fn read(&self, asks: &[&LeaseRequest]) -> Vec<Verdict> {
        match self.try_read(asks).await {
            Ok(verdicts) => verdicts,
            Err(error) if asks.len() == 1 || error.is_unavailable() => {
                log(&error);
                asks.iter().map(|_| Verdict::Answer(Err(unavailable(&error)), None)).collect()
            }
            Err(_) => {
                // One row that cannot be read must not refuse the others.
                let mut verdicts = Vec::with_capacity(asks.len());
                for ask in asks {
                    verdicts.extend(Box::pin(self.read(&[ask])).await);
                }
                verdicts
            }
        }
    }

    /// Answers in the order of the requests, from one write transaction. `seen` devices are noted along the way.
    async fn write(&self, asks: &[&Request], seen: Vec<String>) -> Vec<Answer> {
        match self.try_write(asks, seen).await {
            Ok(answers) => answers,
            Err(error) if asks.len() <= 1 || error.is_unavailable() => {
                log(&error);
                asks.iter().map(|_| Err(unavailable(&error))).collect()
            }
            Err(_) => {
                let mut answers = Vec::with_capacity(asks.len());
                for ask in asks {
                    answers.extend(Box::pin(self.write(&[ask], Vec::new())).await);
                }
                answers
            }
        }
    }
}

fn log(error: &DbError) {
    tracing::warn!(%error, "leases could not be decided");
}
