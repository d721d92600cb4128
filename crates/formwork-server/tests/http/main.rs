//! The server over real HTTP, on free ports.
//!
//! `edge` serves a program made by hand, so that it tests nothing but the edge; the others serve
//! `examples/shortlink.md`, `natural` a document in prose.

mod access;
mod audit;
mod bounds;
mod browsers;
mod budgets;
mod caches;
mod caches_at_random;
mod client;
mod codings;
mod conditional;
mod deprecated;
mod edge;
mod elements;
mod evolution;
mod handlers;
mod hostile;
mod jobs;
mod late;
mod late_parts;
mod lifecycle;
mod limits;
mod natural;
mod once;
mod operator;
mod pages;
mod parts;
mod place;
mod queries;
mod room;
mod rules;
mod secure_upstreams;
mod shortlink;
mod signed;
mod system;
mod testing;
mod tls;
mod tokens;
mod told_in_parts;
mod traces;
mod upstream;
