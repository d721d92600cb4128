//! A relay between a store and its server that cuts the connection at a commit: before the server gets it, or after it
//! has carried it out and before the answer is told.

use formwork_temporary_postgres::server;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// What the relay does with the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server never gets it.
    Before = 1,
    /// The server carries it out, and its answer is lost.
    After = 2,
}

/// A relay; its threads end with the process.
pub(crate) struct Relay {
    port: u16,
    cut: Arc<AtomicU8>,
    cuts: Arc<AtomicUsize>,
}

impl Relay {
    pub(crate) fn start() -> Self {
        let url = server().url();
        let folder = url.split(['@', '/']).find(|part| part.starts_with("%2F")).unwrap();
        let socket = format!("{}/.s.PGSQL.5432", folder.replace("%2F", "/"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let relay =
            Self { port: listener.local_addr().unwrap().port(), cut: Arc::default(), cuts: Arc::default() };
        let (cut, cuts) = (Arc::clone(&relay.cut), Arc::clone(&relay.cuts));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), UnixStream::connect(&socket).unwrap());
                client.set_nodelay(true).unwrap();
                let (cut, cuts) = (Arc::clone(&cut), Arc::clone(&cuts));
                std::thread::spawn(move || relay_one(&client, &server, &cut, &cuts));
            }
        });
        relay
    }

    /// The address of the server through the relay.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Cuts the connection of the next commit.
    pub(crate) fn cut_next(&self, cut: Cut) {
        self.cut.store(cut as u8, Ordering::SeqCst);
    }

    /// How many connections were cut.
    pub(crate) fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }
}

fn relay_one(mut client: &TcpStream, mut server: &UnixStream, cut: &AtomicU8, cuts: &AtomicUsize) {
    let (mut answers, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let cut_off = Arc::new(AtomicU8::new(0));
    let told = Arc::clone(&cut_off);
    let back = std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = answers.read(&mut buffer) {
            if told.load(Ordering::SeqCst) == 0 && to_client.write_all(&buffer[..count]).is_err() {
                return;
            }
            if told.load(Ordering::SeqCst) != 0 {
                // The commit has been carried out: its answer came, and goes no further.
                let _ = to_client.shutdown(Shutdown::Both);
                return;
            }
        }
    });
    // The first message has no type; after it each is a type, a length and the rest.
    let mut first = true;
    loop {
        let mut head = vec![0; if first { 4 } else { 5 }];
        if client.read_exact(&mut head).is_err() {
            break;
        }
        let length = u32::from_be_bytes(head[head.len() - 4..].try_into().unwrap()) as usize;
        let mut body = vec![0; length - 4];
        if client.read_exact(&mut body).is_err() {
            break;
        }
        let commits = !first && head[0] == b'Q' && body.starts_with(b"COMMIT");
        first = false;
        let armed = if commits { cut.swap(0, Ordering::SeqCst) } else { 0 };
        if armed == Cut::Before as u8 {
            cuts.fetch_add(1, Ordering::SeqCst);
            break;
        }
        if armed == Cut::After as u8 {
            cuts.fetch_add(1, Ordering::SeqCst);
            cut_off.store(1, Ordering::SeqCst);
        }
        if server.write_all(&head).and_then(|()| server.write_all(&body)).is_err() {
            break;
        }
    }
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
    let _ = back.join();
}
