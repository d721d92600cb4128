//! formwork-engine
