//! The control plane: users, devices, the key pool, usage.
