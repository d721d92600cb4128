//! formwork-server
