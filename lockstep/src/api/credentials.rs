//! Security schemes, and the credentials that operations require.

use proc_macro2::Ident;

#[derive(Debug)]
pub(crate) struct Scheme {
    pub(crate) wire: String,
    pub(crate) name: Ident,
    pub(crate) description: String,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    /// A key in a header, a query or a cookie of this name.
    Key {
        place: &'static str,
        name: String,
    },
    Basic,
    Bearer {
        format: Option<String>,
    },
    /// A token with scopes.
    OAuth2,
    /// A token with scopes, and where its discovery document is.
    OpenIdConnect(String),
}

/// The credentials of which an operation takes one.
#[derive(Debug)]
pub(crate) struct Credential {
    pub(crate) name: Ident,
    pub(crate) alternatives: Vec<Alternative>,
}

/// The schemes that are presented together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Alternative {
    pub(crate) name: Ident,
    pub(crate) schemes: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Public,
    /// A credential of this set, or none.
    Optional(usize),
    Required(usize),
}

impl Access {
    pub(crate) fn credential(self) -> Option<usize> {
        match self {
            Self::Public => None,
            Self::Optional(set) | Self::Required(set) => Some(set),
        }
    }
}

impl Credential {
    /// The only scheme, if there is a single one: its type is that of the credential.
    pub(crate) fn only(&self) -> Option<usize> {
        match self.alternatives.as_slice() {
            [Alternative { schemes, .. }] => match schemes.as_slice() {
                [scheme] => Some(*scheme),
                _ => None,
            },
            _ => None,
        }
    }
}
