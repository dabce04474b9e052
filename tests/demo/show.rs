//! What came out: reads everything that the simulated Tracker holds, prints it for people, and says what is missing.

use crate::send::Sent;
use crate::stack::Stack;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

/// PHP that prints the queue, for a run in which something is missing.
pub const QUEUE: &str = "echo Halt\\Tracker\\WordPress\\Engine::raw('list', ['{}']), \"\\n\", Halt\\Tracker\\WordPress\\Engine::raw('status'), \"\\n\";";

fn rows<'a>(ledger: &'a Value, name: &str) -> &'a [Value] {
    ledger[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub fn print(ledger: &Value) {
    println!("\nTracker now holds:");
    for record in rows(ledger, "resources") {
        let name = format!("{} {}", text(&record["firstName"]), text(&record["surname"]));
        println!(
            "  Resource {}  {name}  <{}>  source {}",
            record["id"],
            text(&record["email"]),
            text(&record["source"])
        );
    }
    for activity in rows(ledger, "activities") {
        println!(
            "  Activity {}  \"{}\"  linked to {}",
            activity["id"],
            text(&activity["subject"]),
            activity["associations"]
        );
    }
    for document in rows(ledger, "documents") {
        println!(
            "  Document {}  {}  {} bytes  of {} {}",
            document["id"],
            text(&document["filename"]),
            document["bytes"],
            text(&document["record_type"]),
            document["record_id"]
        );
    }
}

/// Everything that is not as it should be; empty when all was seen.
pub fn problems(ledger: &Value, sent: &Sent) -> Vec<String> {
    let mut missing = Vec::new();
    let mut last = 0;
    for email in &sent.emails {
        let found: Vec<i64> = rows(ledger, "resources")
            .iter()
            .filter(|record| record["email"] == email.as_str())
            .filter_map(|record| record["id"].as_i64())
            .collect();
        let [id] = found[..] else {
            missing.push(format!("one record of {email}: there are {}", found.len()));
            continue;
        };
        last = id;
        let linked = rows(ledger, "activities").iter().filter(|activity| links_to(activity, id)).count();
        if linked != 1 {
            missing.push(format!("one activity linked to record {id} of {email}: there are {linked}"));
        }
    }
    let documents = rows(ledger, "documents");
    let [document] = documents else {
        missing.push(format!("one document: there are {}", documents.len()));
        return missing;
    };
    // The webhook was sent last, so that its record is the last one found.
    if document["record_id"].as_i64() != Some(last) || document["filename"] != sent.file {
        missing.push(format!("{} at record {last}", sent.file));
    }
    let held = document["data"].as_str().and_then(|data| BASE64.decode(data).ok());
    if held.as_deref() != Some(sent.bytes.as_slice()) {
        missing.push(format!("the bytes of {}: Tracker holds others", sent.file));
    }
    missing
}

fn links_to(activity: &Value, id: i64) -> bool {
    let list = activity["associations"]["resources"].as_array();
    list.is_some_and(|list| list.iter().any(|one| one["id"].as_i64() == Some(id)))
}

/// The admin pages that do not open for the administrator.
pub fn pages(site: &Stack) -> Vec<String> {
    let session = match site.login() {
        Ok(session) => session,
        Err(error) => return vec![format!("the log-in: {error}")],
    };
    let mut missing = Vec::new();
    for page in ["halt-tracker", "halt-tracker-sync-log", "halt-tracker-settings"] {
        let reply = site.get_as(&session, &format!("/wp-admin/admin.php?page={page}"));
        if reply.status != 200 || !reply.has("</html>") || reply.has("Fatal error") {
            missing.push(format!("the page {page}: status {}", reply.status));
        }
    }
    missing
}
