//! What is refused before the engine sees a template, and where the engine may read it.
//!
//! The engine's fuel bounds what a template does, but not how deeply its expressions and values nest. So a template keeps
//! no values between its expressions (no `set`, loops only over lists that are there), and is read on a thread with a
//! stack that the longest source cannot exhaust.

use std::sync::LazyLock;

use regex::Regex;

use super::{Part, TemplateError};

/// Several times what the longest and deepest source took in an unoptimised build.
const STACK: usize = 32 * 1024 * 1024;

/// Tags from their `{%` to where their form is known to be harmless.
static TAG: LazyLock<Result<Regex, regex::Error>> = LazyLock::new(|| {
    Regex::new(r"^\{%[-+]?\s*(?:(?:if|elif|else|endif|endfor)\b|for\s+\w+\s+in\s+[\w.]+(?:\s*\|\s*\w+)*\s*[-+]?%\})")
});

/// Refuses tags that carry values on. Looks at every `{%`, also within texts and comments, where it is never needed.
pub(super) fn check(part: Part, source: &str) -> Result<(), TemplateError> {
    let Ok(tag) = TAG.as_ref() else { return Ok(()) };
    for (place, _) in source.match_indices("{%") {
        let rest = source.get(place..).unwrap_or_default();
        if tag.is_match(rest) {
            continue;
        }
        let word: String = rest
            .chars()
            .skip(2)
            .skip_while(|c| c.is_whitespace() || matches!(c, '-' | '+'))
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .take(40)
            .collect();
        let message = if word == "for" {
            "a loop goes over one list, as in {% for language in Languages %}".to_owned()
        } else {
            format!("the tag “{word}” is not taken; use if, elif, else, endif, for and endfor")
        };
        let line = source.get(..place).unwrap_or_default().matches('\n').count() + 1;
        return Err(TemplateError { part, line, message });
    }
    Ok(())
}

/// Runs something on a thread with a large stack.
pub(super) fn with_room<T: Send + 'static>(
    part: Part,
    job: impl FnOnce() -> Result<T, TemplateError> + Send + 'static,
) -> Result<T, TemplateError> {
    let thread = std::thread::Builder::new().name("template".to_owned()).stack_size(STACK).spawn(job);
    let failed = |message: &str| TemplateError { part, line: 1, message: message.to_owned() };
    let thread = thread.map_err(|_| failed("the server is too busy to read the template; try again"))?;
    thread.join().unwrap_or_else(|_| Err(failed("the template cannot be read")))
}
