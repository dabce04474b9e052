//! Which operation a request means. Paths are matched without regard to case, as the service does; a known path with
//! another method is told apart from an unknown path (405 and 404).

use super::Request;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    OAuth,
    Rest,
    Widget,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Resource,
    Contact,
    Lead,
    Activity,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Resource, Self::Contact, Self::Lead, Self::Activity];

    pub fn name(self) -> &'static str {
        ["resource", "contact", "lead", "activity"][self as usize]
    }

    pub fn title(self) -> &'static str {
        ["Resource", "Contact", "Lead", "Activity"][self as usize]
    }

    /// The widget API's letter. C is a client there, so a contact is N.
    pub fn from_letter(letter: &str) -> Option<Self> {
        match letter {
            "R" | "r" => Some(Self::Resource),
            "N" | "n" => Some(Self::Contact),
            "L" | "l" => Some(Self::Lead),
            "A" | "a" => Some(Self::Activity),
            _ => None,
        }
    }

    fn from_segment(segment: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == segment)
    }
}

/// A request understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub api: Api,
    pub operation: String,
    pub kind: Option<Kind>,
    pub id: i64,
    pub other_id: i64,
}

pub fn route(request: &Request) -> Call {
    let path = request.path.to_ascii_lowercase();
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    let only = |api, method: &str, operation: &str| {
        let operation = if request.method == method { operation } else { "wrong_method" };
        Call { api, operation: operation.to_owned(), kind: None, id: 0, other_id: 0 }
    };
    match segments.as_slice() {
        ["oauth2", "token"] => only(Api::OAuth, "POST", "token"),
        ["oauth2", "authorize"] => only(Api::OAuth, "GET", "authorize"),
        ["api", "auth", "exchangetoken"] => only(Api::Rest, "POST", "exchange"),
        ["api", "widget", operation] => only(Api::Widget, "POST", widget_operation(operation)),
        ["api", "v1", rest @ ..] => rest_operation(&request.method, rest),
        _ => only(Api::Rest, &request.method, "unknown"),
    }
}

fn widget_operation(segment: &str) -> &'static str {
    match segment {
        "checklogon" => "check_logon",
        "createresource" => "create_resource",
        "createcontact" => "create_contact",
        "createlead" => "create_lead",
        "createactivity" => "create_activity",
        "attachdocument" => "attach_document",
        "resourceapplication" => "longlist",
        "getrecords" => "get_records",
        "getindividualrecord" => "get_individual_record",
        "checkperson" => "check_person",
        "createresourcefromresume" => "create_from_resume",
        "createopportunity" => "create_opportunity",
        "updaterecord" => "update_record",
        "getsettings" => "get_settings",
        "getsettingsdata" => "get_settings_data",
        _ => "unknown",
    }
}

fn rest_operation(method: &str, segments: &[&str]) -> Call {
    let number = |text: &str| text.parse::<i64>().ok().filter(|n| i32::try_from(*n).is_ok());
    let kind = segments.first().and_then(|s| Kind::from_segment(s));
    let mut call = Call { api: Api::Rest, operation: "unknown".to_owned(), kind, id: 0, other_id: 0 };
    // Verb, method, whether the kind's name follows the verb.
    let mut choices: Vec<(&str, &str, bool)> = Vec::new();
    if office_operation(segments, &mut call, &mut choices) {
        return named(call, &choices, None, method);
    }
    match segments {
        ["metadata"] => choices.push(("metadata", "GET", false)),
        ["opportunity", "longlist"] => choices.push(("longlist", "POST", false)),
        ["opportunity", id, "longlist"] => {
            call.id = number(id).unwrap_or(-1);
            choices.push(("get_longlist", "GET", false));
        }
        ["opportunity", id, "longlist", "resource", other] => {
            (call.id, call.other_id) = (number(id).unwrap_or(-1), number(other).unwrap_or(-1));
            choices.push(("delete_longlist", "DELETE", false));
        }
        [_] if kind.is_some() => choices.push(("create", "POST", true)),
        [_, "search"] if kind.is_some() => choices.push(("search", "POST", true)),
        [_, "search", "customfield"] if matches!(kind, Some(Kind::Resource | Kind::Contact)) => {
            call.other_id = 1;
            choices.push(("search", "POST", true));
        }
        [_, "attachdocument"] if kind.is_some_and(|k| k != Kind::Activity) => {
            choices.push(("attach_document", "POST", false));
        }
        [_, id] if kind.is_some() && number(id).is_some() => {
            call.id = number(id).unwrap_or(-1);
            choices.extend([("get", "GET", true), ("update", "PATCH", true), ("delete", "DELETE", true)]);
        }
        ["resource", id, "documents"] if number(id).is_some() => {
            call.id = number(id).unwrap_or(-1);
            choices.push(("list_documents", "GET", false));
        }
        ["resource", id, "document", other] => {
            (call.id, call.other_id) = (number(id).unwrap_or(-1), number(other).unwrap_or(-1));
            choices.push(("get_document", "GET", false));
        }
        _ => {}
    }
    if choices.is_empty() {
        return call;
    }
    named(call, &choices, kind, method)
}

fn named(mut call: Call, choices: &[(&str, &str, bool)], kind: Option<Kind>, method: &str) -> Call {
    call.operation = match (choices.iter().find(|(_, wanted, _)| *wanted == method), kind) {
        (Some((verb, _, true)), Some(kind)) => format!("{verb}_{}", kind.name()),
        (Some((verb, ..)), _) => (*verb).to_owned(),
        (None, _) => "wrong_method".to_owned(),
    };
    call
}

/// What there is around people; says whether the path is one of these.
fn office_operation<'a>(segments: &[&str], call: &mut Call, choices: &mut Vec<(&'a str, &'a str, bool)>) -> bool {
    let id = |text: &str| text.parse::<i64>().ok().filter(|n| i32::try_from(*n).is_ok());
    let found: &[(&str, &str)] = match segments {
        ["opportunity"] => &[("create_opportunity", "POST")],
        ["opportunity", "search"] => &[("search_opportunity", "POST")],
        ["opportunity", job] if id(job).is_some() => {
            &[("get_opportunity", "GET"), ("update_opportunity", "PATCH"), ("delete_opportunity", "DELETE")]
        }
        ["opportunity", _, "applicants"] => &[("get_applicants", "GET")],
        ["opportunity", _, "shortlist", "resource", _] => &[("delete_shortlist", "DELETE")],
        ["opportunityresource"] => &[("shortlist", "POST")],
        ["opportunityresource", "shortlist", _] => &[("get_shortlist", "GET")],
        ["partnerrecord"] => &[("create_partner_record", "POST")],
        ["partnerrecord", "search"] => &[("search_partner_record", "POST")],
        ["partnerrecord", _] => &[("update_partner_record", "PATCH"), ("delete_partner_record", "DELETE")],
        ["partnerrecord", _, "partner", _] => &[("get_partner_record", "GET")],
        ["webhook"] => &[("create_webhook", "POST"), ("update_webhook", "PATCH")],
        ["webhook", "list"] => &[("list_webhooks", "GET")],
        ["webhook", "meta", "actions"] => &[("webhook_meta", "GET")],
        ["webhook", "actions", _] => &[("get_webhook_actions", "GET")],
        ["webhook", _] => &[("get_webhook", "GET"), ("delete_webhook", "DELETE")],
        ["user", "search"] => &[("search_user", "POST")],
        ["user", _] => &[("get_user", "GET")],
        ["metadata", "recordtypes"] => &[("record_types", "GET")],
        ["customfields", _] => &[("custom_field_list", "GET")],
        ["resource", "createfromresume"] => &[("create_from_resume", "POST")],
        ["resource", _, "skills"] => {
            &[("get_skills", "GET"), ("add_skills", "POST"), ("set_skills", "PUT"), ("delete_skills", "DELETE")]
        }
        ["resource", _, "skills", _] => &[("get_skill", "GET"), ("delete_skill", "DELETE")],
        ["resource" | "contact" | "lead" | "opportunity", "documentfolders", _] => &[("document_folders", "GET")],
        _ => return false,
    };
    // The first number of the path is the record, the second what belongs to it.
    let last = segments.len() - 1;
    let mut numbers = segments.iter().map(|part| id(part)).enumerate().filter_map(|(at, number)| Some((at, number?)));
    if let Some((at, first)) = numbers.next() {
        // A partner's number ends the path also where the record's own id is no number.
        (call.id, call.other_id) = if at == last && last == 3 { (0, first) } else { (first, 0) };
    }
    if let Some((_, second)) = numbers.next() {
        call.other_id = second;
    }
    choices.extend(found.iter().map(|(name, method)| (*name, *method, false)));
    true
}
