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
    if value.is_null() {
        return "none".to_owned();
    }
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub fn print(ledger: &Value) {
    println!("\nTracker now holds:");
    for (list, kind) in [("resources", "Resource"), ("contacts", "Contact")] {
        for record in rows(ledger, list) {
            let name = format!("{} {}", text(&record["firstName"]), text(&record["surname"]));
            let (email, source) = (text(&record["email"]), text(&record["source"]));
            println!("  {kind} {}  {name}  <{email}>  source {source}  through {}", record["id"], text(&record["api"]));
        }
    }
    for lead in rows(ledger, "leads") {
        let (name, of) = (text(&lead["name"]), &lead["associations"]);
        println!("  Lead {}  \"{name}\"  of {of}  through {}", lead["id"], text(&lead["api"]));
    }
    for listing in rows(ledger, "longlist") {
        println!("  Long list of job {}  Resource {}", listing["opportunity_id"], listing["resource_id"]);
    }
    for activity in rows(ledger, "activities") {
        let subject = text(&activity["subject"]);
        println!("  Activity {}  \"{subject}\"  linked to {}", activity["id"], activity["associations"]);
    }
    for document in rows(ledger, "documents") {
        let (name, kind) = (text(&document["filename"]), text(&document["record_type"]));
        println!(
            "  Document {}  {name}  {} bytes  of {kind} {}",
            document["id"], document["bytes"], document["record_id"]
        );
    }
}

/// The ids of the records of a person. A Lead has no e-mail of its own: it is known by its title.
pub fn ids(ledger: &Value, one: &Sent) -> Vec<i64> {
    let is_theirs = |record: &&Value| match one.list {
        "leads" => record["api"] == one.api && text(&record["name"]).starts_with(&one.name),
        _ => record["api"] == one.api && record["email"] == one.email.as_str(),
    };
    rows(ledger, one.list).iter().filter(is_theirs).filter_map(|record| record["id"].as_i64()).collect()
}

/// Everything that is not as it should be; empty when all was seen.
pub fn problems(ledger: &Value, sent: &[Sent]) -> Vec<String> {
    let mut missing = Vec::new();
    for one in sent {
        let found = ids(ledger, one);
        let [id] = found[..] else {
            missing.push(format!(
                "one record of {} in {} through {}: there are {}",
                one.email,
                one.list,
                one.api,
                found.len()
            ));
            continue;
        };
        let linked = rows(ledger, "activities").iter().filter(|activity| links_to(activity, one.list, id)).count();
        if linked != 1 {
            missing.push(format!("one activity linked to record {id} of {}: there are {linked}", one.email));
        }
        let on_list =
            |row: &&Value| row["resource_id"].as_i64() == Some(id) && row["opportunity_id"].as_i64() == one.job;
        if one.job.is_some() && rows(ledger, "longlist").iter().filter(on_list).count() != 1 {
            missing.push(format!("{} on the long list of the job", one.email));
        }
        missing.extend(one.file.as_ref().and_then(|(name, bytes)| without_cv(ledger, id, name, bytes)));
    }
    let (documents, wanted) = (rows(ledger, "documents").len(), sent.iter().filter(|one| one.file.is_some()).count());
    if documents != wanted {
        missing.push(format!("{wanted} documents: there are {documents}"));
    }
    missing
}

fn without_cv(ledger: &Value, id: i64, name: &str, bytes: &[u8]) -> Option<String> {
    let document = rows(ledger, "documents").iter().find(|document| document["record_id"].as_i64() == Some(id));
    let Some(document) = document.filter(|document| document["filename"] == name) else {
        return Some(format!("{name} at record {id}"));
    };
    let held = document["data"].as_str().and_then(|data| BASE64.decode(data).ok());
    (held.as_deref() != Some(bytes)).then(|| format!("the bytes of {name}: Tracker holds others"))
}

fn links_to(activity: &Value, list: &str, id: i64) -> bool {
    let list = activity["associations"][list].as_array();
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
