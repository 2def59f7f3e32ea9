//! A small set of named values, kept in one word and listed in the order the values are declared in.

use std::fmt;
use std::marker::PhantomData;

use serde::{Serialize, Serializer};

/// A closed list of at most 64 values, each with its text form.
pub trait Member: Copy + 'static {
    /// Every value, in the order a [`Set`] lists them.
    const ALL: &'static [Self];
    /// The position of the value in [`Member::ALL`].
    fn index(self) -> usize;
    /// The text form, as viewers and filters see it.
    fn as_str(self) -> &'static str;
}

/// Which values of a closed list a name carries; it allocates nothing.
pub struct Set<T> {
    bits: u64,
    of: PhantomData<T>,
}

impl<T: Member> Set<T> {
    /// The empty set.
    pub const EMPTY: Self = Self { bits: 0, of: PhantomData };

    /// Adds a value.
    pub fn insert(&mut self, value: T) {
        self.bits |= 1 << value.index();
    }

    /// Takes a value away.
    pub fn remove(&mut self, value: T) {
        self.bits &= !(1 << value.index());
    }

    /// Whether the value is in the set.
    #[must_use]
    pub fn contains(&self, value: T) -> bool {
        self.bits & (1 << value.index()) != 0
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bits == 0
    }

    /// How many values are in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bits.count_ones() as usize
    }

    /// The values, in their declared order.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<T> {
        let bits = self.bits;
        T::ALL.iter().copied().filter(move |value| bits & (1 << value.index()) != 0)
    }
}

impl<T> Clone for Set<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Set<T> {}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self { bits: 0, of: PhantomData }
    }
}

impl<T> PartialEq for Set<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}

impl<T> Eq for Set<T> {}

impl<T: Member> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut set = Self::EMPTY;
        values.into_iter().for_each(|value| set.insert(value));
        set
    }
}

impl<T: Member> fmt::Debug for Set<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(Member::as_str)).finish()
    }
}

impl<T: Member> Serialize for Set<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Member::as_str))
    }
}
