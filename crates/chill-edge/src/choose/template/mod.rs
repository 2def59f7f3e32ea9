//! What a stream is called in the list: templates for its name and its description.
//!
//! The language is minijinja's (<https://docs.rs/minijinja/latest/minijinja/syntax/>): `{{ Resolution }}`,
//! `{% if Seeders > 5 %}…{% endif %}`, `{% for language in Languages %}…{% endfor %}`. Every property that filters know
//! is there by the same name, and in lower case with underscores: `Store.IsCached` is `store.is_cached`, `HDR` is `hdr`.
//! Functions: `str_join(list, sep)`, `int_to_str(n)`, `lang_join(list, sep, "emoji"|"text"|"iso")`, `size_text(bytes)`,
//! `rate_text(bits)`; each is a filter too: `{{ Languages | lang_join(" ", "iso") }}`.
//!
//! A template runs on a budget ([`FUEL`]) that its output and everything it makes on the way is paid from. Of the tags
//! there are `if` and `for`; `guard` says why. Blanks around lines and empty lines vanish, so a template need not care about parts that are
//! missing. A template that fails on a stream gives way to the default, which is also written in plain Rust
//! (`plain`) because nearly every stream is shown by it.

mod context;
pub mod default;
mod functions;
mod guard;
mod iso;
mod plain;
mod sample;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use minijinja::{Environment, ErrorKind};

use super::candidate::Candidate;
use context::Root;

/// Longest source of a template, in bytes.
pub const LONGEST: usize = 4_096;
/// Longest name, in characters.
pub const LONGEST_NAME: usize = 300;
/// Longest description, in characters.
pub const LONGEST_DESCRIPTION: usize = 2_000;
/// Instructions of one run; 64 bytes made or written cost one too.
pub const FUEL: u64 = 4_000;

/// The one template of an environment.
const ONLY: &str = "template";

/// Which text a template makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The short text at the left of the list.
    Name,
    /// The lines beside it.
    Description,
}

/// Why a text is no template, or fails on a stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part} template, line {line}: {message}")]
pub struct TemplateError {
    /// Which template.
    pub part: Part,
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// A compiled template; cloning shares it.
#[derive(Clone)]
pub struct Template {
    part: Part,
    /// The engine with this one template; none for the default.
    engine: Option<Arc<Engine>>,
}

struct Engine {
    environment: Environment<'static>,
    roots: Vec<Root>,
}

/// How a viewer wants streams to be shown.
#[derive(Clone, Debug)]
pub struct Presentation {
    name: Template,
    description: Template,
}

/// What a viewer reads of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// At most [`LONGEST_NAME`] characters.
    pub name: String,
    /// At most [`LONGEST_DESCRIPTION`] characters.
    pub description: String,
}

impl Default for Presentation {
    fn default() -> Self {
        let default = |part| Template { part, engine: None };
        Self { name: default(Part::Name), description: default(Part::Description) }
    }
}

impl Presentation {
    /// Compiles both templates; an empty one means the default.
    ///
    /// # Errors
    /// [`TemplateError`] of the first that is wrong.
    pub fn compile(name: &str, description: &str) -> Result<Self, TemplateError> {
        Ok(Self {
            name: Template::compile(Part::Name, name)?,
            description: Template::compile(Part::Description, description)?,
        })
    }

    /// The texts for a stream. A template that fails on it gives way to the default.
    #[must_use]
    pub fn show(&self, candidate: &Candidate<'_>) -> Shown {
        let text = |template: &Template| {
            template.render(candidate).unwrap_or_else(|_| tidy(&template.part.plain(candidate), template.part))
        };
        Shown { name: text(&self.name), description: text(&self.description) }
    }
}

impl Template {
    /// Compiles a template and tries it on two made-up streams; an empty one means the default.
    ///
    /// # Errors
    /// [`TemplateError`]: not the language, an unknown name, too long, or it fails on a made-up stream.
    pub fn compile(part: Part, source: &str) -> Result<Self, TemplateError> {
        if source.len() > LONGEST {
            let length = source.len();
            let message = format!("the template has {length} bytes; at most {LONGEST} are taken");
            return Err(TemplateError { part, line: 1, message });
        }
        if source.trim().is_empty() || source == part.default_source() {
            return Ok(Self { part, engine: None });
        }
        guard::check(part, source)?;
        let source = source.to_owned();
        guard::with_room(part, move || {
            let template = Self { part, engine: Some(Arc::new(Engine::compile(part, &source)?)) };
            sample::each(|candidate| template.render(candidate).map(drop))?;
            Ok(template)
        })
    }

    /// The text for a stream, bounded and without stray blanks.
    ///
    /// # Errors
    /// [`TemplateError`] when the template fails on this stream.
    pub fn render(&self, candidate: &Candidate<'_>) -> Result<String, TemplateError> {
        let text = match &self.engine {
            Some(engine) => engine.render(candidate).map_err(|error| located(self.part, &error))?,
            None => self.part.plain(candidate),
        };
        Ok(tidy(&text, self.part))
    }
}

impl Part {
    fn default_source(self) -> &'static str {
        match self {
            Self::Name => default::NAME,
            Self::Description => default::DESCRIPTION,
        }
    }

    fn plain(self, candidate: &Candidate<'_>) -> String {
        match self {
            Self::Name => plain::name(candidate),
            Self::Description => plain::description(candidate),
        }
    }

    fn longest(self) -> usize {
        match self {
            Self::Name => LONGEST_NAME,
            Self::Description => LONGEST_DESCRIPTION,
        }
    }
}

impl Engine {
    fn compile(part: Part, source: &str) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        // Among the engine's own are some that make values without an end.
        let globals: Vec<String> = environment.globals().map(|(name, _)| name.to_owned()).collect();
        globals.iter().for_each(|name| environment.remove_global(name));
        functions::add_to(&mut environment);
        environment.add_template_owned(ONLY, source.to_owned()).map_err(|error| located(part, &error))?;
        let names = environment.get_template(ONLY).map_err(|error| located(part, &error))?.undeclared_variables(true);
        let globals: HashSet<&str> = environment.globals().map(|(name, _)| name).collect();
        let unknown = |name: String| {
            let short: String = name.chars().take(40).collect();
            let message = match context::near(&name) {
                Some(near) => format!("“{short}” is unknown; write {near}"),
                None => format!("“{short}” is unknown; see the list of names"),
            };
            TemplateError { part, line: line_of(source, &name), message }
        };
        let mut roots: Vec<Root> = Vec::new();
        for name in names {
            let root = name.split('.').next().unwrap_or_default();
            if globals.contains(root) {
                continue;
            }
            let found = context::find(&name).ok_or_else(|| unknown(name.clone()))?;
            if !roots.iter().any(|root| root.name() == found.name()) {
                roots.push(found);
            }
        }
        Ok(Self { environment, roots })
    }

    fn render(&self, candidate: &Candidate<'_>) -> Result<String, minijinja::Error> {
        self.environment.get_template(ONLY)?.render(context::of(&self.roots, candidate))
    }
}

fn located(part: Part, error: &minijinja::Error) -> TemplateError {
    let message = match error.kind() {
        ErrorKind::OutOfFuel => "the template takes too many steps or makes too much text".to_owned(),
        kind => match error.detail() {
            Some(detail) => format!("{kind}: {}", detail.chars().take(160).collect::<String>()),
            None => kind.to_string(),
        },
    };
    TemplateError { part, line: error.line().unwrap_or(1).max(1), message }
}

fn line_of(source: &str, name: &str) -> usize {
    let last = name.rsplit('.').next().unwrap_or(name);
    source.find(last).and_then(|place| source.get(..place)).map_or(1, |before| before.matches('\n').count() + 1)
}

/// Lines without blanks around them, without empty ones, up to the part's length.
fn tidy(text: &str, part: Part) -> String {
    let mut tidied = String::with_capacity(text.len().min(part.longest() * 4));
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !tidied.is_empty() {
            tidied.push('\n');
        }
        tidied.push_str(line);
    }
    if let Some((end, _)) = tidied.char_indices().nth(part.longest()) {
        tidied.truncate(end);
        tidied.truncate(tidied.trim_end().len());
    }
    tidied
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::Description => "description",
        })
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("part", &self.part).field("default", &self.engine.is_none()).finish()
    }
}
