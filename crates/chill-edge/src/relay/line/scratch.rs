//! The buffer that all films of a thread are read into, one piece after the other: it stays in the processor's cache, and
//! a film that waits holds none of it.

use std::cell::RefCell;

use bytes::BytesMut;

thread_local! {
    static SCRATCH: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

/// Lends the buffer, empty. What is split off it and dropped before the next time gives its room back.
pub(super) fn with<T>(work: impl FnOnce(&mut BytesMut) -> T) -> T {
    SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
        Ok(mut scratch) => {
            let done = work(&mut scratch);
            scratch.clear();
            done
        }
        Err(_) => work(&mut BytesMut::new()),
    })
}
