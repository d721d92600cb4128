//! Runs a program against a store, a clock, randomness and a caller. One interpreter without I/O.

mod outcome;
mod ports;

pub use outcome::{Answer, Body, Call, ConflictKind, Ended, FieldFault, Refusal, What};
pub use ports::{OutboxEvent, StoreError, Transaction};
