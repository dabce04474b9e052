//! The product's own document, sentence by sentence, with the tests that show each one. A sentence without a test, a test
//! that is not there, or a line of the document that nobody speaks for is a failure.

use std::path::Path;

/// A piece of the document, and the tests that show it.
const TABLE: &[(&str, &[&str])] = &[
    (
        "This plugin captures submissions from Divi forms (server-side hook) or any external client posting to the webhook endpoint and relays them to Tracker RMS using the widget REST API.",
        &["forms_and_a_webhook_with_a_cv_become_resources_on_the_widget_api"],
    ),
    (
        "It also manages a retry queue and basic logging inside WordPress.",
        &[
            "what_tracker_refuses_is_shown_in_its_own_words_and_the_retry_button_delivers",
            "whatever_the_network_does_to_any_step_the_applicant_is_delivered_once",
            "all_pages_open_with_data_and_no_secret_is_on_any_of_them_or_in_any_row_or_file",
        ],
    ),
    (
        "Upload the plugin folder (`RoleCall - powered by Halt`) and activate it in WordPress.",
        &["activation_makes_table_and_schedule_with_and_without_the_engine"],
    ),
    (
        "Activation creates the queue table and schedules the cron event that processes submissions every five minutes.",
        &["activation_makes_table_and_schedule_with_and_without_the_engine", "the_real_cron_of_wordpress_delivers"],
    ),
    ("Navigate to `Halt Tracker → Settings`.", &["all_pages_open_on_a_new_site"]),
    ("Choose the correct _Environment_ (US, CA, or ROW).", &["each_environment_has_its_two_hosts"]),
    (
        "Enter your Tracker OAuth `client_id`, `client_secret`, and paste the _refresh token_ obtained via the OAuth authorization-code flow.",
        &[
            "wrong_credentials_pause_sending_spend_nothing_and_new_ones_deliver",
            "a_rotated_refresh_token_wins_over_the_seed_it_came_from",
        ],
    ),
    (
        "(Optional) Set the `redirect_uri` if Tracker requires it when issuing new refresh tokens.",
        &["the_redirect_uri_goes_along_when_it_is_set"],
    ),
    (
        "Generate a shared secret and enter it in the _Webhook Shared Secret_ field.",
        &["a_secret_made_by_the_button_is_shown_once_and_works"],
    ),
    (
        "Any system posting to `/wp-json/halt-tracker/v1/ingest` must add:",
        &["a_well_signed_request_is_queued_and_named"],
    ),
    ("`X-Halt-Timestamp`: Unix timestamp (seconds)", &["every_other_timestamp_is_refused"]),
    (
        "`X-Halt-Webhook-Signature`: `HMAC_SHA256(timestamp.body, secret)`",
        &["the_signing_examples_for_curl_php_and_node_work_as_printed", "every_other_signature_is_refused"],
    ),
    (
        "Requests older than 5 minutes or with invalid signatures are rejected.",
        &[
            "a_signed_request_is_believed_within_the_window_to_the_second",
            "whoever_cannot_sign_gets_one_and_the_same_answer",
        ],
    ),
    (
        "Provide JSON mapping in the _Field Mapping_ textarea.",
        &["a_broken_mapping_is_refused_with_its_place_and_nothing_is_lost"],
    ),
    (
        "Keys = Tracker field names; values = incoming field keys. Prefix a value with `:` to send a constant.",
        &[
            "values_are_found_exactly_by_path_in_meta_and_in_any_case",
            "the_documented_webhook_body_fits_too_and_a_single_word_is_the_surname",
        ],
    ),
    (
        "List the required Tracker fields (comma separated). Submissions missing these fields stay in the retry state with an error.",
        &[
            "a_required_field_is_there_when_its_member_is_and_missing_when_only_its_name_is",
            "a_missing_required_field_waits_for_the_mapping_and_sends_nothing",
            "a_submission_without_a_required_field_waits_and_goes_out_by_the_retry_button",
        ],
    ),
    (
        "Enable _Activity Logging_ to create an activity for every successful record.",
        &[
            "a_stock_form_becomes_a_resource_with_its_activity_on_both_apis",
            "without_activities_only_records_and_documents_are_made",
        ],
    ),
    (
        "Update the subject/notes templates as needed (`{{form_id}}`, `{{timestamp}}` placeholders available).",
        &["placeholders_are_filled_once_and_typed_braces_stay_text"],
    ),
    (
        "If webhook payloads include base64 file data, specify the field key under _Attachment Field Key_ (feature assumes `files[field]` format for now).",
        &["only_files_of_the_attachment_field_are_sent_and_the_others_are_kept"],
    ),
    (
        "Any Divi contact form automatically triggers the queue whenever there are no validation errors.",
        &[
            "every_recorded_vector_is_held_exactly_as_the_hook_received_it",
            "what_divi_refuses_and_then_accepts_is_held_once",
        ],
    ),
    (
        "Use the form’s unique ID (CSS ID) as part of your field mapping if needed (`form_id` is stored alongside each payload for templating).",
        &[
            "values_are_found_exactly_by_path_in_meta_and_in_any_case",
            "routing_lists_and_own_entries_are_found_by_any_name",
        ],
    ),
    ("POST JSON to `/wp-json/halt-tracker/v1/ingest` with:", &["the_documented_body_is_read_with_its_file"]),
    ("Processing runs automatically via cron.", &["the_real_cron_of_wordpress_delivers"]),
    (
        "Visit `Halt Tracker → Dashboard` to trigger a manual run or view summary stats.",
        &[
            "all_pages_open_with_data_and_no_secret_is_on_any_of_them_or_in_any_row_or_file",
            "a_held_form_waits_for_its_release_and_an_ignored_one_leaves_nothing",
        ],
    ),
    (
        "The Sync Log page shows the last three runs with per-item statuses.",
        &["the_sync_log_begins_with_the_last_three_runs_and_their_items"],
    ),
    (
        "Use _Clear Sync Lock_ only if a run is stuck (it simply removes the transient lock so the next cron can proceed).",
        &["clear_sync_lock_says_that_nobody_holds_it", "one_runner_holds_the_lock_and_the_next_one_gets_it_afterwards"],
    ),
    (
        "The plugin currently focuses on create operations (Resource/Contact/Lead) and does not perform dedupe/update logic.",
        &[
            "every_record_type_is_delivered_on_both_apis",
            "an_existing_person_is_used_and_the_same_person_twice_is_one_record",
        ],
    ),
    (
        "Attachments are only processed when webhook payloads include base64 content; Divi file uploads need an additional handler (future work).",
        &[
            "forms_and_a_webhook_with_a_cv_become_resources_on_the_widget_api",
            "only_a_plain_recent_file_inside_a_known_folder_is_taken",
        ],
    ),
    (
        "Logging is stored via wp_options (last 10 reports). For larger installations consider piping logs into an external system.",
        &[
            "the_sync_log_begins_with_the_last_three_runs_and_their_items",
            "with_ten_thousand_submissions_no_statement_reads_a_table_from_end_to_end",
        ],
    ),
    (
        "Ensure WP-Cron is firing reliably or configure a real cron to hit `wp-cron.php` for consistent processing.",
        &["the_real_cron_of_wordpress_delivers", "a_missing_event_is_repaired_by_the_next_admin_page_and_by_cron"],
    ),
];

/// A file of Rust with the program that it is part of: `src`, or a folder of `tests`.
struct Source {
    program: String,
    stem: String,
    text: String,
}

/// Whether a test of this name is there, is one, and runs: in the library, or in a file that a declared test program reads.
fn trouble_with(test: &str, sources: &[Source], manifest: &str) -> Option<String> {
    let head = format!("fn {test}(");
    let found: Vec<(&Source, usize)> = sources.iter().filter_map(|one| Some((one, one.text.find(&head)?))).collect();
    let Some((source, at)) = found.first() else { return Some("is not there".into()) };
    let before = source.text.get(..*at).unwrap_or_default().trim_end();
    let attributes: Vec<&str> = before.lines().rev().map(str::trim).take_while(|line| line.starts_with("#[")).collect();
    if !attributes.contains(&"#[test]") || attributes.iter().any(|line| line.starts_with("#[ignore")) {
        return Some("is no test that runs".into());
    }
    let declared = source.program == "src" || manifest.contains(&format!("path = \"tests/{}/", source.program));
    let of_program = |one: &&Source| one.program == source.program;
    let is_read = matches!(source.stem.as_str(), "main" | "lib" | "mod")
        || sources.iter().filter(of_program).any(|one| one.text.contains(&format!("mod {};", source.stem)));
    (!declared || !is_read).then(|| format!("lies in {}/{}.rs, which no program reads", source.program, source.stem))
}

#[test]
fn every_sentence_has_its_tests_and_every_test_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("a manifest");
    let mut sources = Vec::new();
    read_into(&root.join("src"), "src", &mut sources);
    for entry in
        std::fs::read_dir(root.join("tests")).expect("a folder").flatten().filter(|entry| entry.path().is_dir())
    {
        read_into(&entry.path(), &entry.file_name().to_string_lossy(), &mut sources);
    }
    let mut wrong = Vec::new();
    for (sentence, tests) in TABLE {
        assert!(!tests.is_empty(), "no test shows: {sentence}");
        let each = tests
            .iter()
            .filter_map(|test| Some(format!("{test} {}: {sentence}", trouble_with(test, &sources, &manifest)?)));
        wrong.extend(each);
    }
    println!("mission: {} sentences, {} tests", TABLE.len(), TABLE.iter().map(|row| row.1.len()).sum::<usize>());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_test_that_is_gone_ignored_or_read_by_nobody_is_noticed() {
    let source = |program: &str, stem: &str, text: &str| Source {
        program: program.into(),
        stem: stem.into(),
        text: text.into(),
    };
    let sources = [
        source(
            "some",
            "main",
            "mod inside;\n#[test]\nfn whole() {}\nfn helper() {}\n#[test]\n#[ignore]\nfn asleep() {}",
        ),
        source("some", "inside", "#[test]\nfn deep() {}"),
        source("some", "forgotten", "#[test]\nfn lost() {}"),
        source("other", "main", "#[test]\nfn undeclared() {}"),
    ];
    let manifest = "[[test]]\nname = \"some\"\npath = \"tests/some/main.rs\"\n";
    for (test, sound) in [
        ("whole", true),
        ("deep", true),
        ("helper", false),
        ("asleep", false),
        ("lost", false),
        ("undeclared", false),
        ("gone", false),
    ] {
        assert_eq!(trouble_with(test, &sources, manifest).is_none(), sound, "{test}");
    }
}

#[test]
fn every_line_of_the_document_is_spoken_for() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/mission-readme.md").to_owned();
    let path = std::env::var("HALT_TRACKER_MISSION").unwrap_or(beside);
    let Ok(document) = std::fs::read_to_string(&path) else {
        println!("skipped: the document is not at {path}");
        return;
    };
    let mut inside = false;
    for line in document.lines() {
        // Examples of JSON have tests of their own, named at the sentence before them.
        if line.trim_start().starts_with("```") {
            inside = !inside;
            continue;
        }
        let text =
            line.trim().trim_start_matches(|letter: char| letter.is_ascii_digit() || matches!(letter, '.' | '-' | ' '));
        let is_heading = line.starts_with('#') || (text.starts_with("**") && text.ends_with("**"));
        if inside || text.is_empty() || is_heading {
            continue;
        }
        assert!(TABLE.iter().any(|(sentence, _)| text.contains(sentence)), "nobody speaks for: {text}");
    }
    for (sentence, _) in TABLE {
        assert!(document.contains(sentence), "the document does not say: {sentence}");
    }
}

fn read_into(folder: &Path, program: &str, out: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("node_modules") {
            read_into(&path, program, out);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            out.push(Source { program: program.to_owned(), stem, text: std::fs::read_to_string(&path).expect("text") });
        }
    }
}
