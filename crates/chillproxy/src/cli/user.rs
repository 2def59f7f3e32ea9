//! `chillproxy user …`: users and their install links.

use chill_control::{AddUser, Control, Limits, User};
use chill_core::StoreCode;
use chill_core::control::Delivery;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::links::{InstallLinks, install_links};
use super::open::{actor, control};
use super::table::{table, time};
use super::{print, print_json};
use crate::config::Config;

/// What can be done with users.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Adds a user and prints the install links.
    Add {
        /// A name, unique without regard to case.
        #[arg(long)]
        name: String,
        /// Where to reach the user.
        #[arg(long)]
        email: Option<String>,
        /// Devices this user may have, when not the usual number.
        #[arg(long)]
        max_devices: Option<u32>,
        /// How films reach this user, when not as usual.
        #[arg(long, value_enum)]
        delivery: Option<DeliveryWord>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lists all users.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows one user with devices and keys.
    Show(One),
    /// Refuses a user from now on and stops running films.
    Suspend(One),
    /// Lets a suspended user in again.
    Activate(One),
    /// Changes a user's limits.
    Limits {
        #[command(flatten)]
        one: One,
        /// Devices this user may have; 0 is the usual number.
        #[arg(long)]
        max_devices: Option<u32>,
        /// How films reach this user; `default` is as usual.
        #[arg(long, value_enum)]
        delivery: Option<DeliveryWord>,
    },
    /// Makes a new install link; the old one stops at once, the history stays.
    ResetLink(One),
    /// Removes a user; running films stop.
    Remove(One),
}

/// One user.
#[derive(Args)]
pub(super) struct One {
    /// Id or name.
    user: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// How films reach a user.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum DeliveryWord {
    /// Through this server.
    Relay,
    /// From the store's servers.
    Redirect,
    /// As the instance says.
    Default,
}

impl DeliveryWord {
    fn choice(self) -> Option<Delivery> {
        match self {
            Self::Relay => Some(Delivery::Relay),
            Self::Redirect => Some(Delivery::Redirect),
            Self::Default => None,
        }
    }
}

/// Runs one of the commands.
pub(super) async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    let control = control(config).await?;
    let users = control.users();
    let show = Show { control: &control, config };
    match command {
        Command::Add { name, email, max_devices, delivery, json } => {
            let user = AddUser { name, email, max_devices, delivery: delivery.and_then(DeliveryWord::choice) };
            let user = users.add(&actor(), user).await?;
            show.with_links(&user, json, "was added").await
        }
        Command::List { json } => show.list(&users.list().await?, json).await,
        Command::Show(one) => show.card(&one).await,
        Command::Suspend(one) => show.status(&users.suspend(&actor(), &one.user).await?, one.json).await,
        Command::Activate(one) => show.status(&users.activate(&actor(), &one.user).await?, one.json).await,
        Command::Limits { one, max_devices, delivery } => {
            let limits = Limits {
                max_devices: max_devices.map(|n| Some(n).filter(|n| *n > 0)),
                delivery: delivery.map(DeliveryWord::choice),
            };
            show.status(&users.set_limits(&actor(), &one.user, limits).await?, one.json).await
        }
        Command::ResetLink(one) => {
            let user = users.reset_link(&actor(), &one.user).await?;
            show.with_links(&user, one.json, "has a new link; the old one does not work any more").await
        }
        Command::Remove(one) => {
            let user = users.remove(&actor(), &one.user).await?;
            if one.json {
                print_json(&json!({"id": user.id.to_string(), "name": user.name, "removed": true}));
            } else {
                print(&format!("{} was removed.", user.name));
            }
            Ok(())
        }
    }
}

/// Prints users.
struct Show<'a> {
    control: &'a Control,
    config: &'a Config,
}

impl Show<'_> {
    async fn with_links(&self, user: &User, json: bool, what: &str) -> anyhow::Result<()> {
        let links = self.links(user).await?;
        if json {
            print_json(&as_json(user, &links));
        } else {
            print(&format!("{} {what}.\n\nInstall link:\n  {}\n  {}", user.name, links.manifest, links.stremio));
        }
        Ok(())
    }

    async fn status(&self, user: &User, json: bool) -> anyhow::Result<()> {
        if json {
            print_json(&as_json(user, &self.links(user).await?));
        } else {
            print(&format!("{} is {}.", user.name, user.status.as_str()));
        }
        Ok(())
    }

    async fn list(&self, users: &[User], json: bool) -> anyhow::Result<()> {
        let stores = self.stores().await?;
        let base = self.config.listen.link_base();
        if json {
            let users = users.iter().map(|user| as_json(user, &install_links(&base, &user.link, &stores)));
            print_json(&users.collect());
            return Ok(());
        }
        let rows: Vec<_> = users
            .iter()
            .map(|user| {
                [
                    user.name.clone(),
                    user.status.as_str().to_owned(),
                    user.device_count.to_string(),
                    time(user.created_at),
                    user.id.to_string(),
                ]
            })
            .collect();
        print(&table(["NAME", "STATUS", "DEVICES", "SINCE", "ID"], &rows));
        Ok(())
    }

    async fn card(&self, one: &One) -> anyhow::Result<()> {
        let card = self.control.users().show(&one.user).await?;
        let links = self.links(&card.user).await?;
        if one.json {
            let mut user = as_json(&card.user, &links);
            user["deviceLimit"] = card.device_limit.into();
            user["devices"] = card.devices.iter().map(super::device::as_json).collect();
            user["keys"] =
                card.keys.iter().map(|(store, name)| json!({"store": store.as_str(), "name": name})).collect();
            print_json(&user);
            return Ok(());
        }
        let user = &card.user;
        let keys: Vec<_> = card.keys.iter().map(|(store, name)| format!("{name} ({})", store.name())).collect();
        print(&format!("Name:     {}\nId:       {}\nStatus:   {}", user.name, user.id, user.status.as_str()));
        print(&format!("Email:    {}", user.email.as_deref().unwrap_or("-")));
        print(&format!("Devices:  {} of {}", user.device_count, card.device_limit));
        print(&format!("Key:      {}", if keys.is_empty() { "none yet".to_owned() } else { keys.join(", ") }));
        print(&format!(
            "Since:    {}\nLink:     {}\n          {}",
            time(user.created_at),
            links.manifest,
            links.stremio
        ));
        Ok(())
    }

    async fn links(&self, user: &User) -> anyhow::Result<InstallLinks> {
        Ok(install_links(&self.config.listen.link_base(), &user.link, &self.stores().await?))
    }

    /// The stores the pool has keys for.
    async fn stores(&self) -> anyhow::Result<Vec<StoreCode>> {
        let mut stores: Vec<_> = self.control.keys().list().await?.iter().map(|key| key.store).collect();
        stores.sort_unstable();
        stores.dedup();
        Ok(stores)
    }
}

fn as_json(user: &User, links: &InstallLinks) -> Value {
    json!({
        "id": user.id.to_string(),
        "name": user.name,
        "email": user.email,
        "status": user.status.as_str(),
        "maxDevices": user.max_devices,
        "deviceCount": user.device_count,
        "linkId": user.link.to_string(),
        "manifestUrl": links.manifest,
        "stremioUrl": links.stremio,
        "createdAt": user.created_at,
    })
}
