//! Documents as data: the examples of `docs/` and the documents beside this file, held against the binary's rooms.
//!
//! A fence of a page says in its info string what is true of it; [`fences`] finds it, [`host`] puts a fragment into
//! the page's host document, [`judge`] says what is wrong, and [`systems`] starts what a flow talks to. A markdown
//! fence that says nothing is itself a fault, so that no example of a page goes unread.

pub mod fences;
pub mod host;
pub mod judge;
pub mod systems;
