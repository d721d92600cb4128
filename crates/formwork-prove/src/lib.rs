//! formwork-prove
