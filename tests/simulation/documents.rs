//! What becomes of a document that cannot be sent as it lies there: it is named with a reason of its own, nothing of it goes
//! out, and the application itself goes on.

use halt_tracker::clock::Clock;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::State;
use halt_tracker::submission::FilePart;
use halt_tracker::vault::file::SealedWriter;
use serde_json::json;

use crate::delivery::{ada, both};
use crate::world::World;

fn documents(world: &World, id: &str) -> Vec<FilePart> {
    let seq = world.store.seq_of(id).expect("there");
    world.store.job(seq).expect("read").files
}

/// The codes of a submission's document steps, in order; 0 for one that was sent.
fn codes(world: &World, id: &str) -> Vec<u64> {
    let seq = world.store.seq_of(id).expect("there");
    let steps = world.store.step_views(seq, id).expect("steps");
    steps.iter().filter(|step| step["kind"] == "document").map(|step| code(&step["code"])).collect()
}

fn code(value: &serde_json::Value) -> u64 {
    value.as_str().map_or(0, |text| text.trim_start_matches("HT-").parse().expect("a code"))
}

fn retry(world: &mut World, id: &str) {
    let now = world.clock.now();
    world.store.act(id, Action::Retry, &now).expect("retried");
    world.run_for(1);
}

#[test]
fn a_damaged_file_is_named_and_not_begun_to_be_sent_and_goes_out_when_it_is_back() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 3] = [
        ("cut", |bytes| bytes.truncate(bytes.len() - 1)),
        ("cut after its head", |bytes| bytes.truncate(40)),
        ("one bit", |bytes| bytes[50] ^= 1),
    ];
    for (what, damage) in damages {
        both(|api, world| {
            world.documents = 2;
            let id = world.submit(&ada());
            let path = world.store.folder().join(&documents(world, &id)[0].stored);
            let whole = std::fs::read(&path).expect("read");
            let mut bytes = whole.clone();
            damage(&mut bytes);
            std::fs::write(&path, bytes).expect("damaged");
            world.run_for(6);
            assert_eq!(codes(world, &id), [1708, 0], "{api} {what}: {}", world.explain());
            assert_eq!(world.item(&id).state, State::Attention, "{api} {what}");
            assert_eq!(world.asked("attach_document"), 1, "{api} {what}");
            std::fs::write(&path, whole).expect("back");
            retry(world, &id);
            assert_eq!(world.item(&id).state, State::Done, "{api} {what}: {}", world.explain());
            assert_eq!(world.held("documents").len(), 2, "{api} {what}");
        });
    }
}

/// As if the kind of the first file had not been allowed when it came in.
fn was_refused(world: &World, id: &str) {
    let seq = world.store.seq_of(id).expect("there");
    let part = FilePart { refused: 1701, ..documents(world, id).remove(0) };
    let about = world.store.seal(id, "file", &serde_json::to_vec(&part).expect("JSON")).expect("sealed");
    let sql = "UPDATE file SET about = ?2 WHERE seq = ?1 AND ordinal = 1";
    assert_eq!(world.store.connection().execute(sql, rusqlite::params![seq, about]).expect("changed"), 1);
}

#[test]
fn a_file_whose_kind_is_allowed_by_now_goes_out_at_the_next_try() {
    both(|api, world| {
        world.set(&json!({ "file_types": "doc, docx" }));
        world.documents = 1;
        let id = world.submit(&ada());
        was_refused(world, &id);
        world.run_for(6);
        retry(world, &id);
        assert_eq!((codes(world, &id), world.item(&id).state), (vec![1701], State::Attention), "{api}: not yet");
        world.set(&json!({ "file_types": "doc, .PDF" }));
        retry(world, &id);
        assert_eq!(world.item(&id).state, State::Done, "{api}: {}", world.explain());
        assert_eq!((world.held("documents").len(), world.held("resources").len()), (1, 1), "{api}");
        assert_eq!(documents(world, &id)[0].refused, 0, "{api}: the page says so too");
    });
}

#[test]
fn a_file_of_an_allowed_kind_that_is_something_else_stays_here() {
    both(|api, world| {
        world.set(&json!({ "file_types": "doc" }));
        world.documents = 1;
        let id = world.submit(&ada());
        was_refused(world, &id);
        let stored = documents(world, &id).remove(0).stored;
        let mut writer = SealedWriter::create(world.store.ring(), world.store.folder(), &id).expect("begun");
        writer.write(b"MZ is no CV").expect("written");
        let other = writer.finish().expect("finished").name;
        std::fs::rename(world.store.folder().join(other), world.store.folder().join(stored)).expect("in its place");
        world.run_for(6);
        world.set(&json!({ "file_types": "pdf" }));
        retry(world, &id);
        assert_eq!((codes(world, &id), world.item(&id).state), (vec![1702], State::Attention), "{api}");
        assert_eq!(documents(world, &id)[0].refused, 1702, "{api}");
        assert_eq!(world.asked("attach_document"), 0, "{api}");
    });
}
