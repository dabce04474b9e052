//! By which names a form is known: settings that speak of its CSS id, of its page or of its UUID all reach it, on both paths of
//! Divi and wherever on the page the form was built in.

use crate::site::{Site, on_a_site};
use crate::stack::divi::accepted;
use serde_json::{Value, json};

const FORM_B: &str = "99999999-2222-4333-8444-555555555555";

/// Form B, the second of its page, whose CSS id is `my-form`.
fn second_form(path: u8, email: &str) -> Vec<(String, String)> {
    let (name, mail, suffix) = if path == 5 {
        ("et_pb_contact_1_name_7", "et_pb_contact_1_email_8", FORM_B)
    } else {
        ("et_pb_contact_name_1", "et_pb_contact_email_1", "1")
    };
    let list = json!([
        { "field_id": name, "original_id": "name", "required_mark": "required", "field_type": "input", "field_label": "Name" },
        { "field_id": mail, "original_id": "email", "required_mark": "not_required", "field_type": "email", "field_label": "Email Address" },
    ]);
    let pairs = [
        (name.to_owned(), "Bob Stone".to_owned()),
        (mail.to_owned(), email.to_owned()),
        (format!("et_pb_contactform_submit_{suffix}"), "et_contact_proccess".to_owned()),
        (format!("_wpnonce-et-pb-contact-form-submitted-{suffix}"), "<nonce>".to_owned()),
        (format!("et_pb_contact_email_fields_{suffix}"), list.to_string()),
        ("token".to_owned(), String::new()),
        (format!("et_pb_contact_captcha_{suffix}"), "2".to_owned()),
        (format!("et_pb_contact_captcha_first_digit_{suffix}"), "1".to_owned()),
        (format!("et_pb_contact_captcha_second_digit_{suffix}"), "1".to_owned()),
    ];
    pairs.to_vec()
}

#[test]
fn a_css_id_routes_a_form_on_both_paths() {
    on_a_site(|site| {
        site.credentials();
        site.options(&[("form_routing_contact", "my-form"), ("pace", "60000")]);
        for (path, page) in [(4, "d4"), (5, "d5")] {
            let email = format!("css{path}@example.org");
            let reply = site.stack.divi_post(page, &second_form(path, &email));
            assert!(accepted(&reply), "{}\n{}", reply.text(), site.stack.logs());
            site.until("it is a Contact", || {
                site.cron();
                site.records("contacts", &email).len() == 1
            });
            assert_eq!(site.records("resources", &email).len(), 0);
        }
        for one in site.submissions() {
            let form = &one["form"];
            assert_eq!(
                (&form["id"], &form["key"], &form["title"]),
                (&json!("my-form"), &json!(FORM_B), &json!("Contact us")),
                "{form}"
            );
        }
    });
}

/// Fires the hook for a form that stands on another post than the visitor's page; what the engine holds of the form.
fn fired(site: &Site, unique: &str, slug: &str) -> Value {
    site.php(&format!(
        "do_action('et_pb_contact_form_submit', ['email' => ['value' => '{unique}@example.org']], false, ['contact_form_id' => 'et_pb_contact_form_{unique}',
         'contact_form_number' => 0, 'contact_form_unique_id' => '{unique}', 'module_slug' => 'divi/contact-form', 'post_id' => get_page_by_path('{slug}')->ID]);"
    ));
    let all = site.submissions();
    all.into_iter().find(|one| one["form"]["key"] == unique).expect("the submission")["form"].clone()
}

#[test]
fn a_form_of_a_header_or_of_the_library_is_known_by_its_css_id_and_title() {
    on_a_site(|site| {
        let (old, new) = ("aaaaaaaa-2222-4333-8444-555555555555", "bbbbbbbb-2222-4333-8444-555555555555");
        // Where a CSS id stood before Divi had attributes of one's own, and where it stands since.
        let before = json!({ "module": { "advanced": { "uniqueId": { "desktop": { "value": old } }, "htmlAttributes": { "desktop": { "value": { "id": "header-form", "class": "x" } } } } },
            "title": { "innerContent": { "desktop": { "value": "Header <b>form</b>" } } } });
        let since = json!({ "module": { "advanced": { "uniqueId": { "desktop": { "value": new } } }, "decoration": { "attributes": { "desktop": { "value": { "attributes": [
            { "id": "r1", "name": "class", "value": "x", "targetElement": "main" },
            { "id": "r2", "name": "id", "value": "field-id", "targetElement": "field" },
            { "id": "r3", "name": "id", "value": "library-form", "targetElement": "main" } ] } } } } } });
        for (kind, attributes) in [("et_header_layout", before), ("et_pb_layout", since)] {
            let block = format!("<!-- wp:divi/contact-form {attributes} --><!-- /wp:divi/contact-form -->");
            site.php(&format!(
                "kses_remove_filters(); wp_insert_post(wp_slash(['post_type' => '{kind}', 'post_status' => 'publish', 'post_title' => 'Layout', 'post_content' => {}]));",
                crate::site::quoted(&block)
            ));
        }
        let form = fired(site, old, "d4file");
        assert_eq!((&form["id"], &form["title"]), (&json!("header-form"), &json!("Header form")), "{form}");
        assert_eq!(fired(site, new, "d5file")["id"], "library-form");
        // The list of the Settings page finds them too.
        let page = site.page("halt-tracker-settings&tab=forms");
        assert!(page.has("library-form") && page.has("Header form"), "{}", crate::site::body(&page));
        site.php("global $wpdb; $wpdb->query(\"DELETE FROM $wpdb->posts WHERE post_type IN ('et_header_layout', 'et_pb_layout')\");");
    });
}

#[test]
fn a_form_set_to_ignore_or_hold_by_any_of_its_names_is_ignored_or_held() {
    on_a_site(|site| {
        let page = site.php("echo get_page_by_path('d5')->ID;");
        let by_page = format!("{page}:et_pb_contact_form_{FORM_B}");
        for (round, name) in
            ["my-form", FORM_B, &by_page, &format!("et_pb_contact_form_{FORM_B}")].into_iter().enumerate()
        {
            for (mode, want) in [("hold", Some("held")), ("ignore", None)] {
                let forms = json!({ name: { "mode": mode } }).to_string();
                site.options(&[("forms", &forms)]);
                let email = format!("{mode}{round}@example.org");
                assert!(accepted(&site.stack.divi_post("d5", &second_form(5, &email))));
                let state = site.submissions().into_iter().find(|one| one["fields"]["email"] == email.as_str());
                assert_eq!(state.map(|one| one["state"].clone()), want.map(|name| json!(name)), "{name} {mode}");
            }
        }
    });
}
