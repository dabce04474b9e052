//! The mapping as a table and as text: both without a script, both judged by the engine, neither losing what was typed.

use crate::forms::{forms, unescape};
use crate::site::{Site, body, on_a_site};
use serde_json::{Value, json};

const PAGE: &str = "halt-tracker-settings&tab=mapping";

fn saved(site: &Site) -> Value {
    serde_json::from_str(&site.php("echo Options::text('field_map');")).expect("a mapping")
}

/// The rows that the table shows: field, kind, value.
fn rows(html: &str) -> Vec<[String; 3]> {
    let all = forms(html);
    let form = all.iter().find(|form| form.value("action") == Some("halt_tracker_save_mapping")).expect("the form");
    let part = |at: usize, name: &str| form.value(&format!("map[{at}][{name}]")).map(str::to_owned);
    (0..).map_while(|at| Some([part(at, "field")?, part(at, "from")?, part(at, "value")?])).collect()
}

#[test]
fn a_row_is_added_and_another_removed_without_a_script() {
    on_a_site(|site| {
        site.apply(4, &[("email", "rows@example.org")]);
        let page = site.page(PAGE).text();
        let shown = rows(&page);
        assert_eq!(shown[0], ["fullName", "field", "name"].map(str::to_owned));
        assert_eq!(shown[6], ["source", "text", "Website"].map(str::to_owned));
        assert_eq!(shown.len(), 10, "three empty rows stand below");
        assert!(
            page.contains("<option value=\"mobile\">") && page.contains("<option value=\"message\">"),
            "no choices"
        );
        let page = site.save_tab(
            "mapping",
            &[
                ("map[4][field]", ""),
                ("map[4][value]", ""),
                ("map[7][field]", "jobTitle"),
                ("map[7][value]", "position"),
                ("map[8][field]", "status"),
                ("map[8][from]", "text"),
                ("map[8][value]", "New: \"warm\""),
            ],
        );
        assert!(page.has("Saved."), "{}", body(&page));
        assert_eq!(
            saved(site),
            json!({ "fullName": "name", "firstName": "first_name", "lastName": "last_name", "email": "email", "note": "message", "source": ":Website", "jobTitle": "position", "status": ":New: \"warm\"" })
        );
        assert_eq!(rows(&site.page(PAGE).text())[7], ["status", "text", "New: \"warm\""].map(str::to_owned));
    });
}

#[test]
fn a_mistake_in_a_row_saves_nothing_marks_the_row_and_keeps_what_was_typed() {
    on_a_site(|site| {
        let before = saved(site);
        for (typed, words) in [
            (("frist_name", "a"), "firstName"),
            (("email", "b"), "filled twice"),
            (("mobile", ""), "right side is empty"),
        ] {
            let page = site.save_tab("mapping", &[("map[7][field]", typed.0), ("map[7][value]", typed.1)]);
            let text = unescape(&body(&page));
            assert!(text.contains("Nothing was saved") && text.contains(words), "{words}: {text}");
            assert!(text.contains("(row 8)") && !text.contains("line 9"), "{words}: {text}");
            assert_eq!(rows(&page.text())[7], [typed.0, "field", typed.1].map(str::to_owned));
            let marked = page.text().split("<tr").find(|row| row.contains("aria-invalid")).map(str::to_owned);
            assert!(marked.is_some_and(|row| row.contains("map[7]")), "{words}: the wrong row is marked");
            assert_eq!(saved(site), before);
        }
    });
}

#[test]
fn text_and_table_are_two_ways_to_the_same_mapping() {
    on_a_site(|site| {
        let page = site.press(
            &format!("{PAGE}&edit=text"),
            "save_mapping",
            &[("field_map", "{\"email\": \"mail\", \"phone\": \":none\"}")],
        );
        assert!(page.has("Saved."), "{}", body(&page));
        assert!(page.text().contains("<textarea"), "who edits text goes on with text");
        assert_eq!(
            rows(&site.page(PAGE).text())[..2],
            [["email", "field", "mail"].map(str::to_owned), ["phone", "text", "none"].map(str::to_owned)]
        );
        // Broken JSON is named with its place, and the text stands there as it was typed.
        let broken = "{\n\"email\": mail\n}";
        let page = site.press(&format!("{PAGE}&edit=text"), "save_mapping", &[("field_map", broken)]);
        assert!(page.has("line 2") && unescape(&page.text()).contains(broken), "{}", body(&page));
        assert_eq!(saved(site), json!({ "email": "mail", "phone": ":none" }));
        // A text that is no table is never shown as one: nothing of it may get lost.
        site.options(&[("field_map", "{\"email\": 7}")]);
        assert!(site.page(PAGE).text().contains("name=\"field_map\""));
    });
}

#[test]
fn a_form_gets_a_mapping_of_its_own_by_the_same_table() {
    on_a_site(|site| {
        site.secrets(&[("shared_secret", crate::site::SHARED_SECRET)]);
        let text = json!({ "form_id": "careers", "fields": { "who": "Jane Doe", "mail": "own@example.org" } });
        assert_eq!(crate::hook::request(crate::site::SHARED_SECRET, text.to_string()).send(site).status, 202);
        let shown = forms(&site.page("halt-tracker-settings&tab=forms").text());
        let tab = shown.iter().find(|form| form.value("action") == Some("halt_tracker_save_forms")).expect("the tab");
        let at = (0..).find(|at| tab.value(&format!("forms[{at}][key]")) == Some("careers")).expect("the form");
        let name = |row: usize, part: &str| format!("forms[{at}][map][{row}][{part}]");
        let fill = [
            (name(0, "field"), "fullName"),
            (name(0, "value"), "who"),
            (name(1, "field"), "email"),
            (name(1, "value"), "mail"),
        ];
        let fill: Vec<(&str, &str)> = fill.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let page = site.save_tab("forms", &fill);
        assert!(page.has("Saved."), "{}", body(&page));
        let saved: Value = serde_json::from_str(&site.php("echo Options::text('forms');")).expect("the forms");
        assert_eq!(
            saved,
            json!({ "careers": { "mode": "send", "field_map": { "fullName": "who", "email": "mail" } } })
        );
        // A field that is filled twice is refused here too, and what was saved stays.
        let twice = (name(2, "field"), name(2, "value"));
        let page = site.save_tab("forms", &[(&twice.0, "email"), (&twice.1, "who")]);
        assert!(body(&page).contains("filled twice"), "{}", body(&page));
        assert_eq!(serde_json::from_str::<Value>(&site.php("echo Options::text('forms');")).expect("the forms"), saved);
    });
}
