//! Exporter, eraser and search find a person wherever the address stands in what was sent, and nobody else.

use halt_tracker::queue::Store;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::erasure::Erased;
use halt_tracker::queue::state::State;
use halt_tracker::queue::view::Query;
use halt_tracker::queue::work::{NewPlan, Settled};
use halt_tracker::submission::Submission;
use serde_json::{Value, json};

use crate::{Place, accept, now, submission};

const ADA: &str = "ada@example.org";

fn with_meta(id: u32, fields: &Value, meta: &Value) -> Submission {
    Submission { meta: meta.as_object().cloned().unwrap_or_default(), ..submission(id, fields) }
}

/// Ada's address in every place from which the mapping, or a person who reads, could take it.
fn everywhere() -> Vec<Submission> {
    let fields = [
        json!({ "contact": { "email": "Ada@Example.org" } }),
        json!({ "people": [{ "name": "x" }, { "mails": ["ada@example.org"] }] }),
        json!({ "from": "Ada Lovelace <ada@example.org>" }),
        json!({ "from": "mailto:ada@example.org" }),
        json!({ "mails": "b@example.org; ada@example.org" }),
        json!({ "message": "Dear all,\nplease write to 'ada@example.org'.\nAda" }),
        json!({ "page": "https://www.example.org/apply?to=x&email=ada%40example.org#top" }),
        json!({ "raw": "{\"email\":\"ada@example.org\"}" }),
        json!({ "ada@example.org": "subscribed" }),
    ];
    let metas = [
        json!({ "sender": "ada@example.org" }),
        json!({ "headers": { "from": ["Ada <ada@example.org>"] } }),
        json!({ "url": "https://www.example.org/?q=write+to+ada%40example.org" }),
    ];
    let of_fields = fields.iter().map(|fields| (fields.clone(), json!({})));
    let all = of_fields.chain(metas.iter().map(|meta| (json!({ "name": "x" }), meta.clone())));
    (1..).zip(all).map(|(id, (fields, meta))| with_meta(id, &fields, &meta)).collect()
}

fn found(store: &Store, email: &str) -> Vec<String> {
    store.ids_of_email(email).expect("searched")
}

#[test]
fn an_address_is_found_and_erased_wherever_it_stands() {
    let mut place = Place::new();
    let mut store = place.opened();
    let all = everywhere();
    for one in &all {
        accept(&mut store, one);
    }
    let ids: Vec<String> = all.iter().map(|one| one.id.clone()).collect();
    assert_eq!(found(&store, ADA), ids);
    let query = Query { search: ADA.into(), per_page: 100, ..Query::default() };
    assert_eq!(store.list(&query).expect("listed").0, i64::try_from(ids.len()).expect("few"));
    for other in ["lovelace@example.org", "ada@example.com", "da@example.org", "example.org"] {
        assert_eq!(found(&store, other), Vec::<String>::new(), "{other}");
    }
    store.note_erasure(ADA, now().wall).expect("noted");
    for id in &ids {
        store.act(id, Action::Erase, &now()).expect("erased");
        assert_eq!(store.state_of(id).expect("read"), Some(State::Erased));
    }
    assert_eq!(found(&store, ADA), Vec::<String>::new());
    // The same again, received before and adopted later, is erased as it comes in; what is sent afterwards is not.
    for one in &all {
        let id = one.id.replace("00000000-", "11111111-");
        let earlier = Submission { id, received_at: one.received_at - 60_000, ..one.clone() };
        assert_eq!(accept(&mut store, &earlier).state, State::Erased, "{:?} {:?}", one.fields, one.meta);
        let id = one.id.replace("00000000-", "22222222-");
        let later = Submission { id, received_at: one.received_at + 60_000, ..one.clone() };
        assert_eq!(accept(&mut store, &later).state, State::Queued);
    }
}

#[test]
fn whoever_is_named_beside_somebody_else_who_was_erased_loses_nothing() {
    let mut place = Place::new();
    let mut store = place.opened();
    let desk = "desk@agency.example";
    let one = |id: u32, email: &str| submission(id, &json!({ "contact": { "email": email }, "recruiter": desk }));
    let (ada, bob) = (one(1, ADA), one(2, "bob@example.org"));
    accept(&mut store, &ada);
    accept(&mut store, &bob);
    store.checkpoint().expect("moved");
    drop(store);
    let copy = place.root.path().join("yesterday");
    std::process::Command::new("cp").arg("-a").arg(place.dir()).arg(&copy).status().expect("copied");
    let mut store = place.open().expect("opens");
    store.note_erasure(ADA, now().wall).expect("noted");
    store.act(&ada.id, Action::Erase, &now()).expect("erased");
    let remembered = store.share_erasures(&Erased::new(), &now()).expect("shared").0;
    assert_eq!(remembered.len(), 1, "who asked, and not the desk that every form names");
    // A form that was kept elsewhere names the same desk.
    let mut kept = one(3, "carl@example.org");
    kept.received_at -= 60_000;
    assert_eq!(accept(&mut store, &kept).state, State::Queued);
    let mut referee =
        submission(4, &json!({ "email": "dora@example.org", "message": "Ask ada@example.org about me." }));
    referee.received_at -= 60_000;
    assert_eq!(accept(&mut store, &referee).state, State::Queued, "her application, not Ada's");
    drop(store);
    std::fs::remove_dir_all(place.dir()).expect("removed");
    std::fs::rename(&copy, place.dir()).expect("back");
    let mut store = place.open().expect("opens");
    assert_eq!(store.share_erasures(&remembered, &now()).expect("shared").1, 1);
    assert_eq!(store.state_of(&ada.id).expect("read"), Some(State::Erased));
    assert_eq!(store.state_of(&bob.id).expect("read"), Some(State::Queued));
}

#[test]
fn whoever_only_names_an_address_in_a_text_is_somebody_else() {
    let mut place = Place::new();
    let mut store = place.opened();
    let text = "Ask ada@example.org about me.";
    let ones = [
        (submission(1, &json!({ "email": "dora@example.org", "message": text })), true),
        (submission(2, &json!({ "email": "dora@example.org", "referee": ADA, "message": text })), false),
        (submission(3, &json!({ "name": "Ada", "message": "Write to Ada@Example.org, please." })), false),
        (with_meta(4, &json!({ "message": text }), &json!({ "sender": "Dora <dora@example.org>" })), true),
    ];
    for (one, mentions) in &ones {
        accept(&mut store, one);
        assert_eq!(store.only_mentions(&one.id, " ADA@example.org").expect("read"), *mentions, "{}", one.id);
    }
    assert_eq!(found(&store, ADA).len(), ones.len());
    store.act(&ones[0].0.id, Action::Erase, &now()).expect("erased");
    assert!(!store.only_mentions(&ones[0].0.id, ADA).expect("read"), "nothing is left that could name it");
}

#[test]
fn a_submission_full_of_addresses_costs_a_bounded_number_of_keys() {
    let mut place = Place::new();
    let mut store = place.opened();
    let text: String = (0..9_000).map(|n| format!("p{n}@example.org and ")).collect();
    let one =
        submission(1, &json!({ "a": { "text": text }, "contact": { "email": ADA }, "noise": "@".repeat(200_000) }));
    accept(&mut store, &one);
    let keys: i64 = store.connection().query_row("SELECT count(*) FROM search", [], |row| row.get(0)).expect("counted");
    assert!((100..=200).contains(&keys), "{keys}");
    assert_eq!(found(&store, ADA), std::slice::from_ref(&one.id), "what a field holds comes before what a text says");
}

/// The store as an earlier version left it, which looked at the topmost fields only.
fn as_before(store: &Store) {
    store
        .connection()
        .execute_batch("DELETE FROM search; DELETE FROM meta WHERE name = 'addresses'")
        .expect("set back");
}

fn nested(id: u32) -> Submission {
    submission(id, &json!({ "contact": { "email": format!("p{id}@example.org") } }))
}

#[test]
fn what_an_earlier_version_stored_is_found_after_a_few_runs_or_at_once_when_somebody_asks() {
    let mut place = Place::in_memory();
    let mut store = place.opened();
    for id in 0..1_100 {
        accept(&mut store, &nested(id));
    }
    assert_eq!(store.index_addresses().expect("indexed"), 0, "a new store has nothing to catch up with");
    let all = |store: &Store| (0..1_100).filter(|id| found(store, &format!("p{id}@example.org")).len() == 1).count();
    as_before(&store);
    assert_eq!(all(&store), 0, "the control");
    let rounds: Vec<usize> = (0..4).map(|_| store.index_addresses().expect("indexed")).collect();
    assert_eq!((rounds, all(&store)), (vec![500, 500, 100, 0], 1_100));
    assert_eq!(store.index_addresses().expect("indexed"), 0);
    as_before(&store);
    store.index_all_addresses().expect("indexed");
    assert_eq!(all(&store), 1_100);
}

#[test]
fn an_old_store_that_is_put_back_is_indexed_before_who_was_erased_is_looked_for() {
    let mut place = Place::new();
    let mut store = place.opened();
    for id in 1..=2 {
        accept(&mut store, &nested(id));
    }
    store.note_erasure("p1@example.org", now().wall).expect("noted");
    let known = store.share_erasures(&Erased::new(), &now()).expect("shared").0;
    // A backup of before, made whole by the command, and a folder that the host puts back.
    as_before(&store);
    let backup = place.root.path().join("backup");
    store.back_up(&backup).expect("backed up");
    store.put_back(&backup, &now()).expect("put back");
    drop(store);
    let store = place.open().expect("opens");
    let states = |store: &Store| [1, 2].map(|id| store.state_of(&nested(id).id).expect("read").expect("there"));
    assert_eq!(states(&store), [State::Erased, State::Queued]);
    drop(store);
    let mut other = Place::new();
    let mut store = other.opened();
    accept(&mut store, &nested(1));
    accept(&mut store, &nested(2));
    as_before(&store);
    // Keys differ between the two: the hash that this site would have kept.
    let hash = store.ring().hash("email", b"p1@example.org");
    let known: Erased = known.values().map(|at| (hash, *at + 1_000)).collect();
    assert_eq!(store.share_erasures(&known, &now()).expect("shared").1, 1);
    assert_eq!(states(&store), [State::Erased, State::Queued]);
}

#[test]
fn what_lay_under_a_lost_key_is_indexed_when_the_key_is_back() {
    let mut place = Place::new();
    let mut store = place.opened();
    accept(&mut store, &nested(1));
    as_before(&store);
    drop(store);
    let away = place.root.path().join("away");
    std::fs::rename(place.key_file(), &away).expect("lost");
    let mut store = place.open().expect("opens under a new key");
    store.index_all_addresses().expect("as far as it opens");
    assert_eq!(found(&store, "p1@example.org").len(), 0);
    std::fs::rename(&away, place.key_file()).expect("back");
    assert!(store.look_for_lost_key().expect("looked"));
    store.index_all_addresses().expect("indexed");
    assert_eq!(found(&store, "p1@example.org").len(), 1);
}

#[test]
fn whom_a_plan_names_is_found_and_is_the_one_who_is_erased() {
    let mut place = Place::new();
    let mut store = place.opened();
    let one = submission(1, &json!({ "from": "ada at example.org", "recruiter": "desk@agency.example" }));
    let two = submission(2, &json!({ "contact": { "email": ADA }, "recruiter": "desk@agency.example" }));
    for one in [&one, &two] {
        accept(&mut store, one);
        let job = store.job(store.seq_of(&one.id).expect("there")).expect("read");
        let plan = NewPlan {
            requests: json!({ "email": ADA, "steps": [] }).to_string().into_bytes(),
            steps: Vec::new(),
            person: None,
            record_type: "Resource",
            api: "rest",
            tenant: "tenant".into(),
            generation: 1,
        };
        assert!(store.claim(&job, "run", Some(&plan), &now()).expect("claimed"));
        let settled =
            Settled { state: State::Queued, reason: "", code: None, message: String::new(), due_in: 0, spent: false };
        store.settle(&job, "run", &settled, &now()).expect("settled");
    }
    assert_eq!(found(&store, ADA), [one.id.clone(), two.id.clone()]);
    store.act(&two.id, Action::Erase, &now()).expect("erased");
    let known = store.share_erasures(&Erased::new(), &now()).expect("shared").0;
    let ada = store.ring().hash("email", ADA.as_bytes());
    assert_eq!(known.keys().collect::<Vec<_>>(), [&ada], "not the desk that stands in every form");
}
