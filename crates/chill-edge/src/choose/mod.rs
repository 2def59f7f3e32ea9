//! What a viewer chooses among streams with: a filter, an order, and templates for what is shown.
//!
//! All three look at one [`Candidate`]. A [`Filter`] is an expression of the language that addon users know from
//! StremThru, an [`Order`] is a list of keys, a [`Presentation`] is a pair of templates. Each is compiled once from a
//! viewer's text, says what is wrong with it in a sentence with a position, and may be shared between threads.
//!
//! It refuses: to take long, whatever the text (sources, nesting, steps and results are bounded), to read a clock or the
//! network, and to hide a stream because a filter failed on it.
//!
//! Start reading at [`candidate`], then [`filter`], [`sort`] and [`template`]; `fields` is the table of names that
//! filters and templates share.

pub mod candidate;
pub(crate) mod fields;
pub mod filter;
pub(crate) mod rank;
pub(crate) mod size_text;
pub mod sort;
pub mod template;
#[cfg(test)]
pub(crate) mod trial;

pub use candidate::{AtStore, Candidate, Category, ChosenFile, Kind};
pub use filter::{Filter, FilterError, Verdict};
pub use sort::{Order, SortError, SortKey};
pub use template::{Presentation, Shown, Template, TemplateError};
