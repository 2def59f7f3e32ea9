//! How many release names are read right, by a file of cases: one `{"field","name","want"}` object a line.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::shell;

/// One line of the file: what a field of a name should say.
#[derive(Debug, PartialEq)]
struct Case {
    field: String,
    name: String,
    want: Value,
}

/// Right and all cases of one field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Share {
    right: usize,
    all: usize,
}

impl Share {
    fn count(&mut self, right: bool) {
        self.right += usize::from(right);
        self.all += 1;
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Tenths of a percent, without a float's rounding up to 100.
        let tenths = (self.right * 1000).checked_div(self.all).unwrap_or(0);
        write!(f, "{:>5}.{} %  {:>5} of {}", tenths / 10, tenths % 10, self.right, self.all)
    }
}

/// Prints the shares for the file named first; `--wrong` also prints each case that was not right.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let file = args.first().context("name a file of cases: cargo xtask bench names FILE [--wrong]")?;
    let show_wrong = args.iter().any(|word| word == "--wrong");
    let cases = read_cases(Path::new(file))?;
    let parsed = parse(&cases)?;
    let mut fields: BTreeMap<&str, Share> = BTreeMap::new();
    let mut total = Share::default();
    for (case, parsed) in cases.iter().zip(&parsed) {
        let got = parsed.get(&case.field).unwrap_or(&Value::Null);
        let right = agrees(got, &case.want);
        fields.entry(&case.field).or_default().count(right);
        total.count(right);
        if show_wrong && !right {
            println!("{}: {}\n    wanted {}, got {got}", case.field, case.name, case.want);
        }
    }
    for (field, share) in &fields {
        println!("{field:<14} {share}");
    }
    println!("{:<14} {total}", "in total");
    Ok(())
}

fn read_cases(file: &Path) -> anyhow::Result<Vec<Case>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(at, line)| read_case(line).with_context(|| format!("{}:{}", file.display(), at + 1))).collect()
}

fn read_case(line: &str) -> anyhow::Result<Case> {
    let case: Value = serde_json::from_str(line)?;
    let text = |key: &str| case.get(key).and_then(Value::as_str).map(str::to_owned);
    Ok(Case {
        field: text("field").context("no text in `field`")?,
        name: text("name").context("no text in `name`")?,
        want: case.get("want").cloned().unwrap_or(Value::Null),
    })
}

/// Runs all names through the parser's example program, one line each way.
fn parse(cases: &[Case]) -> anyhow::Result<Vec<Value>> {
    if let Some(case) = cases.iter().find(|case| case.name.contains('\n')) {
        bail!("a name holds a line break, which the parser reads as two names: {:?}", case.name);
    }
    let mut example = shell::cargo(["run", "--quiet", "--release", "-p", "chill-release", "--example", "parse"]);
    let mut child = example.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
    let mut input = child.stdin.take().context("its input is piped")?;
    let names: String = cases.iter().flat_map(|case| [case.name.as_str(), "\n"]).collect();
    // Written beside the reading, so that neither pipe can fill up and block both.
    let writer = std::thread::spawn(move || input.write_all(names.as_bytes()));
    let output = child.wait_with_output()?;
    let written = writer.join().map_err(|_| anyhow::anyhow!("the writer thread ended badly"))?;
    if !output.status.success() {
        bail!("the example `parse` of chill-release failed ({})", output.status);
    }
    written.context("the example `parse` stopped reading")?;
    let text = String::from_utf8(output.stdout).context("the example `parse` printed something else than text")?;
    let parsed = text.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    if parsed.len() != cases.len() {
        bail!("{} names gave {} answers", cases.len(), parsed.len());
    }
    Ok(parsed)
}

/// A field that is left out agrees with every way to say nothing.
fn agrees(got: &Value, want: &Value) -> bool {
    got == want || (says_nothing(got) && says_nothing(want))
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Number(_) | Value::Object(_) | Value::Bool(true) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_becomes_a_case() {
        let case = read_case(r#"{"field":"seasons","name":"A.Show.S01","want":[1]}"#).unwrap();
        assert_eq!(case, Case { field: "seasons".into(), name: "A.Show.S01".into(), want: json!([1]) });
        assert!(read_case(r#"{"field":"seasons","want":[1]}"#).unwrap_err().to_string().contains("name"));
    }

    #[test]
    fn nothing_agrees_with_nothing_only() {
        assert!(agrees(&Value::Null, &json!([])));
        assert!(agrees(&json!(""), &json!(false)));
        assert!(!agrees(&Value::Null, &json!(0)));
        assert!(!agrees(&json!(["AAC"]), &json!(["AC3"])));
    }

    #[test]
    fn a_share_is_never_rounded_up() {
        assert_eq!(Share { right: 999, all: 1001 }.to_string().trim(), "99.8 %    999 of 1001");
        assert_eq!(Share::default().to_string().trim(), "0.0 %      0 of 0");
    }
}
