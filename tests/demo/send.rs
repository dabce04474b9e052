//! What goes in: settings as an administrator saves them, forms as visitors send them, a webhook as another program signs it.

use crate::stack::{Stack, divi};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// A person that was sent, and must be found in Tracker.
pub struct Sent {
    pub name: String,
    pub email: String,
    /// The simulator's list that must hold the record.
    pub list: &'static str,
    pub api: &'static str,
    /// The job whose long list the candidate joins.
    pub job: Option<i64>,
    /// A CV and its bytes.
    pub file: Option<(&'static str, Vec<u8>)>,
}

/// What a webhook's form becomes, as the Forms tab saves it. Divi's forms become Resources by default.
const FORMS: &str = r#"{"careers":{"field_map":{"firstName":"first_name","lastName":"last_name","email":"email","jobId":"job_id","source":":Website"}},"clients":{"record_type":"Contact"},"sales":{"record_type":"Lead"}}"#;
/// The job of the applications.
const JOB: i64 = 4711;

/// A secret for this run only; the site keeps it in its vault.
fn shared_secret() -> String {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    BASE64.encode(bytes)
}

/// The credentials that the simulator knows from its start, through the plugin's own gate to the engine; gives the
/// webhook's secret, which the site itself never gives back.
pub fn settings(site: &Stack) -> Result<String, String> {
    let secret = shared_secret();
    let code = format!(
        "use Halt\\Tracker\\WordPress\\{{Engine, Options}};
        foreach (['client_secret' => 'sim-client-secret-0123456789', 'refresh_token' => 'sim-refresh-token-0123456789', 'shared_secret' => '{secret}'] as $name => $value) {{
            if (Engine::call('saveSecret', [$name, $value])['set'] !== true) {{ throw new RuntimeException($name . ' was not saved'); }}
        }}
        Options::save('activity_enabled', '1');
        Options::save('forms', '{FORMS}');
        foreach (Engine::call('testConnection')['apis'] as $api) {{
            echo '  connection test: ', $api['api'], ' ', $api['works'] ? 'works' : 'does not work: ' . ($api['message'] ?? ''), \"\\n\";
        }}"
    );
    print!("{}", site.php(&code)?);
    Ok(secret)
}

/// Two Divi forms, and a webhook for each type of record; the application comes with a CV.
pub fn all(site: &Stack, secret: &str, api: &'static str) -> Result<Vec<Sent>, String> {
    let mut sent = Vec::new();
    for (path, first, last) in [(4, "Ada", "Lovelace"), (5, "Grace", "Hopper")] {
        let one = person(first, last, api, "resources");
        divi(site, path, &one)?;
        sent.push(one);
    }
    let file = Some(("jane-doe.pdf", pdf("Jane Doe - Curriculum Vitae")));
    sent.push(Sent { job: Some(JOB), file, ..person("Jane", "Doe", api, "resources") });
    sent.push(person("Carl", "Client", api, "contacts"));
    sent.push(person("Lena", "Lead", api, "leads"));
    for (one, form) in sent.iter().skip(2).zip(["careers", "clients", "sales"]) {
        webhook(site, secret, form, one)?;
    }
    Ok(sent)
}

pub fn person(first: &str, last: &str, api: &'static str, list: &'static str) -> Sent {
    let email = format!("{}.{}@{api}.example.org", first.to_lowercase(), last.to_lowercase());
    Sent { name: format!("{first} {last}"), email, list, api, job: None, file: None }
}

pub fn divi(site: &Stack, path: u8, one: &Sent) -> Result<(), String> {
    let fields = [("name", one.name.as_str()), ("email", &one.email), ("message", "I would like to apply.")];
    let reply = site.divi_apply(path, &fields);
    if !divi::accepted(&reply) {
        return Err(format!("the Divi {path} form was not accepted: status {}\n{}", reply.status, site.logs()));
    }
    println!("  Divi {path} form of {}: the visitor was thanked", one.name);
    Ok(())
}

fn webhook(site: &Stack, secret: &str, form: &str, one: &Sent) -> Result<(), String> {
    let (first, last) = one.name.split_once(' ').unwrap_or_default();
    let mut fields = json!({ "first_name": first, "last_name": last, "email": one.email });
    if let Some(job) = one.job {
        fields["job_id"] = json!(job);
    }
    let files: Vec<Value> = one
        .file
        .iter()
        .map(|(name, bytes)| json!({ "field": "resume", "name": name, "mime": "application/pdf", "content": BASE64.encode(bytes), "encoding": "base64" }))
        .collect();
    let body =
        json!({ "form_id": form, "fields": fields, "meta": { "utm_source": "linkedin" }, "files": files }).to_string();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
    let stamp = now.as_secs().to_string();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).map_err(|error| error.to_string())?;
    mac.update(format!("{stamp}.{body}").as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let headers = [
        ("Content-Type".to_owned(), "application/json".to_owned()),
        ("X-Halt-Timestamp".to_owned(), stamp),
        ("X-Halt-Webhook-Signature".to_owned(), signature),
    ];
    let reply = site.post_raw("/index.php?rest_route=/halt-tracker/v1/ingest", &headers, body.as_bytes());
    if reply.status != 202 {
        return Err(format!("the webhook answered {}: {}\n{}", reply.status, reply.text(), site.logs()));
    }
    let with = one.file.as_ref().map_or(String::new(), |(name, bytes)| format!(" with {name}, {} bytes", bytes.len()));
    println!("  webhook of the form {form}{with}: {} {}", reply.status, reply.text());
    Ok(())
}

/// A PDF of one page that readers open: objects, a table of their places, a trailer.
fn pdf(words: &str) -> Vec<u8> {
    let page = format!("BT /F1 24 Tf 72 720 Td ({words}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{page}\nendstream", page.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut out = String::from("%PDF-1.4\n");
    let mut places = String::from("0000000000 65535 f \n");
    for (at, object) in objects.iter().enumerate() {
        places.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.push_str(&format!("{} 0 obj\n{object}\nendobj\n", at + 1));
    }
    let start = out.len();
    let count = objects.len() + 1;
    out.push_str(&format!(
        "xref\n0 {count}\n{places}trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    ));
    out.into_bytes()
}
