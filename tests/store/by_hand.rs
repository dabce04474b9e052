//! What people order by hand, as the plugin hands it to the engine: an order that names something which is not there is an
//! error, and nothing changes.

use halt_tracker::codes::{Code, Coded};
use halt_tracker::engine::{EngineError, manage, show};
use serde_json::{Value, json};

use crate::Place;

const SECRET: &str = "q7VhT2mZx9KfLs4RbN8wYc3JdG6pEu5A-two";

fn act(place: &Place, action: &Value) -> Result<Value, EngineError> {
    manage::act(&place.call(), action.to_string().as_bytes())
}

fn is_open(place: &Place) -> bool {
    show::status(&place.call()).expect("a status")["lane"]["open"] == json!(true)
}

#[test]
fn a_pause_is_ended_by_its_own_name_or_by_none_and_a_mistyped_one_is_an_error() {
    let mut place = Place::new();
    drop(place.opened());
    act(&place, &json!({ "action": "pause" })).expect("paused");
    for reason in ["by-hand", "byhand", "By hand", " by hand", "all"] {
        let said = act(&place, &json!({ "action": "resume", "reason": reason }));
        assert_eq!(said.map_err(|error| error.code()), Err(Code::ActName), "{reason}");
        assert!(!is_open(&place), "{reason} has ended the pause");
    }
    // One that is known, and is not there.
    let said = act(&place, &json!({ "action": "resume", "reason": "endpoint" })).expect("an answer");
    assert!(said["changed"] == json!([]) && !is_open(&place), "{said}");
    for resume in [json!({ "action": "resume", "reason": "by hand" }), json!({ "action": "resume" })] {
        act(&place, &json!({ "action": "pause" })).expect("paused");
        assert_ne!(act(&place, &resume).expect("resumed")["changed"], json!([]));
        assert!(is_open(&place), "{resume}");
    }
}

#[test]
fn a_webhook_secret_is_retired_by_its_number_and_a_number_that_is_none_of_them_is_an_error() {
    let mut place = Place::new();
    drop(place.opened());
    manage::save_secret(&place.call(), "shared_secret", SECRET).expect("saved");
    manage::save_secret(&place.call(), "client_secret", "of another kind, under number 0").expect("saved");
    let left = || {
        let status = show::status(&place.call()).expect("a status");
        let all = status["secrets"].as_array().cloned().unwrap_or_default();
        all.iter().filter(|one| one["set"] == json!(true)).count()
    };
    for id in [0, 2, -1] {
        let said = act(&place, &json!({ "action": "retire_secret", "id": id }));
        assert_eq!(said.map_err(|error| error.code()), Err(Code::SecretName), "{id}");
        assert_eq!(left(), 2, "{id}");
    }
    let retire = json!({ "action": "retire_secret", "id": 1 });
    assert_ne!(act(&place, &retire).expect("retired")["changed"], json!([]));
    assert_eq!(left(), 1);
    assert_eq!(act(&place, &retire).map_err(|error| error.code()), Err(Code::SecretName), "it is gone already");
}
