//! formwork-store
