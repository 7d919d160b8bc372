//! Names: what becomes an identifier has to be one, and no two may become the same.

use heck::{ToSnakeCase, ToUpperCamelCase};

use super::*;
use crate::client;

/// The types that the generated code makes whatever the document says, and those that it imports.
const RESERVED: [&str; 31] = [
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
    "Send",
    "String",
    "Sync",
    "T",
    "Tags",
    "Vec",
];

/// The methods that something else has on which the generated code calls them, or that the
/// generated `Client` has besides its operations.
const RESERVED_METHODS: [&str; 16] = [
    "authenticate",
    "as_ref",
    "clone",
    "drop",
    "into",
    "to_owned",
    "try_into",
    "api_version",
    "baseurl",
    "client",
    "exec",
    "inner",
    "new",
    "new_with_client",
    "post",
    "pre",
];
/// What stands beside the client's builders, which have the names of the operations.
const RESERVED_BUILDERS: [&str; 10] = [
    "ByteStream",
    "ClientHooks",
    "ClientInfo",
    "Error",
    "OperationInfo",
    "Option",
    "RequestBuilderExt",
    "ResponseValue",
    "Result",
    "String",
];
/// How many APIs poem-openapi takes in a tuple.
const MAX_TAGS: usize = 16;
/// What the generated code calls the other arguments of a method, and its own variables.
const ARGUMENTS: [&str; 13] = [
    "body",
    "credential",
    "principal",
    "request",
    // Of the client's builders.
    "body_map",
    "clone",
    "header_map",
    "info",
    "is_of",
    "new",
    "send",
    "stream",
    "without_body",
];
/// What the generated code calls the other arguments of a function that makes a problem.
const PROBLEM_ARGUMENTS: [&str; 4] = ["code", "detail", "errors", "problem"];

impl Rules<'_> {
    pub(super) fn names(&mut self) {
        let mut types = reserved(&RESERVED);
        self.schema_names(&mut types);
        for pointer in self.members("/components/securitySchemes") {
            self.name(&pointer, last(&pointer).to_upper_camel_case(), &mut types);
        }
        for pointer in self.members("/components/requestBodies") {
            let name = last(&pointer).to_upper_camel_case();
            self.name(&pointer, format!("{name}Body"), &mut types);
        }
        for pointer in self.members("/components/responses") {
            self.header_names(&pointer);
        }
        self.tag_names(&mut types);
        self.operation_names(&mut types);
    }

    fn schema_names(&mut self, types: &mut HashMap<String, String>) {
        for pointer in self.members("/components/schemas") {
            let name = last(&pointer);
            if !is_component_name(&name) {
                continue;
            }
            let camel = name.to_upper_camel_case();
            if camel != name {
                self.refuse(&pointer, format!("write the name as {camel}"));
            }
            self.name(&pointer, name, types);
            // poem-openapi's derive has a variable of this name.
            let fields = reserved(&["obj"]);
            self.inner_names(&join(&pointer, "properties"), fields, str::to_snake_case);
            let variants = HashMap::new();
            self.inner_names(&join(&pointer, "enum"), variants, str::to_upper_camel_case);
        }
    }

    fn tag_names(&mut self, types: &mut HashMap<String, String>) {
        let mut variants = HashMap::new();
        for (index, pointer) in self.members("/tags").into_iter().enumerate() {
            if index >= MAX_TAGS {
                self.refuse(&pointer, "is one more tag than poem-openapi takes");
            }
            let tag = self.text(&join(&pointer, "name")).unwrap_or_default();
            let tag = tag.to_upper_camel_case();
            if self.name(&pointer, tag.clone(), &mut variants) {
                self.name(&pointer, format!("{tag}Api"), types);
                self.name(&pointer, format!("{tag}Routes"), types);
            }
        }
    }

    fn operation_names(&mut self, types: &mut HashMap<String, String>) {
        let mut methods = reserved(&RESERVED_METHODS);
        let mut builders = reserved(&RESERVED_BUILDERS);
        let mut of_client = HashMap::new();
        for operation in self.operations() {
            self.parameter_names(&operation);
            for response in self.members(&join(&operation, "responses")) {
                self.header_names(&response);
            }
            let pointer = join(&operation, "operationId");
            let Some(id) = self.text(&pointer) else {
                self.refuse(
                    &operation,
                    "needs an operationId: it names the method that serves it",
                );
                continue;
            };
            // What is no name of a method, or not its only one, is none of a type either.
            if self.name(&pointer, id.to_snake_case(), &mut methods)
                && self.name(&pointer, client::member(id), &mut of_client)
            {
                let id = id.to_upper_camel_case();
                self.name(&pointer, id.clone(), &mut builders);
                self.name(&pointer, format!("{id}Response"), types);
                if !self.is_reference(&join(&operation, "requestBody")) {
                    self.name(&pointer, format!("{id}Body"), types);
                }
            }
        }
    }

    fn parameter_names(&mut self, operation: &str) {
        let mut arguments = reserved(&ARGUMENTS);
        let mut of_client = HashMap::new();
        for parameter in self.members(&join(operation, "parameters")) {
            let pointer = join(&parameter, "name");
            let name = self.text(&pointer).unwrap_or_default();
            if self.name(&pointer, name.to_snake_case(), &mut arguments) {
                self.name(&pointer, client::member(name), &mut of_client);
            }
        }
    }

    fn header_names(&mut self, response: &str) {
        self.inner_names(
            &join(response, "headers"),
            reserved(&PROBLEM_ARGUMENTS),
            str::to_snake_case,
        );
    }

    /// Refuses members whose names are no identifiers, or the same one or one in `names`.
    fn inner_names(
        &mut self,
        pointer: &str,
        mut names: HashMap<String, String>,
        convert: impl Fn(&str) -> String,
    ) {
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

fn reserved(names: &[&str]) -> HashMap<String, String> {
    let names = names.iter().map(|name| (name.to_string(), String::new()));
    names.collect()
}
