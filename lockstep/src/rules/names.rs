//! Names: what becomes an identifier has to be one, and no two may become the same.

use heck::{ToSnakeCase, ToUpperCamelCase};

use super::*;

/// The types that the generated code makes whatever the document says, and those that it imports.
const RESERVED: [&str; 28] = [
    "Credential",
    "Failure",
    "OptionalCredential",
    "Security",
    "Tag",
    "ApiKey",
    "ApiRequest",
    "ApiResponse",
    "Arc",
    "Bearer",
    "Enum",
    "Form",
    "From",
    "Future",
    "Into",
    "Json",
    "Object",
    "OpenApi",
    "OpenApiService",
    "Option",
    "Path",
    "Query",
    "Request",
    "Result",
    "SecurityScheme",
    "String",
    "Tags",
    "Vec",
];

impl Rules<'_> {
    pub(super) fn names(&mut self) {
        let mut types = HashMap::new();
        for name in RESERVED {
            types.insert(name.to_owned(), String::new());
        }
        for pointer in self.members("/components/schemas") {
            let name = last(&pointer);
            if name.to_upper_camel_case() != name {
                self.refuse(
                    &pointer,
                    format!("write the name as {}", name.to_upper_camel_case()),
                );
            }
            self.name(&pointer, name, &mut types);
            self.inner_names(&join(&pointer, "properties"), |name| name.to_snake_case());
            self.inner_names(&join(&pointer, "enum"), |name| name.to_upper_camel_case());
        }
        for pointer in self.members("/components/securitySchemes") {
            self.name(&pointer, last(&pointer).to_upper_camel_case(), &mut types);
        }
        for pointer in self.members("/tags") {
            let Some(tag) = self.text(&join(&pointer, "name")) else {
                continue;
            };
            let tag = tag.to_upper_camel_case();
            self.name(&pointer, format!("{tag}Api"), &mut types);
            self.name(&pointer, format!("{tag}Routes"), &mut types);
        }
        let mut methods = HashMap::new();
        for operation in self.operations() {
            let pointer = join(&operation, "operationId");
            let Some(id) = self.text(&pointer) else {
                self.refuse(
                    &operation,
                    "needs an operationId: it names the method that serves it",
                );
                continue;
            };
            // What is no name of a method, or not its only one, is none of a type either.
            if self.name(&pointer, id.to_snake_case(), &mut methods) {
                let id = id.to_upper_camel_case();
                self.name(&pointer, format!("{id}Response"), &mut types);
                if !self.is_reference(&join(&operation, "requestBody")) {
                    self.name(&pointer, format!("{id}Body"), &mut types);
                }
            }
        }
        for pointer in self.members("/components/requestBodies") {
            let name = last(&pointer).to_upper_camel_case();
            self.name(&pointer, format!("{name}Body"), &mut types);
        }
    }

    /// Refuses members whose names are no identifiers or the same one.
    fn inner_names(&mut self, pointer: &str, convert: impl Fn(&str) -> String) {
        let mut names = HashMap::new();
        for member in self.members(pointer) {
            let name = match self.source.at(pointer) {
                Some(Value::Array(_)) => self.text(&member).unwrap_or_default().to_owned(),
                _ => last(&member),
            };
            self.name(&member, convert(&name), &mut names);
        }
    }

    /// Notes a name; refuses one that Rust cannot have or that is taken, and says so.
    fn name(&mut self, pointer: &str, name: String, known: &mut HashMap<String, String>) -> bool {
        // A keyword is an identifier too once it is written raw, except these.
        let raw = !matches!(name.as_str(), "self" | "super" | "crate" | "Self" | "_");
        if !raw || syn::parse_str::<syn::Ident>(&format!("r#{name}")).is_err() {
            self.refuse(pointer, format!("{name:?} is no name that Rust can have"));
            return false;
        }
        let Some(other) = known.insert(name.clone(), pointer.to_owned()) else {
            return true;
        };
        let other = if other.is_empty() {
            "the generated code itself".to_owned()
        } else {
            other
        };
        self.refuse(pointer, format!("becomes {name} in Rust, as {other} does"));
        false
    }
}
