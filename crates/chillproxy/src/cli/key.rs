//! `chillproxy key …`: the key pool. A key comes in through standard input or a file, never as an argument, since
//! arguments are seen by everybody on the machine.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use chill_control::{AddKey, Control, PoolKey};
use chill_core::pool::{KeyState, Passport, Terms};
use chill_core::{Secret, StoreCode};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::open::{actor, control};
use super::table::{table, time};
use super::{print, print_json, say};
use crate::config::Config;

/// What can be done with keys.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Adds a key; the secret is read from standard input or a file.
    Add(Add),
    /// Lists all keys.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows one key.
    Show(One),
    /// Asks the store about a key.
    Check(One),
    /// Gives a key no new users; who has it moves at the next lease.
    Drain(One),
    /// Takes a key out at once; its films stop.
    Disable(One),
    /// Puts a drained or disabled key back.
    Enable(One),
    /// Replaces the secret, read from standard input or a file; users keep the key.
    Rotate {
        #[command(flatten)]
        one: One,
        /// A file with the new secret, instead of standard input.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// Do not ask the store about it.
        #[arg(long)]
        unchecked: bool,
    },
    /// Removes a key; its films stop and its users get another.
    Remove(One),
}

/// A key to be added.
#[derive(Args)]
pub(super) struct Add {
    /// The store: tb, rd, ad, pm, dl, oc, pp, ed, dr or ti.
    #[arg(long)]
    store: StoreCode,
    /// A name, unique at its store.
    #[arg(long)]
    name: String,
    /// What the provider's agreement allows: own_use, household or partner.
    #[arg(long)]
    passport: Terms,
    /// Users it may serve.
    #[arg(long)]
    max_users: Option<u32>,
    /// Films that may run on it at once.
    #[arg(long)]
    max_streams: Option<u32>,
    /// Whose account it is.
    #[arg(long)]
    owner: Option<String>,
    /// A key of weight 2 takes twice the users.
    #[arg(long, default_value_t = 1)]
    weight: u32,
    /// A file with the secret, instead of standard input.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Do not ask the store about it.
    #[arg(long)]
    unchecked: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// One key.
#[derive(Args)]
pub(super) struct One {
    /// Id or name.
    key: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Runs one of the commands.
pub(super) async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    // The secret is read first: whoever types the command is asked before anything is opened.
    let secret = match &command {
        Command::Add(add) => Some(read_secret(add.file.as_deref())?),
        Command::Rotate { file, .. } => Some(read_secret(file.as_deref())?),
        _ => None,
    };
    let control = control(config).await?;
    let keys = control.keys();
    match command {
        Command::Add(add) => self::add(&control, add, secret.context("no secret was read")?).await,
        Command::List { json } => {
            list(&keys.list().await?, json);
            Ok(())
        }
        Command::Show(one) => {
            show(&keys.find(&one.key).await?, one.json);
            Ok(())
        }
        Command::Check(one) => check(&control, &one).await,
        Command::Drain(one) => {
            done(&keys.drain(&actor(), &one.key).await?, one.json);
            Ok(())
        }
        Command::Disable(one) => {
            done(&keys.disable(&actor(), &one.key).await?, one.json);
            Ok(())
        }
        Command::Enable(one) => {
            done(&keys.enable(&actor(), &one.key).await?, one.json);
            Ok(())
        }
        Command::Rotate { one, unchecked, .. } => {
            let secret = secret.context("no secret was read")?;
            done(&keys.rotate(&actor(), &one.key, &secret, unchecked).await?, one.json);
            Ok(())
        }
        Command::Remove(one) => {
            let key = keys.remove(&actor(), &one.key).await?;
            if one.json {
                print_json(&json!({"id": key.id.as_str(), "name": key.name, "removed": true}));
            } else {
                print(&format!("{} was removed.", key.name));
            }
            Ok(())
        }
    }
}

async fn add(control: &Control, add: Add, secret: Secret) -> anyhow::Result<()> {
    let passport = Passport::new(add.passport, add.max_users, add.max_streams)?;
    let key = AddKey {
        store: add.store,
        name: add.name,
        passport,
        owner: add.owner,
        weight: add.weight,
        secret,
        unchecked: add.unchecked,
    };
    done(&control.keys().add(&actor(), key).await?, add.json);
    if add.passport != Terms::Partner {
        say(
            "Remember: most stores allow an account to its owner alone. docs/providers.md says what each passport means.",
        );
    }
    Ok(())
}

async fn check(control: &Control, one: &One) -> anyhow::Result<()> {
    let key = control.keys().check(&actor(), &one.key).await?;
    done(&key, one.json);
    match key.last_error {
        Some(error) => bail!("{}: {error}", key.name),
        None => Ok(()),
    }
}

/// A secret is no longer than this.
const MAX_SECRET: u64 = 4_096;

fn read_secret(file: Option<&Path>) -> anyhow::Result<Secret> {
    let mut text = String::new();
    match file {
        Some(path) => {
            let shown = path.display();
            let file = std::fs::File::open(path).with_context(|| format!("the file {shown} cannot be read"))?;
            file.take(MAX_SECRET).read_to_string(&mut text).with_context(|| format!("the file {shown} is not text"))?;
        }
        None if std::io::stdin().is_terminal() => {
            say("Paste the key and press Enter:");
            std::io::stdin().read_line(&mut text)?;
        }
        None => {
            std::io::stdin().take(MAX_SECRET).read_to_string(&mut text).context("standard input is not text")?;
        }
    }
    let secret = Secret::new(text.trim());
    drop(zeroize::Zeroizing::new(text));
    if secret.is_empty() {
        bail!("no key was given: pipe it in, as in `chillproxy key add … < key.txt`, or name a file with --file");
    }
    Ok(secret)
}

fn list(keys: &[PoolKey], json: bool) {
    if json {
        print_json(&keys.iter().map(as_json).collect());
        return;
    }
    let rows: Vec<_> = keys
        .iter()
        .map(|key| {
            let most = key.passport.max_users().map_or_else(|| "∞".to_owned(), |n| n.to_string());
            let users = format!("{} of {most}", key.assigned);
            [
                key.name.clone(),
                key.store.name().to_owned(),
                key.passport.terms().to_string(),
                state(key),
                users,
                key.id.to_string(),
            ]
        })
        .collect();
    print(&table(["NAME", "STORE", "PASSPORT", "STATE", "USERS", "ID"], &rows));
}

fn show(key: &PoolKey, json: bool) {
    if json {
        print_json(&as_json(key));
        return;
    }
    list(std::slice::from_ref(key), false);
    let when = key.last_probe_at.map_or_else(|| "never".to_owned(), time);
    print(&format!("\nOwner:       {}", key.owner.as_deref().unwrap_or("-")));
    print(&format!("Weight:      {}\nSince:       {}\nLast check:  {when}", key.weight, time(key.created_at)));
    if let Some(error) = &key.last_error {
        print(&format!("Last error:  {error}"));
    }
}

fn done(key: &PoolKey, json: bool) {
    if json {
        print_json(&as_json(key));
    } else {
        print(&format!("{} at {} is {}.", key.name, key.store.name(), state(key)));
    }
}

fn state(key: &PoolKey) -> String {
    match key.state.until() {
        Some(until) => format!("{} until {}", key.state, time(until)),
        // Taken to be healthy until the store was asked or somebody used it.
        None if key.state == KeyState::Healthy && !checked(key) => "unchecked".to_owned(),
        None => key.state.to_string(),
    }
}

/// Whether anything is known of the key from its store.
fn checked(key: &PoolKey) -> bool {
    key.has_worked || key.last_probe_at.is_some()
}

fn as_json(key: &PoolKey) -> Value {
    json!({
        "id": key.id.as_str(),
        "store": key.store.as_str(),
        "name": key.name,
        "state": key.state.word(),
        "stateUntil": key.state.until(),
        "checked": checked(key),
        "passport": key.passport.terms().as_str(),
        "maxUsers": key.passport.max_users(),
        "maxStreams": key.passport.max_streams(),
        "owner": key.owner,
        "weight": key.weight,
        "users": key.assigned,
        "lastError": key.last_error,
        "lastCheckAt": key.last_probe_at,
        "createdAt": key.created_at,
    })
}
