//! The page at `/`: what this Tracker holds, for whoever tries the demo and wants to see where a submission went.
//! Plain HTML without scripts; it refuses to be a user interface.

use serde_json::Value;

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn show(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => escape(text),
        other => escape(&other.to_string()),
    }
}

fn table(title: &str, rows: &[Value], columns: &[(&str, &str)]) -> String {
    let mut out = format!("<h2>{title} <small>({})</small></h2>", rows.len());
    if rows.is_empty() {
        return out + "<p>None yet.</p>";
    }
    out += "<table><thead><tr>";
    columns.iter().for_each(|(_, heading)| out += &format!("<th scope=\"col\">{heading}</th>"));
    out += "</tr></thead><tbody>";
    for row in rows.iter().rev().take(200) {
        out += "<tr>";
        columns.iter().for_each(|(name, _)| out += &format!("<td>{}</td>", show(&row[*name])));
        out += "</tr>";
    }
    out + "</tbody></table>"
}

pub fn render(ledger: &Value, switches: &Value) -> String {
    let rows = |name: &str| ledger[name].as_array().cloned().unwrap_or_default();
    let mut out = String::from(concat!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Tracker simulator</title>",
        "<meta name=\"viewport\" content=\"width=device-width\"><style>",
        "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#1d2327}",
        "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;",
        "border-bottom:1px solid #dcdcde;overflow-wrap:anywhere}small{color:#50575e;font-weight:normal}",
        "</style></head><body><h1>Tracker simulator</h1>",
        "<p>This is not Tracker RMS. It stands in for it on this machine and keeps everything in memory. ",
        "Newest first; reload the page to see what is new.</p>",
    ));
    let person = [
        ("id", "Id"),
        ("created_at", "Created"),
        ("firstName", "First name"),
        ("surname", "Surname"),
        ("email", "E-mail"),
        ("phone", "Phone"),
        ("company", "Company"),
        ("jobTitle", "Job title"),
        ("source", "Source"),
        ("note", "Note"),
        ("api", "Made through"),
    ];
    out += &table("Candidates (resources)", &rows("resources"), &person);
    out += &table("Contacts", &rows("contacts"), &person);
    let lead = [
        ("id", "Id"),
        ("created_at", "Created"),
        ("name", "Name"),
        ("description", "Description"),
        ("source", "Source"),
        ("associations", "Linked to"),
        ("api", "Made through"),
    ];
    out += &table("Leads", &rows("leads"), &lead);
    let activity = [
        ("id", "Id"),
        ("created_at", "Created"),
        ("subject", "Subject"),
        ("note", "Note"),
        ("associations", "Linked to"),
        ("api", "Made through"),
    ];
    out += &table("Activities", &rows("activities"), &activity);
    let document = [
        ("id", "Id"),
        ("created_at", "Created"),
        ("record_type", "On"),
        ("record_id", "Record"),
        ("filename", "File name"),
        ("document_type", "Type"),
        ("bytes", "Bytes"),
    ];
    out += &table("Documents", &rows("documents"), &document);
    let listing = [
        ("created_at", "Added"),
        ("resource_id", "Candidate"),
        ("opportunity_id", "Job"),
        ("list", "List"),
        ("by", "Put there by"),
    ];
    out += &table("Candidates on jobs", &rows("longlist"), &listing);
    type Around = (&'static str, &'static str, &'static [(&'static str, &'static str)]);
    let around: [Around; 3] = [
        (
            "Jobs",
            "opportunities",
            &[("id", "Id"), ("name", "Name"), ("location", "Place"), ("description", "Description")],
        ),
        (
            "Ids of other systems",
            "partner_records",
            &[("recordType", "On"), ("recordId", "Record"), ("partnerRecordId", "Id there")],
        ),
        (
            "Call-backs (never made here)",
            "webhooks",
            &[("id", "Id"), ("recordType", "On"), ("action", "When"), ("url", "Address")],
        ),
    ];
    // Nothing of the product makes these: the page of the demo stays short.
    for (title, name, columns) in around.iter().filter(|(_, name, _)| !rows(name).is_empty()) {
        out += &table(title, &rows(name), columns);
    }
    let request = [
        ("at", "At"),
        ("method", "Method"),
        ("path", "Path"),
        ("operation", "Operation"),
        ("status", "Status"),
        ("fate", "Answer"),
        ("fault", "Fault"),
    ];
    out += &table("Requests", &rows("requests"), &request);
    out += "<h2>Switches</h2><table><thead><tr><th scope=\"col\">Switch</th><th scope=\"col\">Now</th><th scope=\"col\">Usually</th><th scope=\"col\">Meaning</th></tr></thead><tbody>";
    for (name, _, usual, meaning) in super::model::Switches::table() {
        let (now, usual) = (show(&switches[name]), show(&usual));
        out += &format!("<tr><td>{name}</td><td>{now}</td><td>{usual}</td><td>{}</td></tr>", escape(meaning));
    }
    out + "</tbody></table></body></html>"
}
