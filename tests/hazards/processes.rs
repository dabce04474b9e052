//! Many processes over one store, and the process that must stay out of it: the php-fpm master.

use crate::world::{person, text, world};
use std::path::Path;

/// A parent that has the store open forks children; each opens a database connection of its own, accepts forms and
/// sends, and ends without any clean-up, as a killed child does.
const FORKS: &str = r#"
use Halt\Tracker\WordPress\{Engine, Relay};
Engine::call('status');
$kept = $wpdb->dbh;
for ($child = 0; $child < 4; $child++) {
    if (pcntl_fork() !== 0) { continue; }
    $wpdb->dbh = null;
    $wpdb->db_connect(false);
    for ($n = 0; $n < 10; $n++) {
        $answer = Engine::call('accept', [Engine::encode([
            'id' => wp_generate_uuid4(), 'received_at' => (int) (microtime(true) * 1000), 'timestamp' => wp_date('c'),
            'fields' => ['name' => "fork-$child-$n Byron", 'email' => "fork-$child-$n@example.org"], 'labels' => (object) [],
            'info' => ['contact_form_id' => 'et_pb_contact_form_0', 'contact_form_unique_id' => 'u'],
            'css_id' => '', 'title' => '', 'meta' => (object) [], 'token' => '', 'files' => [],
        ])]);
        if ($answer['state'] !== 'queued') { fwrite(STDERR, json_encode($answer)); }
        if ($n % 3 === 0) { Relay::run('cli', 300); }
    }
    posix_kill(getmypid(), SIGKILL);
}
while (pcntl_wait($status) > 0) { }
echo json_encode(Engine::call('status')['counts']);
"#;

#[test]
fn forked_children_and_four_workers_accept_and_send_without_loss_or_twin() {
    let world = world(|options| options.workers = 4);
    world.set_up("", &world.data);
    let mut emails: Vec<String> =
        (0..4).flat_map(|child| (0..10).map(move |n| format!("fork-{child}-{n}@example.org"))).collect();
    std::thread::scope(|scope| {
        let forks = scope.spawn(|| world.stack.php(FORKS).expect("the parent outlives its children"));
        let visitors: Vec<_> = (0..4)
            .map(|thread| {
                let world = &world;
                scope.spawn(move || {
                    let one = |n: usize| {
                        let email = format!("visitor-{thread}-{n}@example.org");
                        if n.is_multiple_of(2) {
                            world.apply(["d4", "d5"][n / 2 % 2], &email);
                        } else {
                            assert_eq!(world.webhook("", &email).status, 202);
                        }
                        email
                    };
                    (0..10).map(one).collect::<Vec<_>>()
                })
            })
            .collect();
        visitors.into_iter().for_each(|visitor| emails.extend(visitor.join().expect("every visitor was thanked")));
        println!("hazards: forks: {} when the children were gone", forks.join().expect("forks"));
    });
    let ticks = world.tick_until_delivered("forks", &emails);
    let ledger = world.sim.ledger();
    assert_eq!(
        ledger["resources"].as_array().map(Vec::len),
        Some(emails.len()),
        "exactly as many records as submissions"
    );
    assert_eq!(world.status()["counts"]["done"], emails.len());
    world.assert_quiet("forks");
    println!("campaign h: real PHP: forks: {}, delivered after {ticks} tick(s)", world.tally("forks", &emails));
}

/// What a process has open: paths and socket numbers, and the files that it has mapped.
fn owned(pid: u32) -> (Vec<String>, String) {
    let folder = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("a living process");
    let open = folder.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
    let open = open.map(|path| path.to_string_lossy().into_owned()).collect();
    (open, std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("maps"))
}

/// The numbers of the sockets that are connected to a port of this machine.
fn sockets_to(port: u16) -> Vec<String> {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("a table");
    let wanted = format!(":{port:04X}");
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.get(2).is_some_and(|remote| remote.ends_with(&wanted)).then(|| format!("socket:[{}]", words[9]))
    };
    table.lines().skip(1).filter_map(line).collect()
}

#[test]
fn the_fpm_master_keeps_one_thread_and_nothing_of_ours() {
    let world = world(|options| options.workers = 3);
    world.set_up("", &world.data);
    let port: u16 = world.sim.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let (master, _) = world.stack.fpm_pids();
    let look = |when: &str| {
        let threads = std::fs::read_dir(format!("/proc/{master}/task")).expect("tasks").count();
        let (open, maps) = owned(master);
        let ours = |path: &&String| path.contains(text(&world.data)) || path.contains("halt-tracker-key");
        assert_eq!(threads, 1, "{when}");
        assert_eq!(open.iter().find(ours), None, "{when}");
        assert!(!maps.contains(text(&world.data)), "{when}: mapped {maps}");
        let sockets = sockets_to(port);
        assert_eq!(open.iter().find(|path| sockets.contains(path)), None, "{when}: a socket to Tracker");
        open.len()
    };
    let began = look("after the start");
    for n in 0..50 {
        match n % 3 {
            0 => _ = world.apply("d4", &person("master", n)),
            1 => assert_eq!(world.webhook("", &person("master", n)).status, 202),
            _ => assert_eq!(world.stack.get("/?pagename=d5").status, 200),
        }
    }
    let ended = look("after 50 requests");
    assert_eq!(began, ended, "the master opened something");
    let (_, workers) = world.stack.fpm_pids();
    let threads: Vec<usize> =
        workers.iter().map(|pid| std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)).collect();
    let holds =
        workers.iter().filter(|pid| owned(**pid).0.iter().any(|path| Path::new(path).starts_with(&world.data))).count();
    assert!(holds > 0, "the workers do hold the store, or this test looked at the wrong place");
    println!(
        "campaign h: real PHP: master: 1 thread, {ended} descriptors, none of ours; {holds} of {} workers hold the store, threads {threads:?}",
        workers.len()
    );
}
