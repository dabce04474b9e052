//! The tables of docs/reference.md, between markers such as `<!-- settings -->` and `<!-- /settings -->`. Text outside the markers
//! is the author's and stays as it is.

use halt_tracker::codes;
use halt_tracker::settings::{self, Kind};
use std::fmt::Write;

/// The text with its tables written anew; a marker that is missing is a mistake, or its table would go unseen.
pub fn filled(text: &str) -> Result<String, String> {
    let text = between(text, "settings", &settings_table())?;
    between(&text, "codes", &codes_table())
}

fn between(text: &str, name: &str, table: &str) -> Result<String, String> {
    let (open, close) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&open).ok_or_else(|| format!("there is no {open}"))?;
    let (_, after) = rest.split_once(&close).ok_or_else(|| format!("{open} has no {close}"))?;
    Ok(format!("{before}{open}\n{table}{close}{after}"))
}

/// A bar or a line break would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn settings_table() -> String {
    let mut out = String::from("| Setting | Constant | Default | What it does |\n|---|---|---|---|\n");
    for row in settings::TABLE.iter().filter(|row| row.kind != Kind::Internal) {
        let takes = match row.kind {
            Kind::Choice(choices) => format!(" One of `{}`.", choices.join("`, `")),
            Kind::Number(low, high) => format!(" From {low} to {high}."),
            _ => String::new(),
        };
        let default = if row.default.is_empty() { String::new() } else { format!("`{}`", row.default) };
        let constant = row.name.to_uppercase();
        let (label, help) = (cell(row.label), cell(row.help));
        let _ = writeln!(out, "| {label} | `HALT_TRACKER_{constant}` | {} | {help}{takes} |", cell(&default));
    }
    out
}

fn codes_table() -> String {
    let mut out = String::from("| Code | What happened | Is the data safe | What to do |\n|---|---|---|---|\n");
    for row in codes::TABLE {
        let (title, what, safe, next) = (cell(row.title), cell(row.what), cell(row.safe), cell(row.next));
        let _ = writeln!(out, "| {} | **{title}.** {what} | {safe} | {next} |", row.code);
    }
    out
}
