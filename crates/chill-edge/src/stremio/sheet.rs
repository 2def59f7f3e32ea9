//! The paper stream lists are written on: a list of a hundred streams is some 64 KiB, and is gone as soon as it is sent.
//! Taking the memory of the last one again is quicker than giving it back to the allocator and asking for it anew.

use std::cell::RefCell;

use bytes::Bytes;

/// Sheets each thread keeps.
const SPARE: usize = 4;
/// Longer ones are given back, in bytes.
const LONGEST: usize = 256 * 1024;

thread_local! {
    static SHEETS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer with room for `length` bytes, used before where there is one.
pub(crate) struct Sheet(Vec<u8>);

impl Sheet {
    pub(crate) fn with_room(length: usize) -> Self {
        let mut sheet = SHEETS.with_borrow_mut(Vec::pop).unwrap_or_default();
        sheet.clear();
        sheet.reserve_exact(length);
        Self(sheet)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// What was written; its memory is used again once nobody holds it.
    pub(crate) fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Sheet {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Sheet {
    fn drop(&mut self) {
        let sheet = std::mem::take(&mut self.0);
        if sheet.capacity() > LONGEST {
            return;
        }
        // A thread that ends has no sheets any more; then this one is given back too.
        let _ = SHEETS.try_with(|sheets| {
            if let Ok(mut sheets) = sheets.try_borrow_mut()
                && sheets.len() < SPARE
            {
                sheets.push(sheet);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_and_never_its_words() {
        let mut first = Sheet::with_room(10);
        first.write(b"a viewer's");
        let at = first.0.as_ptr();
        let bytes = first.into_bytes();
        assert_eq!(&*bytes, b"a viewer's");
        drop(bytes);
        let mut second = Sheet::with_room(5);
        assert_eq!(second.0.as_ptr(), at);
        second.write(b"his");
        assert_eq!(&*second.into_bytes(), b"his");
    }

    #[test]
    fn long_sheets_are_given_back() {
        drop(Sheet::with_room(LONGEST + 1));
        assert!(Sheet::with_room(0).0.capacity() <= LONGEST);
    }
}
