//! Model of the schemas of a document, with names and without references.

use std::collections::HashSet;

use proc_macro2::Ident;

/// The place of a type among those of the document.
pub(crate) type TypeId = usize;

/// A type with a name of its own.
#[derive(Debug)]
pub(crate) struct Named {
    /// Its name among the document's schemas, if it is one of them; for another one that contains
    /// itself, an unused name.
    pub(crate) component: Option<String>,
    pub(crate) name: Ident,
    pub(crate) description: String,
    pub(crate) deprecated: bool,
    pub(crate) shape: Shape,
}

#[derive(Debug)]
pub(crate) enum Shape {
    /// An object with members.
    Record(Record),
    /// One of several texts.
    Values(Vec<Variant>),
    /// A value of one of several types.
    Union(Union),
    /// Another name for a type.
    Alias(Type),
}

#[derive(Debug)]
pub(crate) struct Record {
    /// True if it has a member that carries a credential, which is not among `members`.
    pub(crate) has_credential: bool,
    pub(crate) members: Vec<Member>,
    pub(crate) rest: Rest,
}

/// The members of an object that the document does not name.
#[derive(Debug)]
pub(crate) enum Rest {
    /// It has none.
    Closed,
    /// Not mentioned by the document, and ignored.
    Ignored,
    /// They are kept, in a field of this name.
    Kept(Ident, Type),
}

#[derive(Debug)]
pub(crate) struct Member {
    /// The name in JSON.
    pub(crate) wire: String,
    pub(crate) name: Ident,
    pub(crate) description: String,
    pub(crate) deprecated: bool,
    pub(crate) kind: Type,
    pub(crate) required: bool,
}

#[derive(Debug)]
pub(crate) struct Variant {
    /// The text in JSON.
    pub(crate) wire: String,
    pub(crate) name: Ident,
    pub(crate) description: String,
}

#[derive(Debug)]
pub(crate) struct Union {
    /// The member whose value tells the alternatives apart, if one does.
    pub(crate) tag: Option<String>,
    /// True if the document names that member as a discriminator. If not, each alternative has its
    /// own constant there.
    pub(crate) is_discriminator: bool,
    pub(crate) alternatives: Vec<Alternative>,
}

#[derive(Debug)]
pub(crate) struct Alternative {
    pub(crate) name: Ident,
    pub(crate) kind: Type,
    /// The values of the tag that mean it.
    pub(crate) tags: Vec<String>,
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    /// Any JSON value, with the reason if the document describes it but there is no better type.
    Any(Option<&'static str>),
    Bool,
    /// An integer, by the name of its Rust type.
    Integer(&'static str),
    /// A floating-point number, by the name of its Rust type.
    Float(&'static str),
    Text,
    /// A secret string, which is not shown in logs.
    Secret,
    /// A file of a multipart body.
    File,
    Uuid,
    DateTime,
    Date,
    List(Box<Type>),
    Map(Box<Type>),
    /// Null, or a value of the type.
    Nullable(Box<Type>),
    Named(TypeId),
}

impl Type {
    /// The type, extended by null.
    pub(crate) fn or_null(self, nullable: bool) -> Self {
        match self {
            Self::Nullable(_) | Self::Any(_) => self,
            kind if nullable => Self::Nullable(Box::new(kind)),
            kind => kind,
        }
    }

    /// The type that it holds in itself, not behind a list or map, if it has a name.
    pub(crate) fn held(&self) -> Option<TypeId> {
        match self {
            Self::Named(id) => Some(*id),
            Self::Nullable(kind) => kind.held(),
            _ => None,
        }
    }
}

/// Returns these types and all types inside them.
pub(crate) fn reached<'a>(
    types: &'a [Named],
    roots: impl IntoIterator<Item = &'a Type>,
) -> HashSet<TypeId> {
    let mut reached = HashSet::new();
    let mut open: Vec<&Type> = roots.into_iter().collect();
    while let Some(kind) = open.pop() {
        match kind {
            Type::List(kind) | Type::Map(kind) | Type::Nullable(kind) => open.push(kind),
            Type::Named(id) if reached.insert(*id) => match &types[*id].shape {
                Shape::Record(record) => {
                    open.extend(record.members.iter().map(|member| &member.kind));
                    if let Rest::Kept(_, kind) = &record.rest {
                        open.push(kind);
                    }
                }
                Shape::Union(union) => open.extend(union.alternatives.iter().map(|it| &it.kind)),
                Shape::Alias(kind) => open.push(kind),
                Shape::Values(_) => {}
            },
            _ => {}
        }
    }
    reached
}
