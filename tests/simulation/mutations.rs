//! Mechanisms of the delivery that have no switch in the engine: the world takes away what they give.

use serde_json::json;

use crate::delivery::{ada, somebody};
use crate::scripts::{done, expect, held, once};
use crate::world::World;

/// A mechanism, what is played, and the play, with the mechanism taken away or not: what went wrong, in words.
pub type Mutation = (&'static str, &'static str, fn(bool) -> Result<(), String>);

pub const MUTATIONS: &[Mutation] = &[
    (
        "a new refresh token is kept durably before it is used",
        "PHP is killed at every moment of a run in which Tracker gives a new one",
        killed_while_a_token_is_new,
    ),
    (
        "a request that may have left counts as lost, never as not sent (R4)",
        "the answer to a create is lost",
        a_loss_that_is_denied,
    ),
];

/// The refresh token as it lies in the store.
fn stored(world: &World) -> Vec<u8> {
    let sql = "SELECT sealed FROM token WHERE name = 'refresh'";
    world.store.connection().query_row(sql, [], |row| row.get(0)).expect("a token")
}

/// How often Tracker gave a new refresh token, and whether anything was asked with what came along with the last one.
fn given(world: &World) -> (u64, bool) {
    let is_token = |request: &serde_json::Value| request["operation"] == "token";
    let used = world.held("requests").last().is_some_and(|request| !is_token(request));
    (world.ledger()["tokens"]["refreshes"].as_u64().unwrap_or(0), used)
}

/// Taken away: what is kept of a new token is on the disk only when the run has ended, so that a killed one has kept nothing.
fn killed_while_a_token_is_new(is_late: bool) -> Result<(), String> {
    let mut used = 0;
    for moment in 0.. {
        let mut world = World::new(23, json!({ "api": "rest" }));
        world.switches(&json!({ "jwt_lifetime_s": 3_600 }));
        somebody(&mut world);
        let two_hours = |world: &mut World| {
            world.clock.advance(2 * 3_600_000);
            world.beat();
        };
        two_hours(&mut world);
        let (before, (refreshes, _)) = (stored(&world), given(&world));
        let id = world.submit(&ada());
        world.clock.crash_in.set(Some(moment));
        let is_killed = world.run().is_none();
        world.clock.crash_in.set(None);
        let (now, is_used) = given(&world);
        if now > refreshes && !is_used && stored(&world) == before {
            // Tracker has given it and nobody has kept it yet: that window nobody can close.
            continue;
        }
        used += usize::from(is_killed && now > refreshes && is_used);
        if is_killed && is_late {
            let sql = "UPDATE token SET sealed = ?1 WHERE name = 'refresh'";
            world.store.connection().execute(sql, [&before]).map_err(|error| error.to_string())?;
        }
        // What came along with it ends, and the next one is needed.
        two_hours(&mut world);
        world.run_for(3);
        done(&world, &id).map_err(|why| format!("{why}; killed at moment {moment}"))?;
        if !is_killed {
            return expect(used > 10, || format!("killed only {used} times after a new token was used"));
        }
    }
    Ok(())
}

/// Taken away: the transport says that the connection never came about.
fn a_loss_that_is_denied(is_denied: bool) -> Result<(), String> {
    let mut world = World::new(23, json!({ "api": "rest", "duplicates": "create" }));
    somebody(&mut world);
    once(&mut world, "create_resource", "drop_after");
    world.wire.denies_losses = is_denied;
    let id = world.submit(&ada());
    world.run_for(2);
    done(&world, &id)?;
    held(&world, "resources", 2)
}
