//! The bearer tokens of section 9, as the program holds them.
//!
//! Source: language reference, *Promises, protection, operation*; RFC 8725, sections 3.1 and 3.2.

use std::sync::Arc;

/// An algorithm that signs tokens. Those with a shared secret are none of them: who can check could also make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAlgorithm {
    /// RSA with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl TokenAlgorithm {
    /// All, in the order of their names' age.
    pub const ALL: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDsa];

    /// The one that a document names; `Ed25519` is another word for the last (RFC 9864).
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "Ed25519" => Some(Self::EdDsa),
            name => Self::ALL.into_iter().find(|algorithm| algorithm.name() == name),
        }
    }

    /// Its name in a token's header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// Which tokens are taken. What the document leaves out is the operator's to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRule {
    /// What may have signed them; never empty.
    pub algorithms: Vec<TokenAlgorithm>,
    /// Who makes them (`iss`).
    pub issuer: Option<Arc<str>>,
    /// The address of the issuer's public keys.
    pub key_set: Option<Arc<str>>,
    /// Whom they are for (`aud`).
    pub audience: Option<Arc<str>>,
}

/// A way to prove who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// An API key.
    Key,
    /// A bearer token.
    Token,
    /// A signature that any operation takes.
    Signature,
}
