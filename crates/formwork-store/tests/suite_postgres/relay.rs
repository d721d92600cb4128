//! A relay between a store and its server that cuts the connection at a commit: before the server gets it, or after it
//! has carried it out and before the answer is told. It can then let nothing through until the server was started again.

use formwork_temporary_postgres::Server;
use parking_lot::{Condvar, Mutex};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What the relay does with a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server never gets it.
    Before,
    /// The server carries it out, and its answer is lost.
    After,
}

/// The next commit that is cut.
struct Armed {
    cut: Cut,
    /// Only of a transaction in which these bytes were sent.
    of: Vec<u8>,
    /// Whether nothing more goes through from then on.
    hold: bool,
}

#[derive(Default)]
struct Shared {
    armed: Mutex<Option<Armed>>,
    cuts: AtomicUsize,
    held: Mutex<bool>,
    changed: Condvar,
}

impl Shared {
    fn note_cut(&self, hold: bool) {
        *self.held.lock() = hold;
        self.cuts.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_all();
    }

    /// Waits while nothing goes through.
    fn pass(&self) {
        let mut held = self.held.lock();
        while *held {
            self.changed.wait(&mut held);
        }
    }
}

/// A relay; its threads end with the process.
pub(crate) struct Relay {
    port: u16,
    shared: Arc<Shared>,
}

impl Relay {
    pub(crate) fn to(server: &Server) -> Self {
        let url = server.url();
        let folder = url.split(['@', '/']).find(|part| part.starts_with("%2F")).expect("a folder");
        let socket = format!("{}/.s.PGSQL.5432", folder.replace("%2F", "/"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let relay = Self { port: listener.local_addr().expect("an address").port(), shared: Arc::default() };
        let shared = Arc::clone(&relay.shared);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (shared, socket) = (Arc::clone(&shared), socket.clone());
                std::thread::spawn(move || {
                    shared.pass();
                    // Who comes while the server is away is refused.
                    let (Ok(client), Ok(server)) = (client, UnixStream::connect(socket)) else { return };
                    client.set_nodelay(true).expect("a socket takes it");
                    relay_one(&client, &server, &shared);
                });
            }
        });
        relay
    }

    /// The address of the server through the relay.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Cuts the connection of the next commit of a transaction in which a text was sent.
    pub(crate) fn cut_next(&self, cut: Cut, of: &str) {
        self.arm(cut, of, false);
    }

    /// The same, and then nothing goes through.
    pub(crate) fn cut_and_hold(&self, cut: Cut, of: &str) {
        self.arm(cut, of, true);
    }

    fn arm(&self, cut: Cut, of: &str, hold: bool) {
        *self.shared.armed.lock() = Some(Armed { cut, of: of.as_bytes().to_owned(), hold });
    }

    /// Waits until a connection was cut and nothing goes through.
    pub(crate) fn is_held(&self) {
        let mut held = self.shared.held.lock();
        while !*held {
            self.shared.changed.wait(&mut held);
        }
    }

    /// Lets all through again.
    pub(crate) fn release(&self) {
        *self.shared.held.lock() = false;
        self.shared.changed.notify_all();
    }

    /// How many connections were cut.
    pub(crate) fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

fn relay_one(mut client: &TcpStream, mut server: &UnixStream, shared: &Arc<Shared>) {
    let mut answers = server.try_clone().expect("a socket is cloned");
    let mut to_client = client.try_clone().expect("a socket is cloned");
    let (cut_off, hold) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let told = (Arc::clone(&cut_off), Arc::clone(&hold), Arc::clone(shared));
    let back = std::thread::spawn(move || {
        let (cut_off, hold, shared) = told;
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = answers.read(&mut buffer) {
            if cut_off.load(Ordering::SeqCst) {
                // The commit has been carried out: its answer came, and goes no further.
                shared.note_cut(hold.load(Ordering::SeqCst));
                break;
            }
            if to_client.write_all(&buffer[..count]).is_err() {
                return;
            }
        }
        let _ = to_client.shutdown(Shutdown::Both);
    });
    // The first message has no type; after it each is a type, a length and the rest.
    let mut first = true;
    let mut sent = Vec::new();
    loop {
        let mut head = vec![0; if first { 4 } else { 5 }];
        if client.read_exact(&mut head).is_err() {
            break;
        }
        let length = u32::from_be_bytes(head[head.len() - 4..].try_into().expect("four bytes")) as usize;
        let mut body = vec![0; length - 4];
        if client.read_exact(&mut body).is_err() {
            break;
        }
        shared.pass();
        let commits = !first && head[0] == b'Q' && body.starts_with(b"COMMIT");
        first = false;
        sent.extend_from_slice(&body);
        let armed = if commits { take_armed(shared, &sent) } else { None };
        if commits {
            sent.clear();
        }
        match armed {
            Some(Armed { cut: Cut::Before, hold, .. }) => {
                shared.note_cut(hold);
                break;
            }
            Some(Armed { cut: Cut::After, hold: holds, .. }) => {
                hold.store(holds, Ordering::SeqCst);
                cut_off.store(true, Ordering::SeqCst);
            }
            None => {}
        }
        if server.write_all(&head).and_then(|()| server.write_all(&body)).is_err() {
            break;
        }
    }
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
    let _ = back.join();
}

/// What is to be done with the commit of a transaction in which this was sent.
fn take_armed(shared: &Shared, sent: &[u8]) -> Option<Armed> {
    let mut armed = shared.armed.lock();
    let of = &armed.as_ref()?.of;
    let fits = of.is_empty() || sent.windows(of.len()).any(|window| window == of.as_slice());
    if fits { armed.take() } else { None }
}
