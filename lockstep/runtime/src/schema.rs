//! The types of a generated server as poem-openapi documents them.

use std::collections::BTreeMap;

use poem_openapi::registry::{MetaDiscriminatorObject, MetaSchema, MetaSchemaRef, Registry};
use serde_json::Value;

use crate::{File, Secret};

/// A type that describes itself for an OpenAPI document.
pub trait Schema: Sized {
    /// Its name among the document's schemas, if it is one of them.
    const NAME: Option<&'static str> = None;

    /// Its schema, and the types that this refers to.
    fn describe() -> Description;

    /// Its schema, or a reference to it.
    fn schema_ref() -> MetaSchemaRef {
        match Self::NAME {
            Some(name) => MetaSchemaRef::Reference(name.to_owned()),
            None => MetaSchemaRef::Inline(Box::new(Self::describe().schema)),
        }
    }

    /// Puts it and the types inside it among the document's schemas.
    fn register(registry: &mut Registry) {
        let describe = |registry: &mut Registry| {
            let description = Self::describe();
            for register in description.inner {
                register(registry);
            }
            description.schema
        };
        match Self::NAME {
            Some(name) => registry.create_schema::<Self, _>(name.to_owned(), describe),
            None => {
                describe(registry);
            }
        }
    }
}

/// A schema, and the types that it refers to.
pub struct Description {
    schema: MetaSchema,
    inner: Vec<fn(&mut Registry)>,
}

impl Description {
    fn new(schema: MetaSchema) -> Self {
        Self {
            schema,
            inner: Vec::new(),
        }
    }

    /// An object.
    pub fn object() -> Self {
        Self::new(MetaSchema::new("object"))
    }

    /// A text that is one of these.
    pub fn values(values: &[&str]) -> Self {
        let enum_items = values.iter().map(|value| Value::from(*value)).collect();
        Self::new(MetaSchema {
            enum_items,
            ..MetaSchema::new("string")
        })
    }

    /// A value of one of several types.
    pub fn one_of() -> Self {
        Self::new(MetaSchema::ANY)
    }

    /// One of the types.
    pub fn alternative<T: Schema>(mut self) -> Self {
        self.inner.push(T::register);
        self.schema.one_of.push(T::schema_ref());
        self
    }

    /// The member whose value tells the types apart: what it has to be for which of them.
    pub fn tag(mut self, name: &'static str, mapping: &[(&str, &str)]) -> Self {
        let refer =
            |(tag, name): &(&str, &str)| (tag.to_string(), format!("#/components/schemas/{name}"));
        self.schema.discriminator = Some(MetaDiscriminatorObject {
            property_name: name,
            mapping: mapping.iter().map(refer).collect(),
        });
        self
    }

    /// A member that is always there.
    pub fn required<T: Schema>(mut self, name: &'static str) -> Self {
        self.schema.required.push(name);
        self.optional::<T>(name)
    }

    /// A member that may be missing.
    pub fn optional<T: Schema>(mut self, name: &'static str) -> Self {
        self.inner.push(T::register);
        self.schema.properties.push((name, T::schema_ref()));
        self
    }

    /// Further members with any name, of this type.
    pub fn others<T: Schema>(mut self) -> Self {
        self.inner.push(T::register);
        self.schema.additional_properties = Some(Box::new(T::schema_ref()));
        self
    }
}

macro_rules! scalar {
    ($($type:ty: $kind:literal $($format:literal)?;)*) => {
        $(impl Schema for $type {
            fn describe() -> Description {
                #[allow(unused_mut)]
                let mut schema = MetaSchema::new($kind);
                $(schema.format = Some($format);)?
                Description::new(schema)
            }
        })*
    };
}

scalar! {
    bool: "boolean";
    i8: "integer" "int8";
    u8: "integer" "uint8";
    i16: "integer" "int16";
    u16: "integer" "uint16";
    i32: "integer" "int32";
    u32: "integer" "uint32";
    i64: "integer" "int64";
    u64: "integer" "uint64";
    f32: "number" "float";
    f64: "number" "double";
    String: "string";
    Secret: "string" "password";
    File: "string" "binary";
    uuid::Uuid: "string" "uuid";
    chrono::DateTime<chrono::Utc>: "string" "date-time";
    chrono::NaiveDate: "string" "date";
}

impl Schema for Value {
    fn describe() -> Description {
        Description::new(MetaSchema::ANY)
    }
}

impl<T: Schema> Schema for Vec<T> {
    fn describe() -> Description {
        let mut description = Description::new(MetaSchema::new("array"));
        description.inner.push(T::register);
        description.schema.items = Some(Box::new(T::schema_ref()));
        description
    }
}

impl<T: Schema> Schema for BTreeMap<String, T> {
    fn describe() -> Description {
        Description::object().others::<T>()
    }
}

impl<T: Schema> Schema for Box<T> {
    const NAME: Option<&'static str> = T::NAME;

    fn describe() -> Description {
        T::describe()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: Schema> Schema for Option<T> {
    fn describe() -> Description {
        let mut description = Description::new(MetaSchema::ANY);
        description.inner.push(T::register);
        description.schema = match T::schema_ref() {
            MetaSchemaRef::Inline(schema) => *schema,
            reference => MetaSchema {
                any_of: vec![reference],
                ..MetaSchema::ANY
            },
        };
        description.schema.nullable = true;
        description
    }
}
