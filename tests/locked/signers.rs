//! The examples on the Webhook tab are what people copy: each of them runs as it is printed, with nothing but the secret put in.

use crate::site::{SHARED_SECRET, Site, on_a_site};
use std::process::Command;

/// What the page shows under this name.
fn example(site: &Site, name: &str) -> String {
    let page = crate::forms::unescape(&site.page("halt-tracker-settings&tab=webhook").text());
    let shown = page.split(&format!("<summary>{name}</summary>")).nth(1).expect("the example");
    let code = shown.split("<code>").nth(1).and_then(|rest| rest.split("</code>").next()).expect("its code");
    assert!(code.contains("'…'"), "{name} has a place for the secret: {code}");
    code.replacen("'…'", &format!("'{SHARED_SECRET}'"), 1)
}

#[test]
fn the_signing_examples_for_curl_php_and_node_work_as_printed() {
    on_a_site(|site| {
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        let mut ran = Vec::new();
        for (name, program, before, flag) in
            [("curl", "sh", "", "-c"), ("PHP", "php", "", "-r"), ("Node", "node", "", "-e")]
        {
            if Command::new(program).arg("--version").output().is_err() {
                println!("skipped: {program} is not installed, so the example for {name} was not run");
                continue;
            }
            // Each says something else, so that each is a submission of its own.
            let code = before.to_owned() + &example(site, name).replace("careers-form", &format!("careers-{name}"));
            let output = Command::new(program).args([flag, &code]).output().expect("it runs");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(
                said.contains("{\"queued\":true"),
                "{name}: {said} {}\n{code}",
                String::from_utf8_lossy(&output.stderr)
            );
            ran.push(format!("careers-{name}"));
        }
        let mut forms: Vec<String> =
            site.submissions().iter().filter_map(|one| one["form"]["id"].as_str().map(str::to_owned)).collect();
        forms.sort();
        ran.sort();
        assert_eq!(forms, ran);
        assert!(ran.len() >= 2, "{ran:?}");
        println!("campaign signers: real site: {} examples of the Webhook tab ran as printed", ran.len());
    });
}
