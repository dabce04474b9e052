//! From the values of a form to the types that Tracker declares. Text stays as it was typed.

use serde_json::{Number, Value, json};

use super::MapError;
use crate::settings::Api;
use crate::tracker::catalogue::Kind;

/// A value as the type of its field. `month_first`: `03/01/1990` is the first of March, as in the US.
///
/// # Errors
/// `HT-1405`: the value does not fit. The error names the field, never the value.
pub fn convert(field: &str, kind: Kind, api: Api, month_first: bool, value: &Value) -> Result<Value, MapError> {
    let refuse = |words: &str| MapError::Convert { field: field.to_owned(), words: words.to_owned() };
    let text = text_of(value).ok_or_else(|| refuse("a nested value cannot be sent as one field"))?;
    let trimmed = text.trim();
    Ok(match kind {
        Kind::Text | Kind::FullName => Value::String(text),
        Kind::Whole | Kind::Job => {
            let number = whole(trimmed).ok_or_else(|| refuse("is not a whole number"))?;
            // Tracker's whole numbers have 32 bits.
            json!(i32::try_from(number).map_err(|_| refuse("is too large a number"))?)
        }
        Kind::Number => Value::Number(number(trimmed).ok_or_else(|| refuse("is not a number"))?),
        Kind::Switch => json!(switch(trimmed).ok_or_else(|| refuse("is neither yes nor no"))?),
        Kind::Date => Value::String(date(trimmed, month_first).ok_or_else(|| refuse("is not a date (YYYY-MM-DD)"))?),
        Kind::Moment => Value::String(moment(trimmed, month_first).ok_or_else(|| refuse("is not a date and time"))?),
        Kind::Linked if api == Api::Widget => Value::String(text),
        Kind::Linked => linked(trimmed),
        Kind::LinkedList => {
            Value::Array(trimmed.split(',').map(str::trim).filter(|part| !part.is_empty()).map(linked).collect())
        }
    })
}

/// A value as text: lists of plain values are joined as Divi joins them.
pub fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(on) => Some(if *on { "Yes" } else { "No" }.to_owned()),
        Value::Array(list) => list
            .iter()
            .map(|one| if one.is_array() { None } else { text_of(one) })
            .collect::<Option<Vec<_>>>()
            .map(|parts| parts.join(", ")),
        Value::Null => Some(String::new()),
        Value::Object(_) => None,
    }
}

fn linked(text: &str) -> Value {
    whole(text).map_or_else(|| json!({ "name": text }), |id| json!({ "id": id }))
}

fn whole(text: &str) -> Option<i64> {
    let number = number(text)?.to_string();
    number.parse().ok().or_else(|| number.strip_suffix(".0").or_else(|| number.strip_suffix(".00"))?.parse().ok())
}

/// A number with or without thousands separators and currency signs: `£ 45,000.50`. A comma as the decimal sign
/// is understood where it can be nothing else: `45000,5`.
fn number(text: &str) -> Option<Number> {
    let bare: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, '£' | '$' | '€' | '\u{a0}'))
        .collect();
    let plain = match bare.rsplit_once(',') {
        Some((whole, end)) if !whole.contains(',') && !end.contains('.') && end.len() != 3 => {
            format!("{}.{end}", whole.replace('.', ""))
        }
        _ => bare.replace(',', ""),
    };
    let digits = plain.strip_prefix('-').unwrap_or(&plain);
    let fits = !digits.is_empty()
        && digits.matches('.').count() <= 1
        && digits.starts_with(|letter: char| letter.is_ascii_digit())
        && digits.ends_with(|letter: char| letter.is_ascii_digit());
    if !fits || !digits.chars().all(|letter| letter.is_ascii_digit() || letter == '.') {
        return None;
    }
    let (sign, stripped) = if plain.starts_with('-') { ("-", digits) } else { ("", digits) };
    let stripped = stripped.trim_start_matches('0');
    let stripped =
        if stripped.is_empty() || stripped.starts_with('.') { format!("0{stripped}") } else { stripped.to_owned() };
    serde_json::from_str(&format!("{sign}{stripped}")).ok()
}

fn switch(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "1" | "true" | "yes" | "y" | "on" | "x" | "opted in" => Some(true),
        "0" | "false" | "no" | "n" | "off" | "opted out" => Some(false),
        _ => None,
    }
}

/// `2026-03-01`, `01/03/2026` and `01.03.2026`, or a date-time. Where both numbers can be a month, slashes are read as
/// the region writes them; a date with points has the day first everywhere.
fn date(text: &str, month_first: bool) -> Option<String> {
    let date = text.split(['T', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = date.split(['-', '/', '.']).collect();
    let [first, second, last] = parts.as_slice() else { return None };
    if first.len() == 4 {
        return day_of(first, second, last);
    }
    let (month, day) = if month_first && date.contains('/') { (first, second) } else { (second, first) };
    day_of(last, month, day).or_else(|| day_of(last, day, month).filter(|_| date.contains('/')))
}

fn day_of(year: &str, month: &str, day: &str) -> Option<String> {
    if year.len() != 4 || day.len() > 2 {
        return None;
    }
    let (year, month, day): (i64, i64, i64) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let text = format!("{year:04}-{month:02}-{day:02}");
    // 31 February has a number of days since 1970, but not this name.
    let at = crate::tracker::time::millis_of(&text)?;
    crate::tracker::time::iso(at).starts_with(&text).then_some(text)
}

fn moment(text: &str, month_first: bool) -> Option<String> {
    let day = date(text, month_first)?;
    let Some((_, time)) = text.split_once(['T', ' ']) else { return Some(format!("{day}T00:00:00Z")) };
    let time = time.trim();
    // `millis_of` takes what is missing for zero; here a time that cannot be read is a mistake.
    let clock = time.get(..5)?;
    let fits = clock.chars().enumerate().all(|(at, one)| if at == 2 { one == ':' } else { one.is_ascii_digit() });
    fits.then(|| crate::tracker::time::millis_of(&format!("{day}T{time}")).map(crate::tracker::time::iso)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, value: &Value) -> Option<Value> {
        convert("f", kind, Api::Rest, false, value).ok()
    }

    #[test]
    fn values_become_the_types_that_tracker_declares() {
        assert_eq!(of(Kind::Text, &json!("  O'Neil \"Q\" C:\\temp ")), Some(json!("  O'Neil \"Q\" C:\\temp ")));
        assert_eq!(of(Kind::Text, &json!(["Red", "Green, dark"])), Some(json!("Red, Green, dark")));
        assert_eq!(of(Kind::Whole, &json!("45,000")), Some(json!(45000)));
        assert_eq!(of(Kind::Whole, &json!("007")), Some(json!(7)));
        assert_eq!(of(Kind::Number, &json!("£ 45,000.50")).map(|value| value.to_string()), Some("45000.50".into()));
        assert_eq!(of(Kind::Number, &json!("45.000,5")).map(|value| value.to_string()), Some("45000.5".into()));
        assert_eq!(of(Kind::Switch, &json!(true)), Some(json!(true)));
        assert_eq!(of(Kind::Switch, &json!("No")), Some(json!(false)));
        assert_eq!(of(Kind::Date, &json!("28/02/2026")), Some(json!("2026-02-28")));
        assert_eq!(of(Kind::Moment, &json!("2026-03-01 12:00:00")), Some(json!("2026-03-01T12:00:00Z")));
        assert_eq!(of(Kind::Moment, &json!("28/02/2026 09:30")), Some(json!("2026-02-28T09:30:00Z")));
        assert_eq!(of(Kind::Linked, &json!("7")), Some(json!({ "id": 7 })));
        assert_eq!(of(Kind::LinkedList, &json!("PHP, 9")), Some(json!([{ "name": "PHP" }, { "id": 9 }])));
    }

    #[test]
    fn what_does_not_fit_is_refused_without_naming_the_value() {
        for (kind, value) in [
            (Kind::Whole, json!("12.5")),
            (Kind::Whole, json!("many")),
            // Tracker's whole numbers have 32 bits.
            (Kind::Whole, json!("3000000000")),
            (Kind::Job, json!(2_147_483_648_i64)),
            (Kind::Moment, json!("28/02/2026 at nine")),
            (Kind::Number, json!("1.2.3")),
            (Kind::Switch, json!("perhaps")),
            (Kind::Date, json!("31/02/2026")),
            (Kind::Text, json!({ "a": 1 })),
        ] {
            let error = convert("salary", kind, Api::Rest, false, &value).expect_err("does not fit").to_string();
            assert!(error.starts_with("salary: ") && !error.contains("perhaps") && !error.contains("many"), "{error}");
        }
    }
}
