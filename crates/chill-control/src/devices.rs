//! Devices: what an operator does with them.

use chill_core::control::{Act as Consequence, Subject};
use chill_db::{Device, DeviceState};

use crate::UseError;
use crate::actor::{Act, Actor};
use crate::control::Core;
use crate::users::find;

/// The use cases of devices; see [`crate::Control::devices`].
#[derive(Clone, Copy)]
pub struct Devices<'a> {
    pub(crate) core: &'a Core,
}

/// Devices listed of one user.
const LISTED: u32 = 1_000;

impl Devices<'_> {
    /// A user's devices, first seen first.
    ///
    /// # Errors
    /// [`UseError::NotFound`].
    pub async fn list(&self, user: &str) -> Result<Vec<Device>, UseError> {
        let mut tx = self.core.db.read().await?;
        let user = find(&mut tx, user).await?;
        Ok(tx.devices_of(user.id, LISTED).await?)
    }

    /// Shuts a device out: its films stop, its place is free, and it does not come back by asking.
    ///
    /// # Errors
    /// [`UseError::NotFound`].
    pub async fn revoke(&self, actor: &Actor, id: &str) -> Result<Device, UseError> {
        self.take(actor, id, "device.revoke", Consequence::Revoke).await
    }

    /// Forgets a device: its place is free, and when it asks again it is a new one. The way back for a revoked device.
    ///
    /// # Errors
    /// [`UseError::NotFound`].
    pub async fn forget(&self, actor: &Actor, id: &str) -> Result<Device, UseError> {
        self.take(actor, id, "device.forget", Consequence::Refresh).await
    }

    async fn take(
        &self,
        actor: &Actor,
        id: &str,
        act: &'static str,
        consequence: Consequence,
    ) -> Result<Device, UseError> {
        let now = self.core.clock.now();
        let not_found = || UseError::not_found("device", id);
        let mut tx = self.core.db.write().await?;
        let user = tx.device_by_id(id).await?.ok_or_else(not_found)?.user;
        tx.users_lock(&[user]).await?;
        let mut device = tx.device_by_id(id).await?.ok_or_else(not_found)?;
        if device.state == DeviceState::Active {
            tx.users_add_devices(&[(user, -1)]).await?;
        }
        if consequence == Consequence::Revoke {
            tx.devices_set_state(std::slice::from_ref(&device.id), DeviceState::Revoked).await?;
            device.state = DeviceState::Revoked;
        } else {
            tx.device_delete(&device.id).await?;
        }
        let name = device.label.as_deref().unwrap_or_default();
        let act = Act { act, kind: "device", id: device.id.clone(), name, detail: Some(format!("user={user}")) };
        self.core.audit(&mut tx, actor, act, now).await?;
        for (link, _) in tx.links_of(&[user]).await? {
            tx.publish(&Subject::Device(link, device.device.clone()), consequence, now).await?;
        }
        tx.commit().await?;
        Ok(device)
    }
}
