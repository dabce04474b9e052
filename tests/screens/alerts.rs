//! When a look for trouble cannot see everything: a loss that nobody has dealt with, a mailer that fails, a store that is
//! busy, and two PHPs of which one lacks the engine. None of them may be told as settled.

use crate::hooks::{MustUse, NO_RUN_AFTER};
use crate::outside::look;
use crate::signals::mails;
use crate::site::{Site, body, on_a_site};

/// What was mailed seems this much older.
fn age(site: &Site, seconds: u32) {
    site.php(&format!("update_option('halt_tracker_alerts', array_map(static fn ($at) => $at - {seconds}, get_option('halt_tracker_alerts')), false);"));
}

#[test]
fn a_loss_is_told_each_day_until_somebody_has_dealt_with_it() {
    on_a_site(|site| {
        site.credentials();
        site.php("Halt\\Tracker\\WordPress\\Lost::note('HT-1104');");
        look(site);
        site.php("$lost = get_option('halt_tracker_lost'); $lost['last_at'] -= 25 * 3600; update_option('halt_tracker_lost', $lost, false);");
        look(site);
        age(site, 25 * 3600);
        look(site);
        let all = mails(site);
        assert!(all.len() == 2 && all.iter().all(|mail| mail.contains("HT-1803")), "{all:?}");
        site.php("Halt\\Tracker\\WordPress\\Lost::dealt_with(1);");
        look(site);
        let all = mails(site);
        assert!(all.len() == 3 && all[2].contains("is working again"), "{all:?}");
    });
}

/// A look whose mail no mailer takes. The fixture notes the attempt all the same.
fn look_in_vain(site: &Site) {
    site.php("add_filter('pre_wp_mail', '__return_false', PHP_INT_MAX, 0); Halt\\Tracker\\WordPress\\Alerts::look();");
}

#[test]
fn a_mail_that_no_mailer_took_is_tried_again_and_not_at_every_tick() {
    on_a_site(|site| {
        site.credentials();
        site.php("Engine::act(['action' => 'pause']);");
        look_in_vain(site);
        look_in_vain(site);
        assert_eq!(mails(site).len(), 1, "a mailer that fails is left alone for a while");
        age(site, 3700);
        look(site);
        look(site);
        let all = mails(site);
        assert!(all.len() == 2 && all[1].contains("HT-1611"), "{all:?}");
        age(site, 7200);
        look(site);
        assert_eq!(mails(site).len(), 2, "one that was taken is told once a day");
        // The same when it is over.
        site.php("Engine::act(['action' => 'resume', 'reason' => 'by hand']);");
        look_in_vain(site);
        look(site);
        assert_eq!(mails(site).len(), 3);
        age(site, 3700);
        look(site);
        look(site);
        let all = mails(site);
        assert!(all.len() == 4 && all[2..].iter().all(|mail| mail.contains("is working again")), "{all:?}");
    });
}

#[test]
fn a_store_that_is_busy_is_no_incident_and_settles_none() {
    on_a_site(|site| {
        site.credentials();
        let folder = site.php("echo Places::known_data_dir();");
        let lock = std::fs::OpenOptions::new().read(true).write(true).open(format!("{folder}/write.lock")).expect("it");
        lock.lock().expect("locked");
        look(site);
        lock.unlock().expect("unlocked");
        assert_eq!(mails(site), Vec::<String>::new(), "somebody writes, as a backup does");
        site.php("Engine::act(['action' => 'pause']);");
        look(site);
        lock.lock().expect("locked");
        look(site);
        lock.unlock().expect("unlocked");
        let all = mails(site);
        assert!(all.len() == 1 && all[0].contains("HT-1611"), "{all:?}");
        site.php("Engine::act(['action' => 'resume', 'reason' => 'by hand']);");
        look(site);
        assert!(mails(site).last().is_some_and(|mail| mail.contains("is working again")), "{:?}", mails(site));
    });
}

#[test]
fn an_engine_that_the_web_alone_lacks_is_not_said_to_work_again_by_the_command_line() {
    on_a_site(|site| {
        site.credentials();
        site.cron();
        site.php("delete_option('halt_tracker_alerts_looked');");
        site.stack.set_extension(false).expect("without the module");
        site.apply(4, &[("email", "kept@example.org")]);
        site.until("the mail", || !mails(site).is_empty());
        let first = mails(site).concat();
        assert!(first.contains("HT-1001") && first.contains("fpm-fcgi 8."), "{first}");
        // The command line has it: php-fpm keeps what it read when it was started.
        let module = site.stack.root.join("module/halt_tracker.so");
        let ini = site.stack.root.join("php/extra/halt_tracker.ini");
        std::fs::write(ini, format!("extension={}\n", module.display())).expect("the command line's");
        let tick = |extension| {
            site.stack.php_as("www-data", extension, "do_action('halt_tracker_process_queue');").expect("a tick");
        };
        tick(true);
        tick(true);
        let all = mails(site);
        assert_eq!(all.len(), 1, "the web still lacks it: {all:?}");
        // The other way round: the web has it, cron does not.
        site.stack.set_extension(true).expect("the module");
        assert!(!body(&site.page("halt-tracker")).contains("another PHP of this server"));
        tick(true);
        assert!(mails(site).last().is_some_and(|mail| mail.contains("is working again")), "{:?}", mails(site));
        tick(false);
        let last = mails(site).pop().expect("a mail");
        assert!(last.contains("HT-1001") && last.contains("cli 8."), "{last}");
        let shown = body(&site.page("halt-tracker"));
        assert!(shown.contains("Needs attention") && shown.contains("another PHP of this server"), "{shown}");
        site.cron();
        // One that left longer ago than a day concerns nobody.
        site.php("$seen = get_option('halt_tracker_engines'); $seen['cli 7.4'] = ['state' => 'absent', 'at' => time() - 90000]; update_option('halt_tracker_engines', $seen, false);");
        crate::health::is(site, "everywhere", "good", "");
    });
}

#[test]
fn nobody_who_sends_a_form_waits_for_a_mailer() {
    on_a_site(|site| {
        site.credentials();
        site.php("Engine::act(['action' => 'pause']); delete_option('halt_tracker_alerts_looked');");
        let ini = site.stack.root.join("php/conf.d/unfinished.ini");
        std::fs::write(&ini, "disable_functions = fastcgi_finish_request\n").expect("an ini file");
        site.stack.restart_fpm("QUIT").expect("php-fpm");
        site.apply(4, &[("email", "first@example.org")]);
        let in_the_request = mails(site);
        std::fs::remove_file(&ini).expect("gone");
        site.stack.restart_fpm("QUIT").expect("php-fpm");
        assert_eq!(in_the_request, Vec::<String>::new(), "the answer could not be ended before");
        site.cron();
        assert_eq!(mails(site).len(), 1);
        // Who leaves sending to cron is told by a visitor's request all the same, once its answer is out.
        site.php("delete_option('halt_tracker_alerts_looked'); delete_option('halt_tracker_alerts');");
        let _cron = MustUse::load(site, NO_RUN_AFTER);
        site.apply(4, &[("email", "second@example.org")]);
        site.until("the mail", || mails(site).len() == 2);
    });
}
