//! The table of `docs/outages.md`: one part of the system is cut off, five viewers are in five situations. Each cell is a
//! test; the cells of a row share one system, whose outage they all go through at once.

mod cells;
mod system;

use std::sync::LazyLock;

use system::{Cell, Row};

/// What is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Away {
    ControlPlane,
    Database,
    Redis,
    EventSocket,
}

/// All rows at once, begun by the first test that asks for one: they mostly wait.
static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    [Away::ControlPlane, Away::Database, Away::Redis, Away::EventSocket].map(Row::begin).into_iter().collect()
});

fn outcome(away: Away, cell: &str) {
    let row = ROWS.iter().find(|row| row.away == away).expect("each outage has a row");
    if let Err(said) = row.outcome(cell) {
        panic!("{said}");
    }
}

/// Declares the tests of a row, named after their cells, and the list of what they do.
macro_rules! row {
    ($list:ident, $away:expr; $($test:ident => $cell:path),+ $(,)?) => {
        const $list: &[(&str, Cell)] = &[$((stringify!($test), |system, turn| Box::pin($cell(system, turn)))),+];
        $(#[test] fn $test() { outcome($away, stringify!($test)); })+
    };
}

row!(CONTROL_PLANE, Away::ControlPlane;
    control_plane_away_running_film => cells::a_film_runs_until_its_grace_ends,
    control_plane_away_known_device_starts => cells::a_known_device_starts_while_its_lease_is_fresh,
    control_plane_away_new_device => cells::a_new_device_is_refused_with_a_reason,
    control_plane_away_revoked_user => cells::a_revoked_user_is_out_within_five_seconds_and_his_film_with_its_grace,
    control_plane_away_usage => cells::usage_waits_and_is_counted_once,
);
row!(DATABASE, Away::Database;
    database_away_running_film => cells::a_film_runs_until_its_grace_ends,
    database_away_known_device_starts => cells::a_known_device_starts_while_its_lease_is_fresh,
    database_away_new_device => cells::a_new_device_is_refused_with_a_reason,
    database_away_revoked_user => cells::a_revoked_user_is_out_within_five_seconds_and_his_film_with_its_grace,
    database_away_usage => cells::usage_waits_and_is_counted_once,
);
row!(REDIS, Away::Redis;
    redis_away_running_film => cells::a_film_runs_on,
    redis_away_known_device_starts => cells::a_known_device_starts,
    redis_away_new_device => cells::a_new_device_is_let_in,
    redis_away_revoked_user => cells::a_revoked_user_and_his_film_are_out_within_a_second,
    redis_away_usage => cells::usage_is_counted_meanwhile,
);
row!(EVENT_SOCKET, Away::EventSocket;
    event_socket_away_running_film => cells::a_film_runs_on,
    event_socket_away_known_device_starts => cells::a_known_device_starts,
    event_socket_away_new_device => cells::a_new_device_is_let_in,
    event_socket_away_revoked_user => cells::a_revoked_user_is_out_within_five_seconds_and_his_film_with_its_grace,
    event_socket_away_usage => cells::usage_is_counted_meanwhile,
);

impl Away {
    fn cells(self) -> &'static [(&'static str, Cell)] {
        match self {
            Self::ControlPlane => CONTROL_PLANE,
            Self::Database => DATABASE,
            Self::Redis => REDIS,
            Self::EventSocket => EVENT_SOCKET,
        }
    }
}

/// Each cell of the document names its test, and each test of the table stands in the document.
#[test]
fn the_document_names_each_of_these_tests() {
    let document = include_str!("../../../../docs/outages.md");
    let named: Vec<&str> = document.split('`').filter(|word| word.contains("_away_")).collect();
    let lists = [CONTROL_PLANE, DATABASE, REDIS, EVENT_SOCKET];
    let tests: Vec<&str> = lists.iter().flat_map(|list| list.iter().map(|(name, _)| *name)).collect();
    assert_eq!(named, tests);
}
