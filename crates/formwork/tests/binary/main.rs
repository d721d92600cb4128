//! The real binary, from outside: arguments and requests in, lines, statuses and files out.

mod audit;
mod authoring;
mod budgets;
mod check;
mod contract;
mod data_folder;
mod durability;
mod flows;
mod handlers;
mod http;
mod keys;
mod nodes;
mod openapi;
mod owasp;
mod parts;
mod pathological;
mod postgres;
mod process;
mod refusals;
mod releases;
mod room;
mod run;
mod sarif;
mod simulation;
mod standing;
mod wrong_requests;
