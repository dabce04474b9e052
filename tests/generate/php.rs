//! The plugin's tables as PHP. Every text becomes a literal inside `__()`, because that is where translators' tools look;
//! nothing is put together at run time.

use halt_tracker::codes;
use halt_tracker::mapping::template;
use halt_tracker::queue::state::{Pause, State, StepState};
use halt_tracker::settings::{self, Kind, Setting};
use halt_tracker::tracker::catalogue;
use halt_tracker::tracker::plan::StepKind;
use std::fmt::Write;

fn file(purpose: &str, rows: &str) -> String {
    format!(
        "<?php\n/**\n * {purpose}\n *\n * @package halt-tracker\n */\n\ndeclare(strict_types=1);\n\n\
         defined('ABSPATH') || exit;\n\nreturn [\n{rows}];\n"
    )
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A text for people; an empty one is not for people.
fn translated(text: &str) -> String {
    if text.is_empty() { "''".to_owned() } else { format!("__({}, 'halt-tracker')", quoted(text)) }
}

fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", items.map(quoted).collect::<Vec<_>>().join(", "))
}

pub fn messages() -> String {
    let rows = codes::TABLE.iter().fold(String::new(), |mut out, row| {
        let part = |name: &str, text: &str| format!("'{name}' => {}", translated(text));
        let parts = [part("title", row.title), part("what", row.what), part("safe", row.safe), part("next", row.next)]
            .join(", ");
        let _ = writeln!(out, "    '{}' => [{parts}],", row.code);
        out
    });
    file(
        "The texts of every error code as literal strings, so that translators can see them; made from the engine's table of codes.",
        &rows,
    )
}

/// The name of a kind, its choices, and its range.
fn kind(row: &Setting) -> (&'static str, &'static [&'static str], Option<(i64, i64)>) {
    match row.kind {
        Kind::Text => ("text", &[], None),
        Kind::Lines => ("lines", &[], None),
        Kind::Choice(choices) => ("choice", choices, None),
        Kind::Switch => ("switch", &[], None),
        Kind::Number(low, high) => ("number", &[], Some((low, high))),
        Kind::Json => ("json", &[], None),
        Kind::Secret => ("secret", &[], None),
        Kind::Internal => ("internal", &[], None),
    }
}

pub fn settings() -> String {
    let rows = settings::TABLE.iter().fold(String::new(), |mut out, row| {
        let (name, choices, range) = kind(row);
        let end = |value: Option<i64>| value.map_or("null".to_owned(), |number| number.to_string());
        let _ = writeln!(
            out,
            "    ['name' => {}, 'kind' => '{name}', 'default' => {}, 'tab' => {}, 'label' => {}, 'help' => {}, 'choices' => {}, 'min' => {}, 'max' => {}],",
            quoted(row.name),
            quoted(row.default),
            quoted(row.tab),
            translated(row.label),
            translated(row.help),
            list(choices.iter().copied()),
            end(range.map(|(low, _)| low)),
            end(range.map(|(_, high)| high)),
        );
        out
    });
    file(
        "Every setting with its kind, default, label and help, so that pages, constants and commands agree; made from the engine's table of settings.",
        &rows,
    )
}

pub fn words() -> String {
    let group = |name: &str, rows: Vec<(&str, &str)>| {
        let rows = rows.iter().fold(String::new(), |mut out, (key, words)| {
            let _ = writeln!(out, "        {} => {},", quoted(key), translated(words));
            out
        });
        format!("    '{name}' => [\n{rows}    ],\n")
    };
    let mut rows = group("states", State::ALL.iter().map(|one| (one.name(), one.words())).collect());
    rows += &group("step_states", StepState::ALL.iter().map(|one| (one.name(), one.words())).collect());
    rows += &group("pauses", Pause::ALL.iter().map(|one| (one.name(), one.words())).collect());
    rows += &group("step_kinds", StepKind::ALL.iter().map(|one| (one.name(), one.words())).collect());
    rows += &group("placeholders", template::TABLE.to_vec());
    // Tracker's own names: they are not translated.
    let _ = writeln!(rows, "    'fields' => {},", list(catalogue::TABLE.iter().map(|field| field.name)));
    file(
        "What states, steps, pauses and placeholders mean, in plain words, and the names of Tracker's fields; made from the engine's tables.",
        &rows,
    )
}
