//! What can be wrong with a server and a database, and a server that goes away and comes back.

use crate::harness::{answer, call, refusal, text};
use crate::opening::notes;
use crate::place::Place;
use formwork_engine::{Ended, Refusal};
use formwork_store::{OpenError, Options, Store};
use formwork_temporary_postgres::{AUTHORITY, GUARDED, PASSWORD, Server, fresh_name, server};
use std::time::{Duration, Instant};

fn refused(options: Options) -> OpenError {
    Store::open(options, notes("", "")).expect_err("the store must not open")
}

/// Runs statements as the superuser.
fn administer(sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(&server().url(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
    });
}

#[test]
fn each_thing_that_is_wrong_with_a_server_has_its_line() {
    let place = Place::new();
    let with = |url: &str| Options { database: Some(url.to_owned()), ..place.options() };
    administer(&format!("CREATE ROLE {GUARDED} LOGIN PASSWORD '{PASSWORD}'"));
    let line = |url: &str| refused(with(url)).to_string();

    let away = line("postgres://ann:hush@127.0.0.1:1/orders");
    assert!(away.starts_with("the database postgres://ann@127.0.0.1:1/orders cannot be reached: "), "{away}");
    let nowhere = line("postgres://ann:hush@%2Fnowhere/orders");
    assert!(nowhere.contains("cannot be reached"), "{nowhere}");
    let wrong = line(&server().url_of(&format!("{GUARDED}:guess"), "postgres"));
    assert!(wrong.contains("does not admit this user"), "{wrong}");
    let none = line(&server().url_of(GUARDED, "postgres"));
    assert!(none.contains("does not admit this user"), "{none}");
    let right = server().url_of(&format!("{GUARDED}:{}", PASSWORD.replace(' ', "%20")), "postgres");
    let poor = line(&right);
    assert!(poor.contains("does not admit this user"), "{poor}");
    assert!(![&wrong, &none, &poor].iter().any(|line| line.contains("guess") || line.contains("sesame")));
    let missing = line(&server().url_of("postgres", "nothing_here"));
    assert!(missing.starts_with("there is no database postgres://postgres@"), "{missing}");
    let scheme = line("mysql://ann:hush@host/orders");
    assert!(scheme.contains("is no address of a database") && !scheme.contains("hush"), "{scheme}");
    for line in [away, nowhere, wrong, none, poor, missing, scheme] {
        assert_eq!(line.lines().count(), 1, "{line}");
    }
}

#[test]
fn what_is_no_database_of_ours_or_of_this_document_is_left_alone() {
    let place = Place::new();
    administer(&format!("CREATE SCHEMA {0}; CREATE TABLE {0}.other (x integer)", place.schema));
    assert!(matches!(refused(place.options()), OpenError::Foreign(_)));

    let place = Place::new();
    let other = crate::harness::program(&crate::harness::document(
        "",
        "### Entity: `crate`\n\n**Fields:**\n- `id` (uuid) | identity | primary key\n",
    ));
    drop(Store::open(place.options(), other).unwrap());
    let error = refused(place.options());
    assert!(matches!(&error, OpenError::OtherDocument { tables, .. } if tables == &["crate"]), "{error}");

    let newer = format!(r#"UPDATE {}."_formwork" SET "value" = '2' WHERE "name" = 'format'"#, place.schema);
    administer(&newer);
    assert!(matches!(refused(place.options()), OpenError::NewerDatabase { found: 2, known: 1, .. }));
}

#[test]
fn a_database_of_another_encoding_is_refused() {
    let name = fresh_name();
    administer(&format!("CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0"));
    let place = Place::new();
    let url = server().url_of("postgres", &name);
    let error = refused(Options { database: Some(url), ..place.options() });
    assert!(error.to_string().contains("its encoding is SQL_ASCII, and must be UTF8"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_is_found_again() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path().join("data.sqlite"));
    options.database = Some(server.url());
    options.connections = 3;
    let store = Store::open(options, notes("", "")).unwrap();
    let add = async |name: &str| -> Ended {
        store.run(call(store.program(), "add", "alice", &[("name", text(name))], 1)).await
    };
    answer(&add("before").await);
    server.stop();
    // The first call may only find out that its connection is gone.
    for name in ["one", "two", "three"] {
        assert!(matches!(refusal(&add(name).await), Refusal::Unavailable));
    }
    assert!(!store.is_available());
    assert!(store.load_keys().is_err());
    server.start_again();
    let until = Instant::now() + Duration::from_secs(30);
    while !store.is_available() {
        assert!(Instant::now() < until, "the store does not find its database again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    answer(&add("after").await);
    assert_eq!(store.count(0, None, &[]).unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_asks_for_encryption_gets_it_and_knows_whom_it_speaks_to() {
    let server = Server::start();
    let port = server.encrypt();
    let place = Place::new();
    let with = |host: &str, query: &str| Options {
        database: Some(format!("postgres://postgres@{host}:{port}/postgres?{query}")),
        schema: None,
        ..place.options()
    };
    let trusting = format!("sslmode=verify-full&sslrootcert={}", AUTHORITY.replace('/', "%2F"));
    let store = Store::open(with("localhost", &trusting), notes("", "")).unwrap();
    answer(&store.run(call(store.program(), "add", "alice", &[("name", text("a"))], 1)).await);
    drop(store);
    // The certificate is for `localhost`, and no system trusts its authority.
    let other_name = refused(with("127.0.0.1", &trusting)).to_string();
    assert!(other_name.contains("cannot be reached") && other_name.contains("certificate"), "{other_name}");
    let unknown = refused(with("localhost", "sslmode=require")).to_string();
    assert!(unknown.contains("certificate") || unknown.contains("no authority"), "{unknown}");
    let no_file = refused(with("localhost", "sslmode=verify-full&sslrootcert=nowhere.pem")).to_string();
    assert!(no_file.contains("the authorities of `nowhere.pem` cannot be read"), "{no_file}");
}
