//! formwork-check
