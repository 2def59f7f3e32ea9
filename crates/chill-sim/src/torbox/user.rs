//! `GET /user/me`.

use axum::extract::State;
use serde_json::{Value, json};

use super::asked::{Answer, Asked, account_of, success};
use super::{Plan, Torbox};
use crate::clock::rfc3339;

pub(super) async fn me(State(torbox): State<Torbox>, asked: Asked) -> Answer {
    let settings = asked.flag("settings")?;
    asked.on_account(&torbox, |provider, key, _now| {
        let null_fields = provider.behaviour.null_fields;
        let account = account_of(provider, key)?;
        let email = format!("account{}@example.net", account.id);
        let bytes: u64 = account.items.iter().map(|item| item.torrent.size()).sum();
        let no_cooldown = (!null_fields).then_some(account.created_at);
        let mut data = json!({
            "id": account.id, "auth_id": account.auth_id, "email": email, "base_email": email,
            "plan": account.plan.number(), "is_subscribed": account.plan != Plan::Free,
            "premium_expires_at": account.premium_until.map(rfc3339),
            "cooldown_until": account.cooldown_until.or(no_cooldown).map(rfc3339),
            "additional_concurrent_slots": account.extra_slots, "long_term_seeding": false,
            "long_term_storage": false, "total_downloaded": account.added_in_total,
            "total_bytes_downloaded": bytes, "total_bytes_uploaded": 0,
            "torrents_downloaded": account.added_in_total, "web_downloads_downloaded": 0,
            "usenet_downloads_downloaded": 0, "customer": format!("cus_{}", account.id), "server": 1,
            "user_referral": account.auth_id, "created_at": rfc3339(account.created_at),
            "updated_at": rfc3339(account.created_at), "is_vendor": false, "vendor_id": null, "purchases_referred": 0,
        });
        if let Value::Object(fields) = &mut data
            && settings
        {
            fields.insert("settings".to_owned(), json!({"email_notifications": false, "seed_torrents": 3}));
        }
        success("User found.", &data)
    })
}
