//! What was acknowledged survives SIGKILL at any moment, and no half of an operation is ever found.
//!
//! Clients make links and follow them; the process is killed in the midst of it, again and again. After each kill
//! the database is read as the dead process left it, and held against what the clients were told.

use crate::data_folder::database;
use crate::process::{Place, Server, call};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const KILLS: u32 = 24;
const CLIENTS: usize = 4;

/// What one link's clients know: writes that were acknowledged, and others that may have happened or not.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    created: bool,
    visits: i64,
    perhaps: i64,
}

type Knowledge = BTreeMap<String, Known>;

#[test]
fn every_acknowledged_write_survives_sigkill_and_no_operation_is_halved() {
    let place = Place::new();
    let first = place.start();
    let key = place.key("member", "load");
    first.stop();
    let mut known = Knowledge::new();
    let mut chance = Chance(0x5eed);
    for round in 0..KILLS {
        let server = place.start();
        let delay = Duration::from_millis(5 + chance.below(120));
        for (slug, more) in kill_under_load(server, &key, round, delay) {
            let link = known.entry(slug).or_default();
            link.created |= more.created;
            link.visits += more.visits;
            link.perhaps += more.perhaps;
        }
        hold_against(&place, &known, round);
    }
    let acknowledged = known.values().filter(|link| link.created).count();
    assert!(acknowledged > KILLS as usize, "the load was too light to prove anything: {acknowledged} links");
    // What a dead process left is also what the next one serves.
    let server = place.start();
    for (slug, link) in &known {
        if link.created {
            let found = server.call(&key, "GET", &format!("/links/{slug}"), None);
            assert_eq!(found.status, 200, "{slug}");
        }
    }
}

/// Several clients at work until the process dies under them.
fn kill_under_load(server: Server, key: &str, round: u32, delay: Duration) -> Knowledge {
    let address = server.public.clone();
    let dead = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (address, dead) = (&address, &dead);
                scope.spawn(move || work(address, key, &format!("r{round}-c{client}"), dead))
            })
            .collect();
        // The moment is random on purpose: nothing is awaited here.
        std::thread::sleep(delay);
        server.kill();
        dead.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().expect("no panic")).collect()
    })
}

/// Makes links and follows each of them three times, until nobody answers.
fn work(address: &str, key: &str, prefix: &str, dead: &AtomicBool) -> Knowledge {
    let mut known = Knowledge::new();
    for number in 0.. {
        if dead.load(Ordering::Relaxed) {
            break;
        }
        let slug = format!("{prefix}-{number}");
        let link = known.entry(slug.clone()).or_default();
        let body = json!({"url": "https://example.com/", "slug": slug});
        match call(address, key, "POST", "/links", Some(body)) {
            Ok(answer) => {
                assert_eq!(answer.status, 201, "{answer:?}");
                link.created = true;
            }
            Err(_) => break,
        }
        for _ in 0..3 {
            match call(address, "", "GET", &format!("/{slug}"), None) {
                Ok(answer) => {
                    assert_eq!(answer.status, 302, "{answer:?}");
                    link.visits += 1;
                }
                Err(_) => {
                    link.perhaps += 1;
                    break;
                }
            }
        }
    }
    known
}

/// The database as the dead process left it, against what the clients were told.
fn hold_against(place: &Place, known: &Knowledge, round: u32) {
    let connection = Connection::open(database(place)).expect("opens after a kill");
    let sound: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("readable");
    assert_eq!(sound, "ok", "round {round}");
    let events = emitted(&connection);
    let stored = links(&connection);
    for (slug, link) in known {
        assert!(
            !link.created || stored.contains_key(slug),
            "round {round}: {slug} was acknowledged and is gone"
        );
    }
    for (slug, (counted, rows)) in &stored {
        let link = known.get(slug).copied().unwrap_or_default();
        assert_eq!(counted, rows, "round {round}: {slug} counts other than its visits");
        let (least, most) = (link.visits, link.visits + link.perhaps);
        assert!(
            (least..=most).contains(counted),
            "round {round}: {slug} has {counted} of {least} to {most} visits"
        );
        let of = |name: &str| events.get(&(name.to_owned(), slug.clone())).copied().unwrap_or_default();
        assert_eq!(of("link.created"), 1, "round {round}: {slug}");
        assert_eq!(of("link.visited"), *counted, "round {round}: {slug}");
    }
    let slugs: usize = events.keys().filter(|(name, _)| name == "link.created").count();
    assert_eq!(slugs, stored.len(), "round {round}: an event of a link that is not there");
}

/// Each slug with its `visit_count` and the number of its `visit` rows.
fn links(connection: &Connection) -> BTreeMap<String, (i64, i64)> {
    let query = "SELECT slug, visit_count, (SELECT count(*) FROM visit WHERE link_id = link.id) FROM link";
    let mut statement = connection.prepare(query).expect("the tables are named as the entities");
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).expect("readable");
    rows.map(|row| row.expect("readable")).collect()
}

/// How often each event of each slug is in the outbox.
fn emitted(connection: &Connection) -> BTreeMap<(String, String), i64> {
    let mut statement = connection.prepare("SELECT name, data FROM _outbox").expect("the outbox is there");
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
    let mut counts = BTreeMap::new();
    for row in rows.expect("readable") {
        let (name, data) = row.expect("readable");
        let data: Value = serde_json::from_str(&data).expect("JSON");
        let slug = data["slug"].as_str().expect("a slug").to_owned();
        *counts.entry((name, slug)).or_default() += 1;
    }
    counts
}

/// xorshift64: which moments is of no matter, that they vary is.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
