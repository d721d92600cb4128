//! Puts the rooms together: a document to a running system, for `run` and for `test`.
