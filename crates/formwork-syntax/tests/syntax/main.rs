//! The promises of the room, by construct, by document, by law and by attack.
mod attacks;
mod constructs;
mod documents;
mod laws;
mod outline;
mod visible;
