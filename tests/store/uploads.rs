//! A file that an upload add-on laid down belongs to the submission that took it first: the name that a form gives comes from
//! the visitor, who may have guessed somebody else's.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use halt_tracker::codes::Code;
use halt_tracker::engine::{Call, manage, show, take};
use serde_json::{Value, json};

use crate::{Place, now};

const CV: &[u8] = b"%PDF-1.4\nthe first one\n%%EOF\n";

struct Uploads {
    place: Place,
    folder: tempfile::TempDir,
}

impl Uploads {
    fn new() -> Self {
        let mut place = Place::new();
        drop(place.opened());
        Self { place, folder: tempfile::tempdir().expect("a folder") }
    }

    fn call(&self) -> Call {
        self.place.call()
    }

    /// A file of this name, last changed so many seconds ago.
    fn lay_down(&self, name: &str, content: &[u8], seconds: u64) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("written");
        let at = SystemTime::now() - Duration::from_secs(seconds);
        File::options().write(true).open(&path).and_then(|file| file.set_modified(at)).expect("dated");
        path
    }

    fn form(&self, id: u32, path: &Path) -> (String, String) {
        let id = format!("00000000-0000-4000-8000-{id:012}");
        let name = path.file_name().expect("a name").to_string_lossy();
        let file = json!({ "field": "cv", "path": path, "name": name, "dirs": [self.folder.path()], "size": 1, "modified": 1 });
        let form = json!({ "id": id, "received_at": now().wall, "fields": { "email": format!("{id}@example.org") }, "files": [file] });
        (id, form.to_string())
    }

    /// What became of the one file of a form that names it.
    fn apply(&self, id: u32, path: &Path) -> Value {
        let (id, form) = self.form(id, path);
        let accepted = take::accept(&self.call(), form.as_bytes()).expect("accepted");
        assert_eq!((&accepted["id"], &accepted["state"]), (&json!(id), &json!("queued")), "{accepted}");
        show::get(&self.call(), &id).expect("shown")["file_list"][0].clone()
    }

    fn sealed(&self) -> usize {
        std::fs::read_dir(self.place.dir().join("files")).expect("listed").count()
    }
}

fn is_refused(file: &Value) -> bool {
    let refused = file["refused"] == Code::FileUpload.to_string();
    assert_eq!((file["kept"] == false, file["size"] == 0), (refused, refused), "{file}");
    refused
}

#[test]
fn a_file_that_one_submission_took_is_given_to_no_other() {
    let uploads = Uploads::new();
    let path = uploads.lay_down("cv.pdf", CV, 5);
    assert!(!is_refused(&uploads.apply(1, &path)));
    let theirs = uploads.apply(2, &path);
    assert!(is_refused(&theirs) && theirs["name"] == "cv.pdf", "the application is kept without it: {theirs}");
    // Under another name it is the same file.
    let link = uploads.folder.path().join("mine.pdf");
    std::fs::hard_link(&path, &link).expect("linked");
    assert!(is_refused(&uploads.apply(3, &link)));
    assert_eq!(uploads.sealed(), 1, "nothing of it is left of the others");
    // The same submission once more is the same one, with its file.
    let (id, form) = uploads.form(1, &path);
    let again = take::accept(&uploads.call(), form.as_bytes()).expect("accepted");
    assert_eq!(again["duplicate"], true);
    assert!(!is_refused(&show::get(&uploads.call(), &id).expect("shown")["file_list"][0]));
    // An erasure frees nothing: what the add-on left behind is still that person's.
    let erase = json!({ "action": "erase", "ids": [id] }).to_string();
    assert_eq!(manage::act(&uploads.call(), erase.as_bytes()).expect("erased")["changed"], json!([id]));
    assert!(is_refused(&uploads.apply(4, &path)));
}

#[test]
fn a_new_file_in_the_place_of_a_deleted_one_is_another_file() {
    use std::os::unix::fs::MetadataExt;
    let uploads = Uploads::new();
    let path = uploads.lay_down("cv.pdf", CV, 60);
    let inode = std::fs::metadata(&path).expect("there").ino();
    assert!(!is_refused(&uploads.apply(1, &path)));
    // The same name, the same length, the same inode: only the time says that it was uploaded anew.
    uploads.lay_down("cv.pdf", &CV.to_ascii_uppercase(), 30);
    assert_eq!(std::fs::metadata(&path).expect("there").ino(), inode);
    assert!(!is_refused(&uploads.apply(2, &path)));
    std::fs::remove_file(&path).expect("removed");
    uploads.lay_down("cv.pdf", CV, 10);
    assert!(!is_refused(&uploads.apply(3, &path)));
    // In one second, too: then the bytes tell them apart.
    let about = std::fs::metadata(&path).expect("there");
    std::fs::write(&path, CV.to_ascii_uppercase()).expect("written");
    File::options()
        .write(true)
        .open(&path)
        .and_then(|file| file.set_modified(about.modified().expect("a time")))
        .expect("dated");
    let again = std::fs::metadata(&path).expect("there");
    assert_eq!((again.ino(), again.len(), again.mtime()), (about.ino(), about.len(), about.mtime()));
    assert!(!is_refused(&uploads.apply(6, &path)));
    assert!(is_refused(&uploads.apply(7, &path)));
    // Two of the same content are two.
    let other = uploads.lay_down("other.pdf", CV, 10);
    assert!(!is_refused(&uploads.apply(4, &other)));
    assert!(is_refused(&uploads.apply(5, &other)));
}

#[test]
fn it_is_remembered_for_a_week_because_a_form_that_was_kept_comes_in_later() {
    let uploads = Uploads::new();
    let path = uploads.lay_down("cv.pdf", CV, 5);
    assert!(!is_refused(&uploads.apply(1, &path)));
    let tidy = |days: i64| {
        let mut store = uploads.place.open().expect("opens");
        store.tidy(7, now().wall + days * 24 * 3_600_000).expect("tidied");
    };
    tidy(6);
    assert!(is_refused(&uploads.apply(2, &path)));
    tidy(7 + 31);
    assert!(!is_refused(&uploads.apply(3, &path)), "the control: it was the mark that refused it");
}
