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
        _ => "unknown",
    }
}

fn rest_operation(method: &str, segments: &[&str]) -> Call {
    let number = |text: &str| text.parse::<i64>().ok().filter(|n| i32::try_from(*n).is_ok());
    let kind = segments.first().and_then(|s| Kind::from_segment(s));
    let mut call = Call { api: Api::Rest, operation: "unknown".to_owned(), kind, id: 0, other_id: 0 };
    // Verb, method, whether the kind's name follows the verb.
    let mut choices: Vec<(&str, &str, bool)> = Vec::new();
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
    call.operation = match (choices.iter().find(|(_, wanted, _)| *wanted == method), kind) {
        (Some((verb, _, true)), Some(kind)) => format!("{verb}_{}", kind.name()),
        (Some((verb, ..)), _) => (*verb).to_owned(),
        (None, _) => "wrong_method".to_owned(),
    };
    call
}
