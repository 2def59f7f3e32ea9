//! TorBox's plans: what the number in `user/me` means.

use chill_core::Millis;
use chill_core::store::Account;

use super::wire::User;

/// Number, name, downloads at once (support article on plans).
const PLANS: [(u64, &str, u32); 4] = [(0, "Free", 1), (1, "Essential", 3), (2, "Pro", 10), (3, "Standard", 5)];

/// The account in our words. The free plan is an account without API use, so it is not active.
pub(super) fn account(user: &User, now: Millis) -> Account {
    let number = user.plan.unwrap_or(0);
    let plan = PLANS.iter().find(|(known, ..)| *known == number);
    let extra = u32::try_from(user.additional_concurrent_slots.unwrap_or(0)).unwrap_or(0);
    Account {
        active: number != 0 && user.premium_expires_at.is_none_or(|ends| ends > now),
        plan: plan.map_or_else(|| format!("plan {number}"), |(_, name, _)| (*name).to_owned()),
        expires_at: user.premium_expires_at,
        slots: plan.map(|(.., slots)| slots.saturating_add(extra)),
        cooldown_until: user.cooldown_until.filter(|until| *until > now),
    }
}
