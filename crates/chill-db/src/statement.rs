//! Queries as literals: one text for both engines, in lists that a test can prepare.

/// One query. Only [`statements!`] makes them, so none escapes the test that prepares all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statement {
    #[cfg_attr(not(test), expect(dead_code, reason = "names a query that does not prepare"))]
    pub(crate) name: &'static str,
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// `NAME = "…";` is the same on both engines. `lock NAME = "…";` takes the lock of each row it reads: on PostgreSQL with
/// `FOR UPDATE`, on SQLite by the write transaction itself, which holds the only lock there is. `each NAME = "…", "…";` has a text
/// for SQLite and one for PostgreSQL.
macro_rules! statements {
    (@each [$($known:ident)*] lock $name:ident = $text:literal; $($rest:tt)*) => {
        const $name: $crate::statement::Statement = $crate::statement::Statement {
            name: stringify!($name), sqlite: $text, postgres: concat!($text, " FOR UPDATE"),
        };
        $crate::statement::statements!(@each [$($known)* $name] $($rest)*);
    };
    (@each [$($known:ident)*] each $name:ident = $sqlite:literal, $postgres:literal; $($rest:tt)*) => {
        const $name: $crate::statement::Statement = $crate::statement::Statement {
            name: stringify!($name), sqlite: $sqlite, postgres: $postgres,
        };
        $crate::statement::statements!(@each [$($known)* $name] $($rest)*);
    };
    (@each [$($known:ident)*] $name:ident = $text:literal; $($rest:tt)*) => {
        const $name: $crate::statement::Statement = $crate::statement::Statement {
            name: stringify!($name), sqlite: $text, postgres: $text,
        };
        $crate::statement::statements!(@each [$($known)* $name] $($rest)*);
    };
    (@each [$($known:ident)*]) => {
        #[cfg(test)]
        pub(crate) const STATEMENTS: &[$crate::statement::Statement] = &[$($known),*];
    };
    ($($rest:tt)*) => {
        $crate::statement::statements!(@each [] $($rest)*);
    };
}
pub(crate) use statements;
