//! `chillproxy check-config`: what the configuration means. Reaching this point means that it could be read.

use super::print;
use crate::config::{Config, Role};

/// Prints the settings that matter, without secrets.
pub(super) fn run(config: &Config) {
    let yes = |set: bool| if set { "set" } else { "not set" };
    print("The configuration is good.");
    print(&format!("  role              {:?}", config.role));
    print(&format!("  listens on        {}", config.listen.address));
    print(&format!(
        "  public URL        {}",
        config.listen.base_url.as_ref().map_or("from each request", url::Url::as_str)
    ));
    print(&format!("  data directory    {}", config.data.dir.display()));
    print(&format!("  database          {}", config.data.database));
    print(&format!("  Redis             {}", yes(config.limits.redis.is_some())));
    print(&format!(
        "  master key        {}",
        if config.control.master_key.is_some() { "from the settings" } else { "file in the data directory" }
    ));
    print(&format!("  internal API      {}", if config.control.internal_api { "open to its keys" } else { "closed" }));
    if config.role == Role::Edge {
        let urls: Vec<_> = config.control.remote_urls.iter().map(url::Url::as_str).collect();
        print(&format!("  control plane     {}", urls.join(", ")));
        print(&format!("  its key           {}", yes(config.control.remote_key.is_some())));
    }
    print(&format!("  devices per user  {}", config.control.max_devices));
    print(&format!("  delivery          {:?}", config.edge.delivery));
    print(&format!("  indexers          {}", config.stores.indexers.len()));
    for name in &config.without_effect {
        print(&format!("  note: {name} is set, and nothing here uses it"));
    }
}
