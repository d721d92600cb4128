//! The audit trail beside the calls: its tables, the chain that its entries are put in, and a reader that needs no
//! open store. Entries themselves are written in the transaction of what they are about.

mod chain;
mod table;
mod trail;
mod verify;

pub(crate) use chain::{chain, due, prune};
pub use table::StoredAudit;
pub(crate) use table::{CHAIN, TABLE, append};
pub use trail::{AuditError, AuditFilter, AuditTrail};
pub use verify::{Anchor, AuditFault, Head, Verified};
