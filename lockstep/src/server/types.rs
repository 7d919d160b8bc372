//! `components/schemas` -> structs, enums and names for scalars.

use utoipa::openapi::{
    Deprecated,
    schema::{ArrayItems, KnownFormat, Object, SchemaFormat, SchemaType, Type},
};

use super::*;
use crate::names::Scope;

impl Writer<'_> {
    pub(super) fn types(&self) -> Vec<TokenStream> {
        let in_forms = self.schemas_in_forms();
        self.component_names("schemas")
            .into_iter()
            .filter_map(|name| {
                let schema = self.components().schemas.get(name)?;
                Some(self.named_type(name, schema, in_forms.contains(&name)))
            })
            .collect()
    }

    fn named_type(&self, name: &str, schema: &RefOr<Schema>, in_form: bool) -> TokenStream {
        let ident = camel(name);
        match schema {
            RefOr::T(Schema::Object(object)) if is_object(object) => {
                self.structure(&ident, object, in_form)
            }
            RefOr::T(Schema::Object(object)) if object.enum_values.is_some() => {
                enumeration(&ident, object, in_form)
            }
            _ => {
                let target = self.type_of(schema);
                let docs = docs(description(schema));
                quote! {
                    #docs
                    pub type #ident = #target;
                }
            }
        }
    }

    fn structure(&self, ident: &Ident, object: &Object, in_form: bool) -> TokenStream {
        let comment = docs(object.description.as_deref().unwrap_or_default());
        let read = in_form.then(|| quote!(, serde::Deserialize));
        let derives = quote!(#[derive(Clone, Object, serde::Serialize #read)]);
        let fields = object.properties.iter().map(|(name, schema)| {
            let comment = docs(self.field_description(schema));
            let field = snake(name);
            let kind = self.type_of(schema);
            let optional = !object.required.contains(name);
            let mut options = Vec::new();
            let mut serde = Vec::new();
            if name.to_snake_case() != *name {
                options.push(quote!(rename = #name));
                serde.push(quote!(rename = #name));
            }
            if optional {
                options.push(quote!(skip_serializing_if_is_none));
                serde.push(quote!(skip_serializing_if = "Option::is_none"));
            }
            if self.is_deprecated(schema) {
                options.push(quote!(deprecated));
            }
            let options = (!options.is_empty()).then(|| quote!(#[oai(#(#options),*)]));
            let serde = (!serde.is_empty()).then(|| quote!(#[serde(#(#serde),*)]));
            let kind = if optional {
                quote!(Option<#kind>)
            } else {
                kind
            };
            quote! {
                #comment
                #options
                #serde
                pub #field: #kind,
            }
        });
        quote! {
            #comment
            #derives
            pub struct #ident {
                #(#fields)*
            }
        }
    }

    /// The Rust type of what a schema describes, when it is there.
    pub(super) fn type_of(&self, schema: &RefOr<Schema>) -> TokenStream {
        match schema {
            RefOr::Ref(reference) => {
                let name = camel(name_of(&reference.ref_location));
                quote!(#name)
            }
            RefOr::T(Schema::Array(array)) => {
                let items = match &array.items {
                    ArrayItems::RefOrSchema(items) => self.type_of(items),
                    ArrayItems::False => quote!(()),
                };
                nullable(&array.schema_type, quote!(Vec<#items>))
            }
            RefOr::T(Schema::Object(object)) => nullable(&object.schema_type, scalar(object)),
            // The rules refuse what is neither.
            RefOr::T(_) => quote!(()),
        }
    }

    /// A scalar says what its name means; a structure says it where it is defined.
    fn field_description<'a>(&'a self, schema: &'a RefOr<Schema>) -> &'a str {
        match (schema, self.schema(schema)) {
            (RefOr::Ref(_), Some(Schema::Object(object)))
                if !is_object(object) && object.enum_values.is_none() =>
            {
                object.description.as_deref().unwrap_or_default()
            }
            _ => description(schema),
        }
    }

    fn is_deprecated(&self, schema: &RefOr<Schema>) -> bool {
        match schema {
            RefOr::T(Schema::Object(object)) => is_deprecated(&object.deprecated),
            RefOr::T(Schema::Array(array)) => is_deprecated(&array.deprecated),
            _ => false,
        }
    }

    /// The names of the schemas that a form carries, or that such a schema refers to.
    fn schemas_in_forms(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .request_bodies()
            .filter_map(|body| body.content.get("application/x-www-form-urlencoded"))
            .filter_map(|content| match content {
                RefOr::T(content) => content.schema.as_ref(),
                RefOr::Ref(_) => None,
            })
            .filter_map(reference_name)
            .collect();
        let mut next = 0;
        while let Some(name) = names.get(next).copied() {
            next += 1;
            if let Some(RefOr::T(Schema::Object(object))) = self.components().schemas.get(name) {
                for inner in object.properties.values().filter_map(reference_name) {
                    if !names.contains(&inner) {
                        names.push(inner);
                    }
                }
            }
        }
        names
    }
}

/// The associated types of the traits that an enum has, which `Self::` would not tell from variants.
const ASSOCIATED: [&str; 3] = ["Error", "RawElementValueType", "RawValueType"];

fn enumeration(ident: &Ident, object: &Object, in_form: bool) -> TokenStream {
    let comment = docs(object.description.as_deref().unwrap_or_default());
    let read = in_form.then(|| quote!(, serde::Deserialize));
    let derives = quote! {
        #[derive(Clone, Copy, Debug, Eq, PartialEq, Enum, serde::Serialize #read)]
    };
    let values = object.enum_values.iter().flatten();
    let mut scope = Scope::new(ASSOCIATED);
    let variants = values.filter_map(Value::as_str).map(|value| {
        let variant = scope.upper(value);
        quote! {
            #[oai(rename = #value)]
            #[serde(rename = #value)]
            #variant,
        }
    });
    quote! {
        #comment
        #derives
        pub enum #ident {
            #(#variants)*
        }
    }
}

/// The name of the schema that is referred to, if it is a reference.
pub(super) fn reference_name(schema: &RefOr<Schema>) -> Option<&str> {
    match schema {
        RefOr::Ref(reference) => Some(name_of(&reference.ref_location)),
        RefOr::T(_) => None,
    }
}

fn is_object(object: &Object) -> bool {
    matches!(object.schema_type, SchemaType::Type(Type::Object))
}

pub(super) fn is_deprecated(deprecated: &Option<Deprecated>) -> bool {
    matches!(deprecated, Some(Deprecated::True))
}

fn description(schema: &RefOr<Schema>) -> &str {
    let description = match schema {
        RefOr::T(Schema::Object(object)) => object.description.as_deref(),
        RefOr::T(Schema::Array(array)) => array.description.as_deref(),
        _ => None,
    };
    description.unwrap_or_default()
}

fn nullable(schema_type: &SchemaType, kind: TokenStream) -> TokenStream {
    match schema_type {
        SchemaType::Array(types) if types.contains(&Type::Null) => quote!(Option<#kind>),
        _ => kind,
    }
}

fn scalar(object: &Object) -> TokenStream {
    let kind = match &object.schema_type {
        SchemaType::Type(kind) => Some(kind),
        SchemaType::Array(kinds) => kinds.iter().find(|kind| **kind != Type::Null),
        SchemaType::AnyValue => None,
    };
    match (kind, &object.format) {
        (Some(Type::Integer), Some(SchemaFormat::KnownFormat(KnownFormat::Int32))) => quote!(i32),
        (Some(Type::Integer), _) => quote!(i64),
        (Some(Type::Number), Some(SchemaFormat::KnownFormat(KnownFormat::Float))) => quote!(f32),
        (Some(Type::Number), _) => quote!(f64),
        (Some(Type::Boolean), _) => quote!(bool),
        _ => quote!(String),
    }
}
