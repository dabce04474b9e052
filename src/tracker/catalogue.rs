//! The one table of Tracker's fields: the names under which a mapping may speak of them, their types, and where
//! they go on each API and record type. Mapping, checks, screens and docs read it; nobody else knows a member.
//!
//! Sources: the REST document's request schemas, and the lessons on createResource, createContact and createLead.

use crate::settings::{Api, RecordType};

/// The type that Tracker declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// True or false.
    Switch,
    /// `YYYY-MM-DD`.
    Date,
    /// ISO 8601 date and time.
    Moment,
    /// `{id}` or `{name}` on REST, its text on the widget API.
    Linked,
    /// A list of the above, separated by commas.
    LinkedList,
    /// First and last name in one; REST has no such member, so that it is split at the last space.
    FullName,
    /// The id of a job, whose long list the candidate joins.
    Job,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The name that screens show.
    pub name: &'static str,
    /// Other names for it, beyond spelling (case, `_`, `-` and spaces never count).
    pub synonyms: &'static [&'static str],
    /// Its type.
    pub kind: Kind,
    /// The member on the widget API for Resource, Contact, Lead; empty where there is none.
    widget: [&'static str; 3],
    /// The member on REST v1, dots for nesting.
    rest: [&'static str; 3],
}

impl Field {
    /// The member of an API and record type, or `None`.
    pub fn place(&self, api: Api, record_type: RecordType) -> Option<&'static str> {
        let at = match record_type {
            RecordType::Resource => 0,
            RecordType::Contact => 1,
            RecordType::Lead => 2,
        };
        let all = if api == Api::Rest { &self.rest } else { &self.widget };
        all.get(at).copied().filter(|member| !member.is_empty())
    }

    /// The member and the record that has it: the record itself, or the Contact of a REST Lead.
    pub fn reach(&self, api: Api, record_type: RecordType) -> Option<(RecordType, &'static str)> {
        let own = self.place(api, record_type).map(|member| (record_type, member));
        let of_lead = api == Api::Rest && record_type == RecordType::Lead;
        own.or_else(|| {
            of_lead.then(|| self.place(api, RecordType::Contact)).flatten().map(|member| (RecordType::Contact, member))
        })
    }
}

macro_rules! fields {
    ($($name:literal [$($synonym:literal),*] $kind:ident, $w1:literal $w2:literal $w3:literal, $r1:literal $r2:literal $r3:literal;)+) => {
        /// Every field.
        pub const TABLE: &[Field] = &[$(Field {
            name: $name, synonyms: &[$($synonym),*], kind: Kind::$kind, widget: [$w1, $w2, $w3], rest: [$r1, $r2, $r3],
        },)+];
    };
}

fields! {
    "fullName" ["name"] FullName, "fullname" "fullname" "fullname", "surname" "surname" "";
    "firstName" ["givenName", "forename"] Text, "firstname" "firstname" "firstname", "firstName" "firstName" "";
    "lastName" ["surname", "familyName"] Text, "lastname" "lastname" "lastname", "surname" "surname" "";
    "preferredName" [] Text, "" "" "", "preferredName" "preferredName" "";
    "displayAs" [] Text, "" "" "", "displayAs" "" "";
    "nickname" [] Text, "" "" "", "" "nickname" "";
    "email" ["emailAddress", "contactDetails.email"] Text, "email" "email" "email", "contactDetails.email" "contactDetails.email" "";
    "otherEmail" ["secondEmail"] Text, "" "" "", "otherEmail" "" "";
    "phone" ["telephone", "workPhone", "businessPhone", "contactDetails.telephone"] Text, "workphone" "businessphone" "businessphone", "contactDetails.telephone" "contactDetails.telephone" "";
    "mobile" ["mobilePhone", "cellPhone", "cell", "contactDetails.mobilePhone"] Text, "cellphone" "cellphone" "cellphone", "contactDetails.mobilePhone" "contactDetails.mobilePhone" "";
    "homePhone" [] Text, "homephone" "homephone" "homephone", "" "" "";
    "fax" ["contactDetails.fax"] Text, "" "" "", "contactDetails.fax" "contactDetails.fax" "";
    "jobTitle" ["position"] Text, "jobtitle" "jobtitle" "jobtitle", "jobTitle" "jobTitle" "";
    "company" ["organisation", "organization", "employer"] Text, "company" "company" "company", "" "company" "";
    "address1" ["addressLine1", "street", "address.addressLine1"] Text, "address1" "address1" "address1", "address.addressLine1" "address.addressLine1" "";
    "address2" ["addressLine2", "address.addressLine2"] Text, "address2" "address2" "address2", "address.addressLine2" "address.addressLine2" "";
    "city" ["town", "address.town"] Text, "city" "city" "city", "address.town" "address.town" "";
    "state" ["county", "region", "address.county"] Text, "state" "state" "state", "address.county" "address.county" "";
    "zipCode" ["zip", "postcode", "postalCode", "address.postcode"] Text, "zipcode" "zipcode" "zipcode", "address.postcode" "address.postcode" "";
    "country" ["address.country"] Text, "country" "country" "country", "address.country" "address.country" "";
    "linkedIn" ["linkedInUrl"] Text, "linkedin" "linkedin" "linkedin", "linkedInUrl" "" "";
    "website" ["url"] Text, "" "website" "website", "" "website" "";
    "image" ["photo"] Text, "image" "image" "image", "photo" "photo" "";
    "dateOfBirth" ["birthday"] Date, "dateofbirth" "" "", "dateOfBirth" "birthday" "";
    "anniversary" [] Date, "" "" "", "" "anniversary" "";
    "spousesName" [] Text, "" "" "", "" "spousesName" "";
    "nationality" [] Text, "nationality" "" "", "" "" "";
    "languages" [] Text, "languages" "" "", "languages" "" "";
    "education" ["educationSummary"] Text, "education" "" "", "educationSummary" "" "";
    "employmentHistory" [] Text, "" "" "", "employmentHistory" "" "";
    "achievements" [] Text, "" "" "", "achievements" "" "";
    "currentSituation" [] Text, "" "" "", "currentSituation" "" "";
    "source" [] Text, "source" "" "source", "source" "source" "source";
    "note" ["notes", "message", "comments"] Text, "note" "note" "description", "note" "note" "description";
    "description" [] Text, "" "" "description", "" "" "description";
    "strategy" [] Text, "" "" "", "" "" "strategy";
    "tagText" ["tags", "tag"] Text, "" "" "", "tagText" "tagText" "tagText";
    "internalReference" ["internalRef"] Text, "" "" "", "" "internalReference" "internalReference";
    "leadName" ["title"] Text, "" "" "leadname", "" "" "name";
    "leadPersonType" [] Text, "" "" "leadpersontype", "" "" "";
    "currencyCode" ["currency"] Text, "" "" "", "" "" "currencyCode";
    "potentialValue" [] Whole, "" "" "", "" "" "potentialValue";
    "status" [] Linked, "status" "" "", "status" "status" "status";
    "territory" [] Linked, "" "" "", "territory" "territory" "territory";
    "department" [] Linked, "" "" "department", "department" "department" "department";
    "client" [] Linked, "" "" "", "" "client" "";
    "role" [] Linked, "" "" "", "" "role" "";
    "contactType" ["type"] Linked, "" "" "", "" "type" "";
    "currentClient" [] Linked, "" "" "", "currentClient" "" "";
    "skills" ["skillIds"] Text, "skills" "" "", "" "" "";
    "quickSkills" [] LinkedList, "" "" "", "quickSkills" "quickSkills" "";
    "sectors" [] LinkedList, "" "" "", "" "sectors" "";
    "rating" [] Whole, "" "" "", "rating" "" "";
    "salary" ["currentSalary"] Number, "salary" "" "", "currentSalary" "" "";
    "currentSalaryNum" [] Whole, "" "" "", "currentSalaryNum" "" "";
    "desiredSalary" [] Number, "" "" "", "desiredSalary" "" "";
    "desiredSalaryNum" [] Whole, "" "" "", "desiredSalaryNum" "" "";
    "availableForWork" [] Switch, "" "" "", "availableForWork" "" "";
    "availableFrom" [] Moment, "" "" "", "availableFrom" "" "";
    "noticePeriod" [] Whole, "" "" "", "noticePeriod" "" "";
    "dateApplied" [] Moment, "" "" "", "dateApplied" "" "";
    "rightToRepresent" [] Switch, "" "" "", "rightToRepresent" "" "";
    "marketingPreference" ["marketingPreferences.marketingPreference"] Text, "" "" "", "marketingPreferences.marketingPreference" "marketingPreferences.marketingPreference" "";
    "emailOptIn" ["marketingPreferences.emailOptIn"] Switch, "" "" "", "marketingPreferences.emailOptIn" "marketingPreferences.emailOptIn" "";
    "textOptIn" ["marketingPreferences.textOptIn"] Switch, "" "" "", "marketingPreferences.textOptIn" "marketingPreferences.textOptIn" "";
    "telephoneOptIn" ["marketingPreferences.telephoneOptIn"] Switch, "" "" "", "marketingPreferences.telephoneOptIn" "marketingPreferences.telephoneOptIn" "";
    "workOptIn" ["marketingPreferences.workOptIn"] Switch, "" "" "", "marketingPreferences.workOptIn" "marketingPreferences.workOptIn" "";
    "additionalContactType" ["additionalContactDetails.type"] Text, "" "" "", "additionalContactDetails.type" "additionalContactDetails.type" "";
    "additionalContactValue" ["additionalContactDetails.value"] Text, "" "" "", "additionalContactDetails.value" "additionalContactDetails.value" "";
    "addressName" ["address.addressName"] Text, "" "" "", "address.addressName" "address.addressName" "";
    "addressIsPrimary" ["address.isPrimary"] Switch, "" "" "", "address.isPrimary" "address.isPrimary" "";
    "manager" [] Linked, "" "" "", "manager" "manager" "";
    "nissNumber" [] Text, "" "" "", "nissNumber" "" "";
    "journeyTime" [] Text, "" "" "", "journeyTime" "" "";
    "payRateNote" [] Text, "" "" "", "payRateNote" "" "";
    "chargeRateNote" [] Text, "" "" "", "chargeRateNote" "" "";
    "costCentreCode" [] Text, "" "" "", "costCentreCode" "" "";
    "bonuses" [] Text, "" "" "", "bonuses" "" "";
    "interviewResult" [] Text, "" "" "", "interviewResult" "" "";
    "interviewNote" [] Text, "" "" "", "interviewNote" "" "";
    "interviewedBy" [] Text, "" "" "", "interviewedBy" "" "";
    "createdBy" [] Text, "" "" "", "createdBy" "" "";
    "payrollNumber" [] Text, "" "" "", "payrollNumber" "" "";
    "agencyName" [] Text, "" "" "", "agencyName" "" "";
    "agencyType" [] Text, "" "" "", "agencyType" "" "";
    "agencyAccountRef" [] Text, "" "" "", "agencyAccountRef" "" "";
    "memberships" ["associations"] Text, "" "" "", "associations" "" "";
    "desiredPayRate" [] Number, "" "" "", "desiredPayRate" "" "";
    "payRateNum" [] Number, "" "" "", "payRateNum" "" "";
    "chargeRateNum" [] Number, "" "" "", "chargeRateNum" "" "";
    "holidayEntitlement" [] Number, "" "" "", "holidayEntitlement" "" "";
    "holidayCarryOver" [] Number, "" "" "", "holidayCarryOver" "" "";
    "maximumCarryOver" [] Number, "" "" "", "maximumCarryOver" "" "";
    "contractStartDate" [] Moment, "" "" "", "contractStartDate" "" "";
    "contractEndDate" [] Moment, "" "" "", "contractEndDate" "" "";
    "taxApplicable" [] Switch, "" "" "", "taxApplicable" "" "";
    "agencyAddressName" ["agencyAddress.addressName"] Text, "" "" "", "agencyAddress.addressName" "" "";
    "agencyAddress1" ["agencyAddress.addressLine1"] Text, "" "" "", "agencyAddress.addressLine1" "" "";
    "agencyAddress2" ["agencyAddress.addressLine2"] Text, "" "" "", "agencyAddress.addressLine2" "" "";
    "agencyCity" ["agencyAddress.town"] Text, "" "" "", "agencyAddress.town" "" "";
    "agencyState" ["agencyAddress.county"] Text, "" "" "", "agencyAddress.county" "" "";
    "agencyZipCode" ["agencyAddress.postcode"] Text, "" "" "", "agencyAddress.postcode" "" "";
    "agencyCountry" ["agencyAddress.country"] Text, "" "" "", "agencyAddress.country" "" "";
    "agencyAddressIsPrimary" ["agencyAddress.isPrimary"] Switch, "" "" "", "agencyAddress.isPrimary" "" "";
    "bankName" ["bankingDetails.bankName"] Text, "" "" "", "bankingDetails.bankName" "" "";
    "sortCode" ["bankingDetails.sortCode"] Text, "" "" "", "bankingDetails.sortCode" "" "";
    "accountNumber" ["bankingDetails.accountNumber"] Text, "" "" "", "bankingDetails.accountNumber" "" "";
    "bankReference" ["bankingDetails.bankReference"] Text, "" "" "", "bankingDetails.bankReference" "" "";
    "office" [] Text, "" "" "", "" "office" "";
    "businessUnit" [] Text, "" "" "", "" "businessUnit" "";
    "isPrimary" [] Switch, "" "" "", "" "isPrimary" "";
    "assistant" [] Linked, "" "" "", "" "assistant" "";
    "referralFrom" [] Linked, "" "" "", "" "referralFrom" "";
    "jobId" ["opportunityId", "job"] Job, "jobId" "" "", "jobId" "" "";
}

/// What a mapping's key speaks of.
#[derive(Debug, Clone, Copy)]
pub enum Known {
    /// A row of the table.
    Field(&'static Field),
    /// `customFields.<id>`: a field that the agency made itself.
    Custom(i64),
}

impl Known {
    /// Whether a record type takes it on an API. A REST Lead's person is a Contact, whose members count.
    pub fn is_used(&self, api: Api, record_type: RecordType) -> bool {
        match self {
            // createContact takes no custom fields.
            Self::Custom(_) => api == Api::Rest || record_type != RecordType::Contact,
            Self::Field(field) => field.reach(api, record_type).is_some(),
        }
    }
}

/// What a key speaks of; `None` when Tracker has no such field.
pub fn find(key: &str) -> Option<Known> {
    let plain = spelling(key);
    if let Some(id) = plain.strip_prefix("customfields.").or_else(|| plain.strip_prefix("customfield.")) {
        return id.parse().ok().filter(|id| *id > 0).map(Known::Custom);
    }
    let is = |name: &str| spelling(name) == plain;
    // Own names go before synonyms: `status` is never a synonym of anything.
    let named = TABLE.iter().find(|field| is(field.name));
    named.or_else(|| TABLE.iter().find(|field| field.synonyms.iter().any(|name| is(name)))).map(Known::Field)
}

/// The name, of those fields that are `fit`, that a mistyped one is nearest to.
pub fn nearest(key: &str, fit: impl Fn(&Field) -> bool) -> &'static str {
    let plain = spelling(key);
    let names =
        TABLE.iter().filter(|field| fit(field)).flat_map(|field| std::iter::once(&field.name).chain(field.synonyms));
    names.min_by_key(|name| distance(&plain, &spelling(name))).copied().unwrap_or("email")
}

fn spelling(name: &str) -> String {
    name.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// Levenshtein distance.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut before = at;
        let mut left = at + 1;
        let mut next = vec![left];
        for (column, compared) in other.iter().enumerate() {
            let above = row.get(column + 1).copied().unwrap_or_default();
            left = (before + usize::from(letter != *compared)).min(above + 1).min(left + 1);
            before = above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_never_matters_and_no_name_means_two_fields() {
        for (key, name) in [
            ("first_name", "firstName"),
            ("SURNAME", "lastName"),
            ("last name", "lastName"),
            ("telephone", "phone"),
            ("contactDetails.email", "email"),
        ] {
            assert!(matches!(find(key), Some(Known::Field(field)) if field.name == name), "{key}");
        }
        let mut all: Vec<String> = TABLE
            .iter()
            .flat_map(|field| std::iter::once(&field.name).chain(field.synonyms))
            .map(|name| spelling(name))
            .collect();
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn custom_fields_go_by_their_id_and_mistakes_get_a_suggestion() {
        assert!(matches!(find("customFields.12"), Some(Known::Custom(12))));
        assert!(find("customFields.x").is_none() && find("frist_name").is_none());
        assert_eq!(nearest("frist_name", |_| true), "firstName");
        assert_eq!(nearest("e-mial", |_| true), "email");
    }

    #[test]
    fn every_field_has_a_place_somewhere() {
        let types = [RecordType::Resource, RecordType::Contact, RecordType::Lead];
        for field in TABLE {
            assert!(
                [Api::Widget, Api::Rest].iter().any(|api| types.iter().any(|kind| field.place(*api, *kind).is_some())),
                "{}",
                field.name
            );
        }
    }
}
