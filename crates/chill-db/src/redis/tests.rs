use super::*;
use chill_core::rate::Scope;
use chill_core::{Chance, Secret};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use tokio::net::TcpSocket;

fn limits(user: u32, address: u32) -> Limits {
    Limits { user: Limit::of(user), address: Limit::of(address), edge: None }
}

/// A bucket no other test and no other run has.
fn user() -> Bucket {
    let name = Chance::System.bytes::<16>().unwrap().map(|byte| format!("{byte:02x}")).concat();
    Bucket::token(&Secret::new(name), None)
}

#[expect(clippy::disallowed_methods, reason = "the test run says where its server is")]
pub(super) fn server() -> RedisUrl {
    std::env::var("CHILL_TEST_REDIS_URL")
        .expect("CHILL_TEST_REDIS_URL is not set: run `cargo xtask test`, which starts a Redis server")
        .parse()
        .unwrap()
}

async fn allowed(rates: &SharedRates, buckets: &[Bucket], tries: usize) -> usize {
    let mut allowed = 0;
    for _ in 0..tries {
        allowed += usize::from(rates.take(buckets).await == Verdict::Allowed);
    }
    allowed
}

#[tokio::test]
async fn two_nodes_share_one_burst() {
    let (one, two) =
        (SharedRates::open(&server(), limits(1, 0)).unwrap(), SharedRates::open(&server(), limits(1, 0)).unwrap());
    let bucket = [user()];
    let started = std::time::Instant::now();
    let passed = allowed(&one, &bucket, 10).await + allowed(&two, &bucket, 10).await;
    let refilled = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
    assert!((2..=2 + refilled).contains(&passed), "{passed} of 20 with a burst of 2");
    assert_eq!(allowed(&two, &[user()], 2).await, 2, "another user is not concerned");
    assert!(one.is_there().await && two.is_there().await);
}

#[tokio::test]
async fn a_refusal_says_when_to_come_back_and_is_true() {
    let rates = SharedRates::open(&server(), limits(2, 0)).unwrap();
    let bucket = [user()];
    assert_eq!(allowed(&rates, &bucket, 4).await, 4);
    let Verdict::Refused { scope, retry_after } = rates.take(&bucket).await else { panic!("the bucket is empty") };
    assert_eq!(scope, Scope::User);
    assert!(retry_after <= Duration::from_millis(500) && !retry_after.is_zero(), "{retry_after:?}");
    tokio::time::sleep(retry_after + Duration::from_millis(5)).await;
    assert_eq!(rates.take(&bucket).await, Verdict::Allowed);
}

#[tokio::test]
async fn a_refused_user_takes_nothing_from_his_neighbours() {
    let rates = SharedRates::open(&server(), limits(1, 3)).unwrap();
    let home = Chance::System.bytes::<4>().unwrap();
    let address = Bucket::address(std::net::IpAddr::from(home), Some(&Secret::new("a test's own")));
    let (loud, quiet) = (user(), user());
    let _ = allowed(&rates, &[loud, address], 40).await;
    assert_eq!(rates.take(&[quiet, address]).await, Verdict::Allowed);
}

#[tokio::test]
async fn names_in_redis_are_digests_that_expire() {
    let rates = SharedRates::open(&server(), limits(10, 10)).unwrap();
    let link = "11111111-2222-4333-8444-555555555555".parse().unwrap();
    let buckets = [Bucket::link(link, None), Bucket::address("192.0.2.77".parse().unwrap(), None)];
    assert_eq!(rates.take(&buckets).await, Verdict::Allowed);
    let mut manager = rates.shared.manager.clone();
    for bucket in &buckets {
        let left: i64 = ::redis::cmd("PTTL").arg(name(bucket)).query_async(&mut manager).await.unwrap();
        assert!((1..=2_100).contains(&left), "{left} ms");
    }
    let names: Vec<String> = ::redis::cmd("KEYS").arg("*").query_async(&mut manager).await.unwrap();
    assert!(!names.iter().any(|name| name.contains("1111-") || name.contains("192.0.2")), "{names:?}");
}

/// A Redis of the test's own, that it may kill.
pub(super) struct Server {
    child: Option<Child>,
    /// Bound and not listened at: nobody else gets the port, and Redis may listen there.
    address: TcpSocket,
}

impl Server {
    pub(super) fn start() -> Self {
        let address = TcpSocket::new_v4().unwrap();
        address.set_reuseaddr(true).unwrap();
        address.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let mut server = Self { child: None, address };
        server.restart();
        server
    }

    pub(super) fn restart(&mut self) {
        let port = self.address.local_addr().unwrap().port().to_string();
        let words = ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        let child = Command::new("redis-server")
            .args(words)
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed by `cargo xtask test`");
        self.child = Some(child);
    }

    pub(super) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(super) fn url(&self) -> RedisUrl {
        format!("redis://{}", self.address.local_addr().unwrap()).parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}

pub(super) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let started = std::time::Instant::now();
    while !condition().await {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}: not within 20 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn without_redis_each_node_counts_alone_and_comes_back_by_itself() {
    let mut server = Server::start();
    let (one, two) = (
        SharedRates::open(&server.url(), limits(1, 0)).unwrap(),
        SharedRates::open(&server.url(), limits(1, 0)).unwrap(),
    );
    until("Redis answers", async || one.is_there().await && two.is_there().await).await;
    server.kill();
    let bucket = [user()];
    let started = std::time::Instant::now();
    assert_eq!(one.take(&bucket).await, Verdict::Allowed, "a lost Redis refuses nobody");
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(!one.is_there().await);
    let alone = allowed(&one, &bucket, 20).await;
    assert!((1..20).contains(&alone), "{alone} of 20 by a node that counts alone");
    assert_eq!(two.take(&bucket).await, Verdict::Allowed, "the other node knows nothing of it");
    server.restart();
    until("both nodes share again", async || one.is_there().await && two.is_there().await).await;
    let shared = [user()];
    let passed = allowed(&one, &shared, 10).await + allowed(&two, &shared, 10).await;
    assert!(passed < 10, "{passed} of 20 with a shared burst of 2");
}

#[tokio::test]
async fn what_is_not_redis_refuses_nobody() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: RedisUrl = format!("redis://{}", listener.local_addr().unwrap()).parse().unwrap();
    let rates = SharedRates::open(&url, limits(5, 0)).unwrap();
    let started = std::time::Instant::now();
    assert_eq!(allowed(&rates, &[user()], 10).await, 10, "a server that never answers costs one wait");
    assert!(started.elapsed() < PATIENCE * 3, "{:?}", started.elapsed());
}
