//! What attackers may try at the webhook, on disk and on the pages, and what they get.

#[path = "../wordpress/forms.rs"]
#[allow(dead_code)]
mod forms;
#[path = "../wordpress/hook.rs"]
#[allow(dead_code)] // the end-to-end tests use more of it
mod hook;
#[path = "../wordpress/site.rs"]
#[allow(dead_code)]
mod site;
#[path = "../stack/mod.rs"]
mod stack;

mod access;
mod canaries;
mod disk;
mod draft;
mod hostile;
mod lasting;
mod placing;
mod scripts;
mod signers;
mod tables;
mod timing;
mod travels;
mod users;
mod vectors;
mod vectors_table;
mod watched;
