//! Types -> Rust code that needs serde alone, and uuid and chrono where a format asks for them.
//!
//! The code uses the names in [`PRELUDE`] from Rust's prelude and serde, and full paths for
//! everything else.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::names::unraw;

use super::{
    comment::{comment, reason},
    model::{Member, Named, Record, Rest, Shape, Type, TypeId, Union, Variant},
};

/// The names that the code uses, so that no type of a document can be called so.
pub(super) const PRELUDE: [&str; 7] = [
    "Box",
    "Deserialize",
    "Option",
    "Result",
    "Serialize",
    "String",
    "Vec",
];

/// Settings by which the types of one side are written.
pub(crate) struct Side {
    /// The type of a secret string.
    pub(crate) secret: TokenStream,
    /// The type of a file of a multipart body.
    pub(crate) file: TokenStream,
    /// The macro that reads a struct.
    pub(crate) record: TokenStream,
    /// True for the side that calls. It gets warnings for deprecated items, and needs no type for a
    /// body that carries only a credential.
    pub(crate) calls: bool,
    /// The types whose unknown members are kept where the document says that there may be some:
    /// those that the side reads. Unknown members of types that it only writes are not kept.
    pub(crate) reads: HashSet<TypeId>,
}

/// The name of a variant as serde's rule writes it.
type Rule = fn(&str) -> String;

/// serde's rules for the names of variants.
const RULES: [(&str, Rule); 6] = [
    ("snake_case", |name| words(name, "_")),
    ("kebab-case", |name| words(name, "-")),
    ("lowercase", |name| name.to_ascii_lowercase()),
    ("UPPERCASE", |name| name.to_ascii_uppercase()),
    ("SCREAMING_SNAKE_CASE", |name| {
        words(name, "_").to_ascii_uppercase()
    }),
    ("camelCase", |name| match name.get(..1) {
        Some(first) => first.to_ascii_lowercase() + &name[1..],
        None => name.to_owned(),
    }),
];

/// The words of a name in lower case: each begins with a capital.
fn words(name: &str, separator: &str) -> String {
    let mut words = String::new();
    for (place, letter) in name.char_indices() {
        if place > 0 && letter.is_uppercase() {
            words.push_str(separator);
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// The items of all types.
pub(crate) fn write(types: &[Named], side: &Side) -> Vec<TokenStream> {
    // The code itself uses what it has marked.
    let allowed = side.calls && types.iter().any(has_deprecated);
    let allowed = allowed.then(|| quote!(#[allow(deprecated)]));
    let writer = TypeWriter {
        types,
        side,
        allowed,
    };
    let is_needed = |id: &TypeId| match &types[*id].shape {
        Shape::Record(record) => {
            !(side.calls && record.has_credential && record.members.is_empty())
        }
        _ => true,
    };
    let ids = (0..types.len()).filter(is_needed);
    let mut items: Vec<TokenStream> = ids.map(|id| writer.item(id)).collect();
    let text: String = items.iter().map(TokenStream::to_string).collect();
    let text = text.replace(' ', "");
    let derives =
        |name: &&str| text.contains(&format!(",{name},")) || text.contains(&format!(",{name})]"));
    let used = ["Deserialize", "Serialize"].into_iter().filter(derives);
    let used: Vec<Ident> = used
        .map(|name| Ident::new(name, Span::call_site()))
        .collect();
    if !used.is_empty() {
        items.insert(0, quote!(use serde::{#(#used),*};));
    }
    items
}

struct TypeWriter<'a> {
    types: &'a [Named],
    side: &'a Side,
    /// The attribute of every item that may use something deprecated.
    allowed: Option<TokenStream>,
}

fn has_deprecated(named: &Named) -> bool {
    let members = match &named.shape {
        Shape::Record(record) => record.members.as_slice(),
        _ => &[],
    };
    named.deprecated || members.iter().any(|member| member.deprecated)
}

impl TypeWriter<'_> {
    fn item(&self, id: TypeId) -> TokenStream {
        let Named {
            name,
            description,
            deprecated,
            shape,
            ..
        } = &self.types[id];
        let deprecated = (self.side.calls && *deprecated).then(|| quote!(#[deprecated]));
        let head = |reason: &str| {
            let comment = comment(description, reason);
            let allowed = &self.allowed;
            quote!(#comment #deprecated #allowed)
        };
        match shape {
            Shape::Record(record) => self.record(id, &head(""), record),
            Shape::Values(values) => self.values(name, &head(""), values),
            Shape::Union(union) => self.union(id, &head(""), union),
            Shape::Alias(kind) => {
                let head = head(reason(kind));
                let kind = self.kind(kind);
                quote! {
                    #head
                    pub type #name = #kind;
                }
            }
        }
    }

    fn record(&self, id: TypeId, head: &TokenStream, record: &Record) -> TokenStream {
        let name = &self.types[id].name;
        let members = record.members.iter().map(|member| self.member(id, member));
        let read = record.members.iter().map(|member| self.read(member));
        let macro_name = &self.side.record;
        let is_read = self.side.reads.contains(&id);
        let (others, rest) = match &record.rest {
            Rest::Ignored => (quote!(ignored), None),
            Rest::Kept(_, Type::Any(None)) if !is_read => (quote!(ignored), None),
            Rest::Closed => (quote!(closed), None),
            Rest::Kept(field, kind) => {
                let kind = self.kind(kind);
                let rest = quote! {
                    /// The members that the document does not name.
                    #[serde(flatten)]
                    pub #field: std::collections::BTreeMap<String, #kind>,
                };
                (quote!(kept #field), Some(rest))
            }
        };
        quote! {
            #head
            #[derive(Clone, Debug, PartialEq, Serialize)]
            pub struct #name {
                #(#members)*
                #rest
            }

            #macro_name! { #name { #(#read)* } #others }
        }
    }

    /// A member as the macro that reads its record takes it.
    fn read(&self, member: &Member) -> TokenStream {
        let Member { wire, name, .. } = member;
        match (member.required, self.takes_null(&member.kind)) {
            (true, _) => quote!(required #name #wire,),
            (false, false) => quote!(optional #name #wire,),
            (false, true) => quote!(nullable #name #wire,),
        }
    }

    fn member(&self, owner: TypeId, member: &Member) -> TokenStream {
        let Member {
            wire,
            name,
            description,
            deprecated,
            kind,
            required,
        } = member;
        let comment = comment(description, reason(kind));
        let deprecated = (self.side.calls && *deprecated).then(|| quote!(#[deprecated]));
        let mut serde = Vec::new();
        if unraw(name) != *wire {
            serde.push(quote!(rename = #wire));
        }
        let mut kind = self.held(owner, kind);
        if !required {
            kind = quote!(Option<#kind>);
            serde.push(quote!(skip_serializing_if = "Option::is_none"));
        }
        let serde = (!serde.is_empty()).then(|| quote!(#[serde(#(#serde),*)]));
        quote! {
            #comment
            #deprecated
            #serde
            pub #name: #kind,
        }
    }

    fn values(&self, name: &Ident, head: &TokenStream, values: &[Variant]) -> TokenStream {
        let rule = RULES.iter().find(|(_, rule)| {
            let mut values = values.iter();
            values.all(|it| rule(&unraw(&it.name)) == it.wire)
        });
        let renamed = rule.map(|(rule, _)| quote!(#[serde(rename_all = #rule)]));
        let variants = values.iter().map(|variant| {
            let Variant {
                wire,
                name,
                description,
            } = variant;
            let comment = comment(description, "");
            let rename = rule.is_none().then(|| quote!(#[serde(rename = #wire)]));
            quote!(#comment #rename #name,)
        });
        quote! {
            #head
            #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Deserialize, Serialize)]
            #renamed
            pub enum #name {
                #(#variants)*
            }
        }
    }

    fn union(&self, id: TypeId, head: &TokenStream, union: &Union) -> TokenStream {
        let name = &self.types[id].name;
        let variants = union.alternatives.iter().map(|alternative| {
            let variant = &alternative.name;
            let kind = self.held(id, &alternative.kind);
            quote!(#variant(#kind),)
        });
        // Without a tag, the first alternative that accepts a value is used.
        let derived = union.tag.is_none().then(|| quote!(Deserialize,));
        let tagged = union
            .tag
            .iter()
            .map(|tag| deserialize_by_tag(name, tag, union));
        quote! {
            #head
            #[derive(Clone, Debug, PartialEq, #derived Serialize)]
            #[serde(untagged)]
            pub enum #name {
                #(#variants)*
            }
            #(#tagged)*
        }
    }

    /// A type inside of another one, in a box where it holds that.
    fn held(&self, owner: TypeId, kind: &Type) -> TokenStream {
        let is_circle = kind
            .held()
            .is_some_and(|id| self.holds(id, owner, &mut Vec::new()));
        match kind {
            Type::Nullable(inner) if is_circle => {
                let inner = self.kind(inner);
                quote!(Option<Box<#inner>>)
            }
            kind if is_circle => {
                let kind = self.kind(kind);
                quote!(Box<#kind>)
            }
            kind => self.kind(kind),
        }
    }

    /// Returns true if a type is `searched`, or holds it in itself.
    fn holds(&self, id: TypeId, searched: TypeId, seen: &mut Vec<TypeId>) -> bool {
        if id == searched {
            return true;
        }
        if seen.contains(&id) {
            return false;
        }
        seen.push(id);
        let kinds: Vec<&Type> = match &self.types[id].shape {
            Shape::Record(record) => record.members.iter().map(|it| &it.kind).collect(),
            Shape::Union(union) => union.alternatives.iter().map(|it| &it.kind).collect(),
            Shape::Alias(kind) => vec![kind],
            Shape::Values(_) => Vec::new(),
        };
        let mut held = kinds.into_iter().filter_map(Type::held);
        held.any(|held| self.holds(held, searched, seen))
    }

    /// Returns true if null is a value of a type, which serde takes for a member that is not there.
    fn takes_null(&self, kind: &Type) -> bool {
        match kind {
            Type::Any(_) | Type::Nullable(_) => true,
            Type::Named(id) => match &self.types[*id].shape {
                Shape::Alias(kind) => self.takes_null(kind),
                _ => false,
            },
            _ => false,
        }
    }

    fn kind(&self, kind: &Type) -> TokenStream {
        self.side.kind(self.types, &TokenStream::new(), kind)
    }
}

impl Side {
    /// The Rust type of a value, with the path to the module of `types` before a name.
    pub(crate) fn kind(&self, types: &[Named], path: &TokenStream, kind: &Type) -> TokenStream {
        let inner = |kind| self.kind(types, path, kind);
        match kind {
            Type::Any(_) => quote!(serde_json::Value),
            Type::Bool => quote!(bool),
            Type::Integer(name) | Type::Float(name) => {
                let name = Ident::new(name, Span::call_site());
                quote!(#name)
            }
            Type::Text => quote!(String),
            Type::Secret => self.secret.clone(),
            Type::File => self.file.clone(),
            Type::Uuid => quote!(uuid::Uuid),
            Type::DateTime => quote!(chrono::DateTime<chrono::Utc>),
            Type::Date => quote!(chrono::NaiveDate),
            Type::List(items) => {
                let items = inner(items);
                quote!(Vec<#items>)
            }
            Type::Map(values) => {
                let values = inner(values);
                quote!(std::collections::BTreeMap<String, #values>)
            }
            Type::Nullable(kind) => {
                let kind = inner(kind);
                quote!(Option<#kind>)
            }
            Type::Named(id) => {
                let name = &types[*id].name;
                quote!(#path #name)
            }
        }
    }
}

fn deserialize_by_tag(name: &Ident, tag: &str, union: &Union) -> TokenStream {
    let arms = union.alternatives.iter().map(|alternative| {
        let variant = &alternative.name;
        let tags = &alternative.tags;
        quote! {
            #(Some(#tags))|* => serde_json::from_value(value).map(Self::#variant),
        }
    });
    let unknown = format!("the member {tag:?} means none of the alternatives");
    quote! {
        impl<'de> serde::Deserialize<'de> for #name {
            fn deserialize<D>(deserializer: D) -> Result<Self, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                let value = <serde_json::Value as serde::Deserialize>::deserialize(deserializer)?;
                let tag = match value.get(#tag) {
                    Some(serde_json::Value::String(text)) => Some(text.clone()),
                    tag => tag.map(serde_json::Value::to_string),
                };
                let read = match tag.as_deref() {
                    #(#arms)*
                    _ => return Err(serde::de::Error::custom(#unknown)),
                };
                read.map_err(serde::de::Error::custom)
            }
        }
    }
}
