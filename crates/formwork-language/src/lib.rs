//! formwork-language
