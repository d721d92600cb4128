//! formwork-model
