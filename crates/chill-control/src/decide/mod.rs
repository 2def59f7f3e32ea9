//! Deciding leases: who asks, from which device, and which key serves him.
//!
//! A reading task takes all waiting requests together and answers from one read transaction whatever needs no write: refusals, and
//! known devices whose key still serves. What needs a place — a new device, a new key — goes to its writing task, which decides
//! up to 128 of them in one write transaction and answers after its commit: new devices of users who have room and a key the
//! short way ([`fresh`]), all others under the locks of users and pools ([`ground`]). The epoch is read before anything else in
//! either, so that no lease is newer than what it was decided on. A group of new devices of users who are remembered is decided
//! without a question: the statement that writes them asks whether the memory still held. On PostgreSQL there are two such pairs,
//! so that one group is prepared here while the other is stored there; each user belongs to one of them.
//!
//! Refuses: network calls. Start reading at [`Queue`]; `rules` holds what is allowed, `ground` what is read, `plan` what is
//! written.

mod fresh;
mod ground;
mod known_keys;
mod known_users;
mod plan;
mod rules;

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use chill_core::{ControlError, Lease, LeaseRequest};
use chill_db::DbError;
use tokio::sync::{mpsc, oneshot};

use crate::Actor;
use crate::control::{Core, unavailable};
use fresh::Fresh;
pub(crate) use known_keys::KnownKeys;
pub(crate) use known_users::KnownUsers;
use rules::Verdict;

/// Requests decided in one transaction.
const GROUP: usize = 128;
/// Requests that may wait for a task before others are told to come later.
const WAITING: usize = 4_096;
/// Reading tasks, each with a writing one, where the database is not in this process.
const PAIRS: usize = 2;

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
    readers: OnceLock<Vec<mpsc::Sender<Waiting>>>,
}

struct Waiting {
    ask: Request,
    answer: oneshot::Sender<Answer>,
}

/// What the writing task is given.
enum Job {
    Decide(Waiting, Option<Box<Fresh>>),
    /// A device that was seen; its row's id.
    Touch(String),
}

impl Queue {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core, readers: OnceLock::new() }
    }

    /// Decides one request, together with the others that wait.
    pub(crate) async fn decide(&self, ask: &LeaseRequest) -> Answer {
        let ask = Request { lease: ask.clone(), by: Actor::asking() };
        if !self.core.config.group_commit {
            return alone(&self.core, ask).await;
        }
        let readers = self.readers.get_or_init(|| start(&self.core));
        let mut hash = DefaultHasher::new();
        ask.lease.link.hash(&mut hash);
        let at = usize::try_from(hash.finish() % readers.len().max(1) as u64).unwrap_or(0);
        let (answer, decided) = oneshot::channel();
        let full = |_| ControlError::unavailable("too many requests wait for a decision");
        let reader = readers.get(at).ok_or_else(|| ControlError::unavailable("nobody decides"))?;
        reader.try_send(Waiting { ask, answer }).map_err(full)?;
        decided.await.unwrap_or_else(|_| Err(ControlError::unavailable("the decision was not made")))
    }
}

fn start(core: &Arc<Core>) -> Vec<mpsc::Sender<Waiting>> {
    let pair = |_| {
        let (jobs, given) = mpsc::channel(WAITING);
        drop(tokio::spawn(write_in_groups(core.clone(), given)));
        let (waiting, asked) = mpsc::channel(WAITING);
        drop(tokio::spawn(read_in_groups(core.clone(), asked, jobs)));
        waiting
    };
    (0..if core.db.one_writer() { 1 } else { PAIRS }).map(pair).collect()
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
                Verdict::Write(fresh) => {
                    if jobs.send(Job::Decide(waiting, fresh)).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

async fn write_in_groups(core: Arc<Core>, mut given: mpsc::Receiver<Job>) {
    let (mut jobs, mut later) = (Vec::with_capacity(GROUP), Vec::new());
    loop {
        jobs.append(&mut later);
        if jobs.is_empty() && given.recv_many(&mut jobs, GROUP).await == 0 {
            return;
        }
        while jobs.len() < GROUP
            && let Ok(job) = given.try_recv()
        {
            jobs.push(job);
        }
        let (mut quick, mut slow, mut seen, mut users) = (Vec::new(), Vec::new(), Vec::new(), HashSet::new());
        for job in jobs.drain(..) {
            match job {
                Job::Decide(one, _) if one.answer.is_closed() => {}
                // Its twin was stored since it was read.
                Job::Decide(one, Some(_)) if core.known_users.has(&one.ask.lease) => slow.push(one),
                Job::Decide(one, Some(fresh)) if users.insert(fresh.user) => quick.push((one, fresh)),
                // The second of a user counts on what the first changes.
                Job::Decide(one, Some(fresh)) => later.push(Job::Decide(one, Some(fresh))),
                Job::Decide(one, None) => slow.push(one),
                Job::Touch(row) => seen.push(row),
            }
        }
        if !quick.is_empty() {
            slow.extend(place(&core, quick).await);
        }
        if slow.is_empty() && seen.is_empty() {
            continue;
        }
        let asks: Vec<_> = slow.iter().map(|one| &one.ask).collect();
        let answers = core.write(&asks, seen).await;
        for (one, answer) in slow.into_iter().zip(answers) {
            let _ = one.answer.send(answer);
        }
    }
}

/// Writes new devices the short way and answers; returns whom that did not serve.
async fn place(core: &Core, quick: Vec<(Waiting, Box<Fresh>)>) -> Vec<Waiting> {
    let asks: Vec<_> = quick.iter().map(|(one, fresh)| (&one.ask.lease, fresh.as_ref())).collect();
    let placed = match core.write_fresh(&asks).await {
        Ok(placed) => placed,
        Err(error) => {
            // Another node may have stored one of the devices: under the locks each is decided by itself.
            tracing::debug!(%error, "new devices could not be stored together");
            HashMap::new()
        }
    };
    let mut others = Vec::new();
    for (one, mut fresh) in quick {
        if let Some(count) = placed.get(&fresh.user) {
            fresh.lease.device_count = *count;
            let _ = one.answer.send(Ok(fresh.lease));
        } else {
            others.push(one);
        }
    }
    others
}

/// One request in transactions of its own.
async fn alone(core: &Core, ask: Request) -> Answer {
    let lost = || Err(ControlError::unavailable("the decision was not made"));
    match core.read(&[&ask.lease]).await.pop() {
        Some(Verdict::Answer(answer, None)) => answer,
        Some(Verdict::Answer(answer, Some(row))) => {
            core.write(&[], vec![row]).await;
            answer
        }
        Some(Verdict::Write(fresh)) => {
            if let Some(mut fresh) = fresh
                && let Ok(placed) = core.write_fresh(&[(&ask.lease, &fresh)]).await
                && let Some(count) = placed.get(&fresh.user)
            {
                fresh.lease.device_count = *count;
                return Ok(fresh.lease);
            }
            core.write(&[&ask], Vec::new()).await.pop().unwrap_or_else(lost)
        }
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
