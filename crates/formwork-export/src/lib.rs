//! formwork-export
