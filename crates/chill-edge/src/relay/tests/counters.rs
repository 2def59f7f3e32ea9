//! The numbers an operator watches.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use chill_sim::{CdnFault, CdnFaultRule};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use super::stage::Stage;

#[derive(Default)]
struct Noted(Mutex<HashMap<String, Arc<AtomicU64>>>);

impl Noted {
    fn cell(&self, key: &Key) -> Arc<AtomicU64> {
        self.0.lock().unwrap().entry(key.name().to_owned()).or_default().clone()
    }

    fn count(&self, name: &'static str) -> u64 {
        self.cell(&Key::from_static_name(name)).load(Ordering::SeqCst)
    }
}

impl Recorder for Noted {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[test]
fn bytes_breaks_and_requests_are_counted() {
    let noted = Noted::default();
    // One thread, so that the recorder of this thread sees everything.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&noted, || runtime.block_on(played(&noted)));
    assert_eq!(f64::from_bits(noted.count("chillproxy_relay_open")), 0.0);
}

async fn played(noted: &Noted) {
    let stage = Stage::of_size(500_000).await;
    stage.world.cdn().fault(CdnFault::CutAt { bytes: 200_000 }, 1);
    assert!(stage.get(&[]).await.whole);
    assert_eq!(noted.count("chillproxy_relay_bytes_total"), 500_000);
    assert_eq!(noted.count("chillproxy_relay_resumes_total"), 1);
    assert_eq!(noted.count("chillproxy_relay_broken_total"), 0);

    stage.world.cdn().add_fault(CdnFaultRule::new(CdnFault::CutAt { bytes: 1_000 }));
    assert!(!stage.get(&[]).await.whole);
    assert_eq!(noted.count("chillproxy_relay_bytes_total"), 506_000);
    assert_eq!(noted.count("chillproxy_relay_broken_total"), 1);
}
