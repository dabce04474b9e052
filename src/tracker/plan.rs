//! From mapped members to the requests of one submission, in their order. Ids of earlier steps, credentials and
//! file content join when a step is sent; nothing here is secret.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::activity::{ActivityText, activity_kind, marked_note};
use super::time::iso;
use crate::mapping::Mapped;
use crate::settings::{Api, RecordType};
use crate::submission::FilePart;

macro_rules! kinds {
    ($($variant:ident = $name:literal, $words:literal;)+) => {
        /// What a step does, in the order of the steps.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum StepKind { $(#[doc = $words] $variant,)+ }

        impl StepKind {
            /// Every kind, in the order of the steps.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the store and on screens.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it does, in plain English.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words),+ }
            }

            /// The kind of a name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.name() == name)
            }
        }
    };
}

kinds! {
    Find = "find", "Look for an existing record.";
    Contact = "contact", "Create the person of a lead.";
    Record = "record", "Create the record.";
    Longlist = "longlist", "Put the candidate on the job's long list.";
    Activity = "activity", "Log an activity.";
    Document = "document", "Attach a file.";
}

/// An id that an earlier step gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// Of the Contact of a REST Lead.
    Contact,
    /// Of the record.
    Record,
}

/// A request that will be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// What it does.
    pub kind: StepKind,
    /// The path on its host; empty for a look.
    pub path: String,
    /// The body; places that are filled at the send hold 0 or nothing.
    pub body: Value,
    /// JSON pointers to places of ids.
    #[serde(default)]
    pub links: Vec<(String, Link)>,
    /// JSON pointer to the object whose texts may name the record.
    #[serde(default)]
    pub text_at: Option<String>,
    /// The file of a document.
    #[serde(default)]
    pub file: Option<u32>,
    /// JSON pointer to the place of its base64.
    #[serde(default)]
    pub file_at: Option<String>,
    /// The note of an activity where the record was there already: with what the form brought, since no create carries it.
    #[serde(default)]
    pub note_if_found: Option<String>,
    /// Whether it is sent only then.
    #[serde(default)]
    pub only_if_found: bool,
}

impl Planned {
    /// Whether it goes to the widget API.
    pub fn is_widget(&self) -> bool {
        self.path.starts_with("/api/widget/")
    }

    /// The body, as it is for a record that was made or for one that was found.
    pub fn body_for(&self, found: bool) -> Value {
        let mut body = self.body.clone();
        if let (true, Some(at), Some(note)) = (found, &self.text_at, &self.note_if_found)
            && let Some(object) = body.pointer_mut(at).and_then(Value::as_object_mut)
        {
            object.insert("note".into(), json!(note));
        }
        body
    }
}

/// What a plan is made of.
#[derive(Debug)]
pub struct PlanInput<'a> {
    /// The API that writes.
    pub api: Api,
    /// What the submission becomes.
    pub record_type: RecordType,
    /// The mapped members.
    pub mapped: &'a Mapped,
    /// Whether an existing person is looked for first.
    pub find: bool,
    /// The activity, if one is wanted.
    pub activity: Option<&'a ActivityText>,
    /// The files that are sent.
    pub files: &'a [FilePart],
    /// The text by which the record can be found again.
    pub marker: &'a str,
    /// The custom field that may hold it.
    pub marker_field: Option<i64>,
    /// Receipt, milliseconds since 1970.
    pub received_at: i64,
}

/// The requests of a submission, in order.
pub fn steps(input: &PlanInput<'_>) -> Vec<Planned> {
    let mut all = Vec::new();
    // createLead finds or makes the person of a Lead by itself; the Lead is always new.
    let finds = input.api == Api::Rest || input.record_type != RecordType::Lead;
    if input.find && finds && input.mapped.email.is_some() {
        all.push(step(StepKind::Find, "", Value::Null));
    }
    match input.api {
        Api::Rest => rest(input, &mut all),
        Api::Widget => widget(input, &mut all),
    }
    all
}

fn step(kind: StepKind, path: &str, body: Value) -> Planned {
    Planned {
        kind,
        path: path.to_owned(),
        body,
        links: Vec::new(),
        text_at: None,
        file: None,
        file_at: None,
        note_if_found: None,
        only_if_found: false,
    }
}

fn rest(input: &PlanInput<'_>, all: &mut Vec<Planned>) {
    let mut record = input.mapped.record.clone();
    if input.record_type == RecordType::Lead {
        let mut contact = input.mapped.contact.clone();
        mark(&mut contact, input, true);
        all.push(step(StepKind::Contact, "/api/v1/Contact", Value::Object(contact)));
        record.insert("associations".into(), json!({ "contacts": [{ "id": 0 }] }));
    }
    mark(&mut record, input, input.record_type != RecordType::Resource);
    let mut create = step(StepKind::Record, &format!("/api/v1/{}", input.record_type.name()), Value::Object(record));
    if input.record_type == RecordType::Lead {
        create.links.push(("/associations/contacts/0/id".into(), Link::Contact));
    }
    all.push(create);
    if let (Some(job), RecordType::Resource) = (input.mapped.job_id, input.record_type) {
        let mut list =
            step(StepKind::Longlist, "/api/v1/Opportunity/Longlist", json!({ "resourceId": 0, "opportunityId": job }));
        list.links.push(("/resourceId".into(), Link::Record));
        all.push(list);
    }
    if let Some(activity) = input.activity {
        let many = format!("{}s", input.record_type.name().to_lowercase());
        let mut body = json!({ "subject": activity.subject, "note": marked_note(&activity.notes, input.marker), "contactDirection": "Inbound",
            "startDateTime": iso(input.received_at), "associations": { many.as_str(): [{ "id": 0 }] } });
        if let (Some(kind), Some(object)) = (activity_kind(&activity.kind), body.as_object_mut()) {
            object.insert("activityType".into(), kind);
        }
        let mut logged = step(StepKind::Activity, "/api/v1/Activity", body);
        logged.links.push((format!("/associations/{many}/0/id"), Link::Record));
        logged.text_at = Some(String::new());
        activity.tell(&mut logged, input.marker);
        all.push(logged);
    }
    for (file, kind) in with_kinds(input.files) {
        let path = format!("/api/v1/{}/AttachDocument", input.record_type.name());
        let body = json!({ "filename": file.name, "documentType": kind, "documentData": "", "recordId": 0, "isPrimary": kind == "resume" });
        let mut document = step(StepKind::Document, &path, body);
        document.links.push(("/recordId".into(), Link::Record));
        document.file = Some(file.ordinal);
        document.file_at = Some("/documentData".into());
        all.push(document);
    }
}

fn widget(input: &PlanInput<'_>, all: &mut Vec<Planned>) {
    let record = &input.mapped.record;
    let (operation, member, instructions) = match input.record_type {
        RecordType::Resource => ("createResource", "resource", json!({ "overwriteresource": false })),
        RecordType::Contact => {
            ("createContact", "contact", json!({ "createcompanyifnotexists": false, "overwritecontact": false }))
        }
        RecordType::Lead => {
            ("createLead", "lead", json!({ "createpersonifnotexists": true, "notifydepartment": false }))
        }
    };
    let mut record = record.clone();
    // createContact has no custom fields.
    if let (Some(field), true) = (input.marker_field, input.record_type != RecordType::Contact) {
        push_custom(&mut record, "customfields", field, input.marker);
    }
    all.push(enveloped(
        StepKind::Record,
        operation,
        json!({ "credentials": {}, "instructions": instructions, member: record }),
    ));
    if let (Some(job), RecordType::Resource) = (input.mapped.job_id, input.record_type) {
        let instructions = json!({ "opportunityid": job, "resourceid": 0, "assigntolist": "long", "shortlistedby": "resource", "source": input.mapped.source });
        let mut list = enveloped(
            StepKind::Longlist,
            "resourceApplication",
            json!({ "credentials": {}, "instructions": instructions }),
        );
        list.links.push(("/trackerrms/resourceApplication/instructions/resourceid".into(), Link::Record));
        all.push(list);
    }
    let letter = match input.record_type {
        RecordType::Resource => "R",
        RecordType::Contact => "N",
        RecordType::Lead => "L",
    };
    if let Some(activity) = input.activity {
        let when = iso(input.received_at);
        let mut body = json!({ "subject": activity.subject, "date": when.get(..10), "time": when.get(11..16), "contactType": "Inbound",
            "note": marked_note(&activity.notes, input.marker), "linkRecordType": letter, "linkRecordId": 0 });
        if let (false, Some(object)) = (activity.kind.trim().is_empty(), body.as_object_mut()) {
            object.insert("type".into(), json!(activity.kind.trim()));
        }
        let mut logged = enveloped(
            StepKind::Activity,
            "createActivity",
            json!({ "credentials": {}, "instructions": {}, "activity": body }),
        );
        logged.links.push(("/trackerrms/createActivity/activity/linkRecordId".into(), Link::Record));
        logged.text_at = Some("/trackerrms/createActivity/activity".into());
        activity.tell(&mut logged, input.marker);
        all.push(logged);
    }
    for (file, kind) in with_kinds(input.files) {
        let primary = if kind == "resume" { "y" } else { "n" };
        let body = json!({ "filename": file.name, "recordType": letter, "recordId": 0, "documentType": kind, "primary": primary, "data": "" });
        let mut document = enveloped(StepKind::Document, "attachDocument", json!({ "credentials": {}, "file": body }));
        document.links.push(("/trackerrms/attachDocument/file/recordId".into(), Link::Record));
        document.file = Some(file.ordinal);
        document.file_at = Some("/trackerrms/attachDocument/file/data".into());
        all.push(document);
    }
}

fn enveloped(kind: StepKind, operation: &str, inner: Value) -> Planned {
    step(kind, &format!("/api/widget/{operation}"), json!({ "trackerrms": { operation: inner } }))
}

/// Puts the marker where it can be found again: the configured custom field, and `internalReference` where there is one.
fn mark(record: &mut Map<String, Value>, input: &PlanInput<'_>, has_reference: bool) {
    if let Some(field) = input.marker_field {
        push_custom(record, "customFields", field, input.marker);
    }
    if has_reference {
        record.entry("internalReference").or_insert_with(|| json!(input.marker));
    }
}

fn push_custom(record: &mut Map<String, Value>, name: &str, field: i64, value: &str) {
    let fields = record.entry(name).or_insert_with(|| json!([]));
    if let Some(list) = fields.as_array_mut() {
        list.push(json!({ "id": field, "value": value }));
    }
}

/// Each file with Tracker's kind of document: the first that is a text is the CV.
fn with_kinds(files: &[FilePart]) -> impl Iterator<Item = (&FilePart, &'static str)> {
    let resume =
        files.iter().find(|file| file.refused == 0 && !file.mime.starts_with("image/")).map(|file| file.ordinal);
    files.iter().map(move |file| (file, if Some(file.ordinal) == resume { "resume" } else { "general" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input<'a>(
        mapped: &'a Mapped,
        api: Api,
        record_type: RecordType,
        files: &'a [FilePart],
        activity: Option<&'a ActivityText>,
    ) -> PlanInput<'a> {
        PlanInput {
            api,
            record_type,
            mapped,
            find: true,
            activity,
            files,
            marker: "ht-1",
            marker_field: None,
            received_at: 1_772_366_400_000,
        }
    }

    fn mapped() -> Mapped {
        let mut mapped = Mapped { email: Some("ada@example.org".into()), job_id: Some(42), ..Mapped::default() };
        mapped.record.insert("surname".into(), json!("Lovelace"));
        mapped.contact.insert("surname".into(), json!("Lovelace"));
        mapped
    }

    fn file(ordinal: u32, mime: &str) -> FilePart {
        FilePart {
            ordinal,
            field: "cv".into(),
            name: "cv".into(),
            mime: mime.into(),
            size: 1,
            stored: "x".into(),
            refused: 0,
        }
    }

    #[test]
    fn steps_come_in_the_order_of_the_table_on_both_apis() {
        let mapped = mapped();
        let text = ActivityText {
            subject: "s".into(),
            notes: "n".into(),
            kind: "7".into(),
            brought: String::new(),
            only_if_found: false,
        };
        let files = [file(1, "image/png"), file(2, "application/pdf")];
        for api in [Api::Rest, Api::Widget] {
            let plan = steps(&input(&mapped, api, RecordType::Resource, &files, Some(&text)));
            let kinds: Vec<StepKind> = plan.iter().map(|step| step.kind).collect();
            assert_eq!(
                kinds,
                [
                    StepKind::Find,
                    StepKind::Record,
                    StepKind::Longlist,
                    StepKind::Activity,
                    StepKind::Document,
                    StepKind::Document
                ]
            );
            let text = plan.iter().map(|step| step.body.to_string()).collect::<String>();
            assert!(text.contains("ht-1"), "the marker is in the activity");
            for step in &plan {
                assert!(step.links.iter().all(|(at, _)| step.body.pointer(at).is_some()), "{:?}", step.kind);
                assert!(step.file_at.as_ref().is_none_or(|at| step.body.pointer(at).is_some()));
            }
        }
    }

    #[test]
    fn a_rest_lead_has_its_contact_first_and_both_carry_the_marker() {
        let mapped = mapped();
        let plan = steps(&input(&mapped, Api::Rest, RecordType::Lead, &[], None));
        let kinds: Vec<StepKind> = plan.iter().map(|step| step.kind).collect();
        assert_eq!(kinds, [StepKind::Find, StepKind::Contact, StepKind::Record]);
        assert!(plan[1..].iter().all(|step| step.body.get("internalReference") == Some(&json!("ht-1"))));
    }

    #[test]
    fn the_first_text_document_is_the_cv() {
        let files = [file(1, "image/png"), file(2, "application/pdf"), file(3, "application/pdf")];
        let kinds: Vec<&str> = with_kinds(&files).map(|(_, kind)| kind).collect();
        assert_eq!(kinds, ["general", "resume", "general"]);
    }
}
