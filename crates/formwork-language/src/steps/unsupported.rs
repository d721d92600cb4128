//! Forms that the language has and this version does not run: known by their heads, so that they are named and
//! never skipped.

use crate::steps::{Form, Grammar};

macro_rules! forms {
    ($($constant:ident: $name:literal, [$($head:literal),+], $notation:literal;)+) => {
        $(
            #[doc = $notation]
            pub(crate) static $constant: Form = Form {
                name: $name,
                heads: &[$($head),+],
                notation: $notation,
                tails: &[],
                grammar: Grammar::Unsupported,
            };
        )+
    };
}

forms! {
    CHARGES: "Charges", ["charges"], "Charges `EXPR` to `budget` [for `EXPR`].";
    NOTES: "Notes", ["notes"], "Notes `action` in the audit trail [with `EXPR`].";
}
