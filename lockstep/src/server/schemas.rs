//! The schemas of the types, as poem-openapi registers them.

use proc_macro2::TokenStream;
use quote::quote;

use super::Writer;
use crate::types::{Named, Record, Rest, Shape, Type, TypeId, Union};

impl Writer<'_> {
    pub(super) fn schemas(&self) -> TokenStream {
        let schemas: Vec<TokenStream> = self
            .api
            .types
            .iter()
            .enumerate()
            .filter_map(|(id, named)| self.schema(id, named))
            .collect();
        if schemas.is_empty() {
            return quote!();
        }
        quote! {
            mod schemas {
                use openapi_lockstep_runtime::{Description, Schema};
                use super::types;

                #(#schemas)*
            }
        }
    }

    fn schema(&self, id: TypeId, named: &Named) -> Option<TokenStream> {
        let description = match &named.shape {
            Shape::Record(record) => self.object(id, record),
            Shape::Values(values) => {
                let values = values.iter().map(|value| &value.wire);
                quote!(Description::values(&[#(#values),*]))
            }
            Shape::Union(union) => self.union(union),
            Shape::Alias(_) => return None,
        };
        let name = named.component.as_ref();
        let name = name.map(|name| quote!(const NAME: Option<&'static str> = Some(#name);));
        let ident = &named.name;
        Some(quote! {
            impl Schema for types::#ident {
                #name
                fn describe() -> Description {
                    #description
                }
            }
        })
    }

    fn object(&self, id: TypeId, record: &Record) -> TokenStream {
        let members = record.members.iter().map(|member| {
            let (name, kind) = (&member.wire, self.kind(&member.kind));
            match member.required {
                true => quote!(.required::<#kind>(#name)),
                false => quote!(.optional::<#kind>(#name)),
            }
        });
        let others = match &record.rest {
            Rest::Kept(_, Type::Any(None)) if !self.side.reads.contains(&id) => quote!(),
            Rest::Kept(_, kind) => {
                let kind = self.kind(kind);
                quote!(.others::<#kind>())
            }
            Rest::Closed | Rest::Ignored => quote!(),
        };
        quote!(Description::object() #(#members)* #others)
    }

    fn union(&self, union: &Union) -> TokenStream {
        let alternatives = union.alternatives.iter().map(|alternative| {
            let kind = self.kind(&alternative.kind);
            quote!(.alternative::<#kind>())
        });
        let tag = union.tag.iter().filter(|_| union.is_discriminator);
        let tag = tag.map(|tag| {
            let mapping = union.alternatives.iter().flat_map(|alternative| {
                let component = match alternative.kind {
                    Type::Named(id) => self.api.types[id].component.as_deref(),
                    _ => None,
                };
                let tags = alternative.tags.iter();
                tags.filter_map(move |tag| component.map(|name| quote!((#tag, #name))))
            });
            quote!(.tag(#tag, &[#(#mapping),*]))
        });
        quote!(Description::one_of() #(#alternatives)* #(#tag)*)
    }
}
