//! The faults of the matrix, and the steps that they hit.

/// What the network, or the server behind it, does to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Refused,
    ConnectTimeOut,
    Untrusted,
    WrongName,
    Expired,
    /// Before TLS was spoken.
    ResetAtAccept,
    /// After the handshake, before a byte of the request was read.
    ResetBefore,
    /// With a part of the request read.
    ResetWithin,
    ResetAfter,
    ResetAfterApply,
    NoAnswer,
    NoAnswerAfterApply,
    /// Applied when the sender had given up already.
    LateApply,
    CutInHead,
    CutInBody,
    /// Bytes that are no HTTP.
    Garbage,
    /// 200 with somebody's page, of a proxy or a portal.
    Page,
    PageAfterApply,
    /// A byte now and then.
    Drip,
    /// More announced than sent.
    TooShort,
    /// Less announced than sent.
    TooLong,
    /// No end in sight.
    Endless,
    Error500AfterApply,
    Error503Before,
    /// To a place that would take the applicant's data.
    Redirect,
}

use Fault::*;

impl Fault {
    pub const ALL: [Self; 25] = [
        Refused,
        ConnectTimeOut,
        Untrusted,
        WrongName,
        Expired,
        ResetAtAccept,
        ResetBefore,
        ResetWithin,
        ResetAfter,
        ResetAfterApply,
        NoAnswer,
        NoAnswerAfterApply,
        LateApply,
        CutInHead,
        CutInBody,
        Garbage,
        Page,
        PageAfterApply,
        Drip,
        TooShort,
        TooLong,
        Endless,
        Error500AfterApply,
        Error503Before,
        Redirect,
    ];

    /// Whether Tracker does the work.
    pub const fn applies(self) -> bool {
        matches!(
            self,
            ResetAfterApply
                | NoAnswerAfterApply
                | LateApply
                | CutInHead
                | CutInBody
                | Garbage
                | PageAfterApply
                | Drip
                | TooShort
                | TooLong
                | Endless
                | Error500AfterApply
        )
    }

    /// Whether the sender can be sure that nothing left.
    pub const fn proves_nothing_left(self) -> bool {
        matches!(self, Refused | ConnectTimeOut | Untrusted | WrongName | Expired | ResetAtAccept)
    }

    /// Whether a sender waits until its own patience ends.
    pub const fn needs_patience(self) -> bool {
        matches!(self, ConnectTimeOut | NoAnswer | NoAnswerAfterApply | LateApply | Drip)
    }
}

/// A step of the way, as a request shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Token,
    Exchange,
    Find,
    Contact,
    Record,
    Longlist,
    Activity,
    Document,
    /// Whether the credentials work; no way of a submission leads over it.
    Probe,
}

impl Step {
    /// The step of a request to an address, in a site whose submissions become records of a type.
    pub fn of(path: &str, method: &str, record_type: &str) -> Self {
        let record = [format!("/api/v1/{record_type}"), format!("/api/widget/create{record_type}")];
        match path {
            _ if path.ends_with("/oAuth2/Token") => Self::Token,
            _ if path.ends_with("/ExchangeToken") => Self::Exchange,
            "/api/widget/checkLogon" | "/api/v1/MetaData" => Self::Probe,
            _ if method == "GET" || path.contains("/Search") => Self::Find,
            _ if record.iter().any(|one| one == path) => Self::Record,
            "/api/v1/Contact" => Self::Contact,
            "/api/v1/Opportunity/Longlist" | "/api/widget/resourceApplication" => Self::Longlist,
            "/api/v1/Activity" | "/api/widget/createActivity" => Self::Activity,
            _ if path.ends_with("ttachDocument") => Self::Document,
            other => panic!("{method} {other} is no step"),
        }
    }

    /// The steps that a submission of a kind walks.
    pub fn all(api: &str, record_type: &str) -> Vec<Self> {
        let rest = api == "rest";
        let mut all = vec![Self::Token];
        if rest || record_type != "Lead" {
            all.extend([Self::Exchange, Self::Find]);
        }
        if rest && record_type == "Lead" {
            all.push(Self::Contact);
        }
        all.push(Self::Record);
        if record_type == "Resource" {
            all.push(Self::Longlist);
        }
        all.extend([Self::Activity, Self::Document]);
        all
    }
}
