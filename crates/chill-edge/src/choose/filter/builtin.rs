//! The table of functions: their names, what they take, what they give.

use super::lists;
use super::meter::{Meter, Trouble};
use super::texts;
use super::types::Type;
use super::value::Value;
use super::{numbers, value};

/// One function.
#[derive(Debug)]
pub(super) struct Builtin {
    pub(super) name: &'static str,
    pub(super) params: &'static [Param],
    /// Fewest arguments.
    pub(super) least: usize,
    /// Any number of the last parameter.
    pub(super) variadic: bool,
    pub(super) result: Gives,
    pub(super) run: Run,
}

/// The function itself. The arguments' number is checked, their types only as far as known.
type Run = for<'a> fn(&[Value<'a>], &mut Meter) -> Result<Value<'a>, Trouble>;

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Param {
    Any,
    Text,
    Int,
    Number,
    /// A number, or a list of numbers.
    Numbers,
    List,
    Map,
    /// Anything with a length.
    Countable,
}

/// The type of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    Any,
    Bool,
    Int,
    Float,
    Number,
    Text,
    Texts,
    List,
    /// The type of the first argument.
    First,
}

impl Param {
    pub(super) fn takes(self, ty: &Type) -> bool {
        match self {
            Self::Any => true,
            Self::Text => ty.may_be_text(),
            Self::Int => ty.may_be_int(),
            Self::Number => ty.may_be_number(),
            Self::Numbers => ty.may_be_number() || ty.may_be_list() && ty.element().may_be_number(),
            Self::List => ty.may_be_list(),
            Self::Map => ty.may_be_map(),
            Self::Countable => ty.may_be_text() || ty.may_be_list() || ty.may_be_map(),
        }
    }

    pub(super) fn says(self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Text => "a text",
            Self::Int => "a whole number",
            Self::Number => "a number",
            Self::Numbers => "numbers, or a list of numbers",
            Self::List => "a list",
            Self::Map => "a group of values",
            Self::Countable => "a text, a list or a group of values",
        }
    }
}

impl Gives {
    pub(super) fn of(self, first: Option<&Type>) -> Type {
        match self {
            Self::Any => Type::Any,
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::Float => Type::Float,
            Self::Number => Type::Number,
            Self::Text => Type::Text,
            Self::Texts => Type::list_of(Type::Text),
            Self::List => Type::list_of(Type::Any),
            Self::First => first.cloned().unwrap_or(Type::Any),
        }
    }
}

/// Looks a function up.
pub(super) fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

macro_rules! builtins {
    ($($name:literal [$($param:ident)*] $least:literal $variadic:literal $gives:ident $run:expr;)*) => {
        &[$(Builtin {
            name: $name,
            params: &[$(Param::$param),*],
            least: $least,
            variadic: $variadic,
            result: Gives::$gives,
            run: $run,
        },)*]
    };
}

const BUILTINS: &[Builtin] = builtins! {
    // General.
    "len" [Countable] 1 false Int lists::length;
    "type" [Any] 1 false Text |a, _| Ok(Value::text(arg(a, 0)?.kind()));
    "get" [Any Any] 2 false Any lists::get;
    "string" [Any] 1 false Text texts::string;
    "int" [Any] 1 false Int numbers::int;
    "float" [Any] 1 false Float numbers::float;
    "abs" [Number] 1 false First numbers::abs;
    "ceil" [Number] 1 false Float |a, _| Ok(Value::Float(arg(a, 0)?.as_float()?.ceil()));
    "floor" [Number] 1 false Float |a, _| Ok(Value::Float(arg(a, 0)?.as_float()?.floor()));
    "round" [Number] 1 false Float |a, _| Ok(Value::Float(arg(a, 0)?.as_float()?.round()));
    "max" [Numbers] 1 true Number numbers::max;
    "min" [Numbers] 1 true Number numbers::min;
    "mean" [Numbers] 1 true Number numbers::mean;
    "median" [Numbers] 1 true Number numbers::median;
    // Texts.
    "trim" [Text Text] 1 false Text texts::trim;
    "trimPrefix" [Text Text] 1 false Text texts::trim_prefix;
    "trimSuffix" [Text Text] 1 false Text texts::trim_suffix;
    "upper" [Text] 1 false Text |a, meter| meter.text(text(a, 0)?.to_uppercase());
    "lower" [Text] 1 false Text |a, meter| meter.text(text(a, 0)?.to_lowercase());
    "split" [Text Text Int] 2 false Texts texts::split;
    "splitAfter" [Text Text Int] 2 false Texts texts::split_after;
    "replace" [Text Text Text] 3 false Text texts::replace;
    "repeat" [Text Int] 2 false Text texts::repeat;
    "join" [List Text] 1 false Text texts::join;
    "indexOf" [Text Text] 2 false Int texts::index_of;
    "lastIndexOf" [Text Text] 2 false Int texts::last_index_of;
    "hasPrefix" [Text Text] 2 false Bool |a, _| Ok(Value::Bool(text(a, 0)?.starts_with(text(a, 1)?)));
    "hasSuffix" [Text Text] 2 false Bool |a, _| Ok(Value::Bool(text(a, 0)?.ends_with(text(a, 1)?)));
    // Lists and maps.
    "first" [List] 1 false Any |a, _| Ok(list(a, 0)?.get(0).unwrap_or(Value::Nil));
    "last" [List] 1 false Any |a, _| Ok(list(a, 0)?.iter().next_back().unwrap_or(Value::Nil));
    "take" [List Int] 2 false First |a, meter| lists::slice(arg(a, 0)?, None, Some(arg(a, 1)?.as_int()?.max(0)), meter);
    "keys" [Map] 1 false Texts lists::keys;
    "values" [Map] 1 false List lists::values;
    "reverse" [List] 1 false First |a, meter| meter.list(list(a, 0)?.iter().rev().collect());
    "uniq" [List] 1 false First lists::uniq;
    "concat" [List] 1 true List lists::concat;
    "flatten" [List] 1 false List lists::flatten;
    "sort" [List Text] 1 false First lists::sort;
};

pub(super) fn arg<'v, 'a>(arguments: &'v [Value<'a>], index: usize) -> Result<&'v Value<'a>, Trouble> {
    arguments.get(index).ok_or(Trouble::Cannot("calls a function with too few arguments"))
}

pub(super) fn text<'v>(arguments: &'v [Value<'_>], index: usize) -> Result<&'v str, Trouble> {
    arg(arguments, index)?.as_str()
}

pub(super) fn list<'v, 'a>(arguments: &'v [Value<'a>], index: usize) -> Result<&'v value::List<'a>, Trouble> {
    arg(arguments, index)?.as_list()
}
