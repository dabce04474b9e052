//! Writes the plugin's tables - error codes, settings, words - and the tables of docs/reference.md from the engine's own, so that
//! no screen can say another thing than the engine means. It invents no text: whatever is written stands in `src/`.
//!
//! `cargo run --no-default-features --example generate` writes; with `--check` it only compares, names every file that
//! differs and exits with 1.

mod php;
mod reference;

use std::path::Path;
use std::process::ExitCode;

/// The document whose tables are written; the rest of it is its author's.
const REFERENCE: &str = "docs/reference.md";

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // A document that is missing would else be one whose tables nobody compares.
    let reference = match std::fs::read_to_string(root.join(REFERENCE)) {
        Ok(text) => reference::filled(&text),
        Err(error) => Err(error.to_string()),
    };
    let reference = match reference {
        Ok(text) => text,
        Err(problem) => {
            eprintln!("{REFERENCE}: {problem}");
            return ExitCode::FAILURE;
        }
    };
    let wanted = [
        ("php-shim/includes/messages.php", php::messages()),
        ("php-shim/includes/settings-table.php", php::settings()),
        ("php-shim/includes/words.php", php::words()),
        (REFERENCE, reference),
    ];
    let mut outcome = ExitCode::SUCCESS;
    for (name, text) in wanted {
        let path = root.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|there| there == text) {
            continue;
        }
        if check {
            eprintln!(
                "{name} differs from the engine's tables; run: cargo run --no-default-features --example generate"
            );
            outcome = ExitCode::FAILURE;
        } else if let Err(error) = std::fs::write(&path, text) {
            eprintln!("{name}: {error}");
            outcome = ExitCode::FAILURE;
        } else {
            println!("wrote {name}");
        }
    }
    outcome
}
