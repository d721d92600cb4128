//! What the store promises, each law against a real PostgreSQL server of this process's own: the laws are those of
//! the other suite, word for word, and a few that only a server can break.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it cannot go on")]

#[path = "../suite/conditions.rs"]
mod conditions;
#[path = "../suite/documents.rs"]
mod documents;
#[path = "../suite/harness.rs"]
mod harness;
#[path = "../suite/laws.rs"]
mod laws;
mod lost_commit;
#[path = "../suite/opening.rs"]
mod opening;
#[path = "../suite/pages.rs"]
mod pages;
mod place;
#[path = "../suite/queries.rs"]
mod queries;
mod relay;
#[path = "../suite/rules.rs"]
mod rules;
mod server;
mod sharing;
