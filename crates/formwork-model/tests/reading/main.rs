//! What is read from documents: facts, places, and what is never taken for a fact.

mod facts;
mod fixtures;
mod laws;
mod measure;
mod shortlink;
