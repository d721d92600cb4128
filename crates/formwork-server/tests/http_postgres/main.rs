//! The server over real HTTP with its rows in PostgreSQL: the same tests, word for word, on a server of this process's
//! own.

#[path = "../http/access.rs"]
mod access;
#[path = "../http/audit.rs"]
mod audit;
#[path = "../http/bounds.rs"]
mod bounds;
#[path = "../http/browsers.rs"]
mod browsers;
#[path = "../http/budgets.rs"]
mod budgets;
#[path = "../http/caches.rs"]
mod caches;
#[path = "../http/caches_at_random.rs"]
mod caches_at_random;
mod caches_on_nodes;
#[path = "../http/client.rs"]
mod client;
#[path = "../http/codings.rs"]
mod codings;
#[path = "../http/conditional.rs"]
mod conditional;
mod deliveries_on_nodes;
#[path = "../http/deprecated.rs"]
mod deprecated;
#[path = "../http/edge.rs"]
mod edge;
#[path = "../http/elements.rs"]
mod elements;
#[path = "../http/evolution.rs"]
mod evolution;
#[path = "../http/handlers.rs"]
mod handlers;
#[path = "../http/hostile.rs"]
mod hostile;
#[path = "../http/jobs.rs"]
mod jobs;
mod keys_nodes;
#[path = "../http/late.rs"]
mod late;
#[path = "../http/late_parts.rs"]
mod late_parts;
#[path = "../http/lifecycle.rs"]
mod lifecycle;
#[path = "../http/limits.rs"]
mod limits;
mod limits_nodes;
mod lost_commit;
#[path = "../http/natural.rs"]
mod natural;
mod nodes;
#[path = "../http/once.rs"]
mod once;
#[path = "../http/operator.rs"]
mod operator;
#[path = "../http/pages.rs"]
mod pages;
#[path = "../http/parts.rs"]
mod parts;
mod place;
#[path = "../http/queries.rs"]
mod queries;
#[path = "../../../formwork-store/tests/suite_postgres/relay.rs"]
mod relay;
#[path = "../http/room.rs"]
mod room;
#[path = "../http/rules.rs"]
mod rules;
#[path = "../http/secure_upstreams.rs"]
mod secure_upstreams;
#[path = "../http/shortlink.rs"]
mod shortlink;
#[path = "../http/signed.rs"]
mod signed;
#[path = "../http/system.rs"]
mod system;
#[path = "../http/testing.rs"]
mod testing;
#[path = "../http/tls.rs"]
mod tls;
#[path = "../http/tokens.rs"]
mod tokens;
#[path = "../http/told_in_parts.rs"]
mod told_in_parts;
#[path = "../http/traces.rs"]
mod traces;
#[path = "../http/upstream.rs"]
mod upstream;
