//! Comparison of types.

use super::{Comparison, pair};
use crate::{
    api::Api,
    types::{Alternative, Member, Record, Rest, Shape, Type, TypeId, Union, Variant},
};

impl<'a> Comparison<'a> {
    /// Compares types, but not their names.
    pub(super) fn types(&mut self, place: &str, left: &Type, right: &Type) {
        let (left, right) = (meant(self.document, left), meant(self.server, right));
        match (left, right) {
            (Type::Any(_), Type::Any(_)) => {}
            (Type::List(left), Type::List(right)) => {
                self.types(&format!("{place}, item"), left, right)
            }
            (Type::Map(left), Type::Map(right)) => {
                self.types(&format!("{place}, member"), left, right)
            }
            (Type::Nullable(left), Type::Nullable(right)) => self.types(place, left, right),
            (Type::Named(left), Type::Named(right)) => {
                if self.equal.insert((*left, *right)) {
                    self.shapes(place, *left, *right);
                }
            }
            (left, right) if left == right => {}
            // An object of which no member is named.
            (Type::Named(left), Type::Map(right))
                if is_empty(self.document, *left) && **right == Type::Any(None) => {}
            (left, right) => {
                let say = |api: &Api, kind: &Type| Some(name_of(api, kind));
                self.differ(place, say(self.document, left), say(self.server, right));
            }
        }
    }

    fn shapes(&mut self, place: &str, left: TypeId, right: TypeId) {
        let (document, server) = (self.document, self.server);
        match (&document.types[left].shape, &server.types[right].shape) {
            (Shape::Record(left), Shape::Record(right)) => self.records(place, left, right),
            (Shape::Values(left), Shape::Values(right)) => {
                let values = |it: &[Variant]| {
                    let mut values: Vec<&str> = it.iter().map(|it| it.wire.as_str()).collect();
                    values.sort_unstable();
                    values.join(", ")
                };
                self.texts(&format!("{place}, values"), &values(left), &values(right));
            }
            (Shape::Union(left), Shape::Union(right)) => {
                let tag =
                    |it: &Union| format!("{:?}", it.tag.as_ref().filter(|_| it.is_discriminator));
                self.texts(&format!("{place}, discriminator"), &tag(left), &tag(right));
                let number = |(number, it): (usize, &'a Alternative)| (number.to_string(), it);
                let pairs = pair(
                    left.alternatives.iter().enumerate().map(number),
                    right.alternatives.iter().enumerate().map(number),
                );
                for (number, left, right) in pairs {
                    let place = format!("{place}, alternative {number}");
                    match (left, right) {
                        (Some(left), Some(right)) => self.types(&place, &left.kind, &right.kind),
                        (left, right) => {
                            let say = |it: &Alternative| it.name.to_string();
                            self.differ(&place, left.map(say), right.map(say));
                        }
                    }
                }
            }
            _ => {
                let (left, right) = (
                    name_of(document, &Type::Named(left)),
                    name_of(server, &Type::Named(right)),
                );
                self.differ(place, Some(left), Some(right));
            }
        }
    }

    fn records(&mut self, place: &str, left: &'a Record, right: &'a Record) {
        let member = |it: &'a Member| (it.wire.clone(), it);
        for (wire, left, right) in pair(
            left.members.iter().map(member),
            right.members.iter().map(member),
        ) {
            let place = format!("{place}, member {wire}");
            let say = |it: &Member| format!("required: {}", it.required);
            let (said, served) = (left.map(say), right.map(say));
            if said != served {
                self.differ(&place, said, served);
            }
            if let (Some(left), Some(right)) = (left, right) {
                self.types(&place, &left.kind, &right.kind);
            }
        }
        match (&left.rest, &right.rest) {
            (Rest::Kept(_, left), Rest::Kept(_, right)) => {
                self.types(&format!("{place}, other members"), left, right);
            }
            // The check in front of the server keeps closed objects closed, and objects are open by
            // default.
            (
                Rest::Closed | Rest::Ignored | Rest::Kept(_, Type::Any(_)),
                Rest::Closed | Rest::Ignored,
            ) => {}
            (left, _) => {
                let kept = |is_kept: bool| Some(format!("kept: {is_kept}"));
                let is_kept = matches!(left, Rest::Kept(..));
                self.differ(
                    &format!("{place}, other members"),
                    kept(is_kept),
                    kept(!is_kept),
                );
            }
        }
    }
}

/// Returns true if a type is an object without members.
fn is_empty(api: &Api, id: TypeId) -> bool {
    match &api.types[id].shape {
        Shape::Record(record) => {
            record.members.is_empty() && !matches!(record.rest, Rest::Kept(..))
        }
        _ => false,
    }
}

/// The type that another name stands for.
fn meant<'t>(api: &'t Api, kind: &'t Type) -> &'t Type {
    match kind {
        Type::Named(id) => match &api.types[*id].shape {
            Shape::Alias(kind) => meant(api, kind),
            _ => kind,
        },
        Type::Nullable(inner) => match meant(api, inner) {
            // Null is one of its values already.
            inner @ (Type::Any(_) | Type::Nullable(_)) => inner,
            _ => kind,
        },
        kind => kind,
    }
}

fn name_of(api: &Api, kind: &Type) -> String {
    match kind {
        Type::Named(id) => api.types[*id].name.to_string(),
        kind => format!("{kind:?}"),
    }
}
