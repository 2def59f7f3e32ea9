//! The audit trail is only added to, and whatever is done to it by other means is found.

use sqlx::{AssertSqlSafe, raw_sql};

use super::NOW;
use crate::engine::Open;
use crate::trial::{self, Trial};
use crate::{AuditEntry, AuditFault, Options, Tx};

const DAY: i64 = 86_400_000;

fn entry(n: i64, at: i64) -> AuditEntry {
    AuditEntry {
        id: format!("id-{n:04}"),
        at,
        actor: "cli".to_owned(),
        actor_from: "root@host".to_owned(),
        act: "user.add".to_owned(),
        subject_kind: "user".to_owned(),
        subject_id: format!("user-{n}"),
        subject_name: "Änne \"the\" \\ first".to_owned(),
        detail: (n % 2 == 0).then(|| "max_devices=3".to_owned()),
    }
}

/// Nine acts, three on each of three days.
async fn nine(trial: &Trial) {
    for day in 0..3 {
        let mut tx = trial.db.write().await.unwrap();
        let acts: Vec<_> = (1..=3).map(|n| entry(day * 3 + n, NOW + day * DAY)).collect();
        tx.audit(&acts).await.unwrap();
        tx.commit().await.unwrap();
    }
}

async fn raw(tx: &mut Tx, sql: &str) -> Result<(), sqlx::Error> {
    match &mut tx.open {
        Open::Sqlite(tx) => raw_sql(AssertSqlSafe(sql)).execute(&mut **tx).await.map(|_| ()),
        Open::Postgres(tx) => raw_sql(AssertSqlSafe(sql)).execute(tx.connection()).await.map(|_| ()),
    }
}

/// What somebody does who may write to the database and knows of the triggers.
async fn unguarded(tx: &mut Tx) {
    let on = if tx.db.engine() == "postgres" { " ON audit" } else { "" };
    for trigger in ["audit_never_changes", "audit_never_goes"] {
        raw(tx, &format!("DROP TRIGGER {trigger}{on}")).await.unwrap();
    }
}

#[tokio::test]
async fn a_trail_that_was_left_alone_is_whole() {
    trial::both(async |trial| {
        assert_eq!(trial.db.audit_verify().await.unwrap().broken, None, "an empty one too");
        nine(trial).await;
        let report = trial.db.audit_verify().await.unwrap();
        assert_eq!((&report.broken, report.unsealed), (&None, 0));
        let first = NOW / DAY;
        let days: Vec<_> = report.days.iter().map(|day| (day.day, day.rows)).collect();
        assert_eq!(days, [(first, 3), (first + 1, 3), (first + 2, 3)]);
        assert_eq!(report.hash, report.days[2].hash);
        let mut tx = trial.db.read().await.unwrap();
        let told = tx.audit_entries(Some("id-0008"), NOW + DAY, 2).await.unwrap();
        assert_eq!(told, [entry(7, NOW + 2 * DAY), entry(6, NOW + DAY)]);
    })
    .await;
}

#[tokio::test]
async fn changes_and_deletions_are_refused() {
    trial::both(async |trial| {
        nine(trial).await;
        let mut wrong = vec![
            "UPDATE audit SET actor = 'nobody' WHERE n = 4",
            "UPDATE audit SET hash = NULL WHERE n = 4",
            "UPDATE audit SET at = at",
            "DELETE FROM audit WHERE n = 4",
            "DELETE FROM audit",
            "DELETE FROM audit_head",
            "UPDATE audit_head SET keep_from = day + 1",
        ];
        if trial.db.engine() == "postgres" {
            wrong.push("TRUNCATE audit");
        }
        for sql in wrong {
            let mut tx = trial.db.write().await.unwrap();
            assert!(raw(&mut tx, sql).await.is_err(), "{sql}");
        }
        assert_eq!(trial.db.audit_verify().await.unwrap().broken, None);
    })
    .await;
}

#[tokio::test]
async fn whatever_is_done_to_it_is_found() {
    use AuditFault::{Changed, Missing};
    let tampering = [
        ("UPDATE audit SET actor = 'nobody' WHERE n = 4", 4, Changed),
        ("UPDATE audit SET detail = NULL WHERE n = 2", 2, Changed),
        ("UPDATE audit SET at = at + 1 WHERE n = 9", 9, Changed),
        ("UPDATE audit SET day = day - 1 WHERE n = 4", 4, Changed),
        ("UPDATE audit SET hash = NULL WHERE n = 5", 5, Changed),
        ("UPDATE audit SET n = NULL WHERE n = 5", 5, Missing),
        ("DELETE FROM audit WHERE n = 1", 1, Missing),
        ("DELETE FROM audit WHERE n = 5", 5, Missing),
        ("DELETE FROM audit WHERE n = 9", 9, Missing),
        ("DELETE FROM audit WHERE n <= 3", 1, Missing),
        ("DELETE FROM audit WHERE n BETWEEN 4 AND 6", 4, Missing),
        ("DELETE FROM audit WHERE n >= 7", 7, Missing),
        ("DELETE FROM audit", 1, Missing),
        // Two rows change places, within a day and over midnight.
        ("UPDATE audit SET n = -n WHERE n IN (4, 5); UPDATE audit SET n = 9 + n WHERE n < 0", 4, Changed),
        ("UPDATE audit SET n = -n WHERE n IN (3, 4); UPDATE audit SET n = 7 + n WHERE n < 0", 3, Changed),
        // A day goes, and the later ones move up.
        (
            "DELETE FROM audit WHERE n BETWEEN 4 AND 6; UPDATE audit SET n = n - 3 WHERE n > 6; \
          UPDATE audit_head SET n = 6",
            4,
            Changed,
        ),
        ("UPDATE audit_head SET hash = '0'", 9, Changed),
    ];
    trial::both(async |trial| {
        nine(trial).await;
        for (sql, n, how) in tampering {
            let mut tx = trial.db.write().await.unwrap();
            unguarded(&mut tx).await;
            raw(&mut tx, sql).await.unwrap();
            let found = tx.audit_verify().await.unwrap().broken;
            assert_eq!(found.map(|at| (at.n, at.how)), Some((n, how)), "{sql}");
        }
    })
    .await;
}

#[tokio::test]
async fn whole_old_days_go_by_one_path_and_the_rest_stays_proven() {
    trial::both(async |trial| {
        nine(trial).await;
        let mut tx = trial.db.write().await.unwrap();
        let told = |rows| AuditEntry { detail: Some(format!("rows={rows}")), ..entry(10, NOW + 2 * DAY) };
        // A moment in the second day: that day stays.
        assert_eq!(tx.audit_forget(NOW + DAY, told).await.unwrap(), 3);
        tx.commit().await.unwrap();
        let report = trial.db.audit_verify().await.unwrap();
        assert_eq!(report.broken, None);
        assert_eq!(report.days.iter().map(|day| day.rows).collect::<Vec<_>>(), [3, 4]);
        let mut tx = trial.db.write().await.unwrap();
        assert_eq!(tx.audit_forget(NOW + DAY, told).await.unwrap(), 0, "nothing more, and nothing is told");
        assert_eq!(tx.audit_entries(None, 0, 1).await.unwrap()[0].detail.as_deref(), Some("rows=3"));
        let last = |rows| AuditEntry { id: "id-0011".to_owned(), ..told(rows) };
        assert_eq!(tx.audit_forget(i64::MAX, last).await.unwrap(), 3, "the newest day always stays");
        unguarded(&mut tx).await;
        raw(&mut tx, "DELETE FROM audit WHERE n = 7").await.unwrap();
        assert_eq!(tx.audit_verify().await.unwrap().broken.map(|at| at.n), Some(7), "the new beginning is held too");
    })
    .await;
}

#[tokio::test]
async fn what_the_release_before_writes_is_counted_and_then_sealed() {
    trial::both(async |trial| {
        nine(trial).await;
        let mut tx = trial.db.write().await.unwrap();
        for id in ["old-1", "old-2"] {
            let sql = format!(
                "INSERT INTO audit (id, at, actor, actor_from, act, subject_kind, subject_id, subject_name) \
                VALUES ('{id}', {NOW}, 'operator', 'command line', 'user.add', 'user', 'u', 'Anna')"
            );
            raw(&mut tx, &sql).await.unwrap();
        }
        let report = tx.audit_verify().await.unwrap();
        assert_eq!((report.broken, report.unsealed), (None, 2));
        assert_eq!(tx.audit_seal(1).await.unwrap(), 1);
        assert_eq!(tx.audit_seal(5).await.unwrap(), 1);
        let report = tx.audit_verify().await.unwrap();
        assert_eq!((report.broken, report.unsealed), (None, 0));
        assert_eq!(report.days[2].rows, 5, "in the day in which they were sealed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_add_to_one_chain() {
    trial::both(async |trial| {
        let nodes = [trial.db.clone(), trial.again(Options::default()).await];
        let adding = (0..40).map(|n| {
            let db = nodes[n % 2].clone();
            tokio::spawn(async move {
                let mut tx = db.write().await.unwrap();
                let n = i64::try_from(n).unwrap();
                tx.audit(&[entry(2 * n, NOW + n % 2 * DAY), entry(2 * n + 1, NOW)]).await.unwrap();
                // Some are undone, and leave no gap.
                if n % 5 > 0 {
                    tx.commit().await.unwrap();
                }
            })
        });
        for one in adding.collect::<Vec<_>>() {
            one.await.unwrap();
        }
        let report = trial.db.audit_verify().await.unwrap();
        assert_eq!(report.broken, None);
        assert_eq!(report.days.iter().map(|day| day.rows).sum::<u64>(), 64);
        nodes[1].close().await;
    })
    .await;
}
