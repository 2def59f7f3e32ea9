//! The rival for decisions on PostgreSQL: pgbench calling one SQL function that does the same work, as fast as 16
//! connections can.

use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::TempDir;

use crate::shell;

const CLIENTS: &str = "-c16";

/// The same work as a decision: lock the user, count his devices in a statement after the lock, note the device, note
/// when the user was served, give the key.
const TABLES: &str = "\
CREATE TABLE keys (id int PRIMARY KEY, sealed bytea NOT NULL);
CREATE TABLE users (id int PRIMARY KEY, status text NOT NULL, max_devices int NOT NULL,
    key_id int NOT NULL REFERENCES keys, last_used bigint);
CREATE TABLE devices (user_id int NOT NULL REFERENCES users, device text NOT NULL, state text NOT NULL,
    first_seen bigint NOT NULL, last_seen bigint NOT NULL, PRIMARY KEY (user_id, device));
INSERT INTO keys SELECT n, decode(md5(n::text), 'hex') FROM generate_series(0, 9) n;
INSERT INTO users SELECT n, 'active', 1000, n % 10, NULL FROM generate_series(1, 10000) n;
INSERT INTO devices SELECT u, 'known-' || d, 'active', 0, 0 FROM generate_series(1, 10000) u, generate_series(0, 2) d;
CREATE FUNCTION get_key(link int, asked text) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    asker users; devices_now int; answer bytea;
    moment bigint := (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
BEGIN
    SELECT * INTO asker FROM users WHERE id = link AND status = 'active' FOR UPDATE;
    IF NOT FOUND THEN RETURN NULL; END IF;
    UPDATE devices SET last_seen = moment WHERE user_id = link AND device = asked AND state = 'active';
    IF NOT FOUND THEN
        SELECT count(*) INTO devices_now FROM devices WHERE user_id = link AND state = 'active';
        IF devices_now >= asker.max_devices THEN RETURN NULL; END IF;
        INSERT INTO devices VALUES (link, asked, 'active', moment, moment);
    END IF;
    UPDATE users SET last_used = moment WHERE id = link;
    SELECT sealed INTO answer FROM keys WHERE id = asker.key_id;
    RETURN answer;
END $$;
VACUUM ANALYZE;
";
const NEW: &str =
    "\\set u random(1, 10000)\n\\set d random(1, 9000000000)\nSELECT get_key(:u::int, 'new-' || :d::text);\n";
const KNOWN: &str = "\\set u random(1, 10000)\n\\set d random(0, 2)\nSELECT get_key(:u::int, 'known-' || :d::text);\n";

/// A filled database and the two scripts.
#[derive(Debug)]
pub(super) struct Pgbench {
    scripts: TempDir,
    programs: PathBuf,
    url: String,
}

impl Pgbench {
    /// Fills an empty database.
    ///
    /// # Errors
    /// When the server refuses.
    pub(super) fn fill(programs: &Path, url: &str) -> anyhow::Result<Self> {
        let scripts = tempfile::Builder::new().prefix("chill-pgbench-").tempdir()?;
        for (name, text) in [("tables", TABLES), ("new", NEW), ("known", KNOWN)] {
            std::fs::write(scripts.path().join(name), text)?;
        }
        let mut psql =
            shell::command(&programs.join("psql").display().to_string(), ["-XqAt", "-v", "ON_ERROR_STOP=1", "-f"]);
        shell::read(psql.arg(scripts.path().join("tables")).arg(url))?;
        Ok(Self { scripts, programs: programs.to_path_buf(), url: url.to_owned() })
    }

    /// Decisions per second of `new` or `known` devices.
    ///
    /// # Errors
    /// When it fails or names no rate.
    pub(super) fn run(&self, work: &str, seconds: u32) -> anyhow::Result<f64> {
        let seconds = seconds.to_string();
        let words = [CLIENTS, "-j2", "-n", "-M", "prepared", "-T", seconds.as_str(), "-f"];
        let mut pgbench = shell::command(&self.programs.join("pgbench").display().to_string(), words);
        let output =
            pgbench.arg(self.scripts.path().join(work)).arg(&self.url).output().context("cannot start pgbench")?;
        let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        rate(&said).with_context(|| format!("pgbench named no rate ({}):\n{said}{errors}", output.status))
    }
}

fn rate(said: &str) -> Option<f64> {
    said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_rate_is_read() {
        assert_eq!(rate("number of clients: 16\ntps = 2310.5 (without initial connection time)\n"), Some(2310.5));
        assert_eq!(rate("pgbench: error"), None);
    }
}
