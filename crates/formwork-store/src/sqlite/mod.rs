//! SQLite: schema, statements, transactions, the one writer and the readers.
