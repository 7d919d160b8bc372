//! Parts of a document by JSON Pointer.

use serde_json::{Map, Value};

/// Extension of an operation, `true`: its requests are passed on as they are sent.
pub(crate) const UNCHECKED: &str = "x-unchecked";

/// The methods that an operation can be under.
pub(crate) const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// The pointer of the member `name` of what stands at `pointer`.
pub(crate) fn join(pointer: &str, name: &str) -> String {
    match name.contains(['~', '/']) {
        true => format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")),
        // A shortcut for nearly all names: this runs for every part of a document.
        false => [pointer, "/", name].concat(),
    }
}

/// The last part of a pointer, unescaped.
pub(crate) fn last(pointer: &str) -> String {
    let last = pointer.rsplit('/').next().unwrap_or_default();
    last.replace("~1", "/").replace("~0", "~")
}

/// The pointers of the members or items of what stands at `pointer`.
pub(crate) fn members(document: &Value, pointer: &str) -> Vec<String> {
    match document.pointer(pointer) {
        Some(Value::Object(object)) => object.keys().map(|key| join(pointer, key)).collect(),
        Some(Value::Array(items)) => (0..items.len())
            .map(|index| format!("{pointer}/{index}"))
            .collect(),
        _ => Vec::new(),
    }
}

/// The pointers of all operations.
pub(crate) fn operations(document: &Value) -> Vec<String> {
    members(document, "/paths")
        .iter()
        .flat_map(|path| members(document, path))
        .filter(|operation| METHODS.contains(&last(operation).as_str()))
        .collect()
}

/// Follows a reference at `pointer` to a component of this kind, if there is one.
pub(crate) fn resolve(document: &Value, pointer: &str, kind: &str) -> String {
    let reference = document.pointer(&join(pointer, "$ref"));
    reference
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix('#'))
        .filter(|target| target.starts_with(&format!("/components/{kind}/")))
        .unwrap_or(pointer)
        .to_owned()
}

/// The pointers of the schemas of a body or a response.
pub(crate) fn content_schemas(document: &Value, pointer: &str) -> Vec<String> {
    let contents = members(document, &join(pointer, "content"));
    let schemas = contents
        .iter()
        .map(|content| resolve(document, &join(content, "schema"), "schemas"));
    schemas.collect()
}

/// The security alternatives of an operation that name a scheme.
pub(crate) fn alternatives(document: &Value, operation: &str) -> Vec<String> {
    let own = join(operation, "security");
    let pointer = match document.pointer(&own) {
        Some(_) => own,
        None => "/security".to_owned(),
    };
    members(document, &pointer)
        .into_iter()
        .filter(|requirement| !members(document, requirement).is_empty())
        .collect()
}

/// The extension of a member of a body, `true`: it carries the key of the cookie of its name.
pub(crate) const BODY_MEMBER: &str = "x-body-member";

/// The member of the schema at `pointer` that carries a credential, if one does.
pub(crate) fn body_credential(document: &Value, pointer: &str) -> Option<String> {
    let properties = members(document, &join(pointer, "properties"));
    let mut marked = properties.iter().filter(|property| {
        let extension = document.pointer(&join(property, BODY_MEMBER));
        extension == Some(&Value::Bool(true))
    });
    marked.next().map(|property| last(property))
}

/// A name based on this one that no schema of the document has.
pub(crate) fn free_schema_name(document: &Value, name: &str) -> String {
    let mut name = name.to_owned();
    while document
        .pointer(&join("/components/schemas", &name))
        .is_some()
    {
        name.push('_');
    }
    name
}

/// Removes a member of the object at `pointer`.
pub(crate) fn remove(document: &mut Value, pointer: &str, name: &str) {
    if let Some(Value::Object(object)) = document.pointer_mut(pointer) {
        object.shift_remove(name);
    }
}

/// Calls `change` for every schema that is not a reference.
pub(crate) fn each_schema(document: &mut Value, change: impl Fn(&mut Map<String, Value>)) {
    for pointer in schemas(document) {
        if let Some(Value::Object(schema)) = document.pointer_mut(&pointer)
            && !schema.contains_key("$ref")
        {
            change(schema);
        }
    }
}

/// The pointers of all schemas: those with a name, those in an operation, and those inside them.
pub(crate) fn schemas(document: &Value) -> Vec<String> {
    let mut found = members(document, "/components/schemas");
    let carriers = carriers(document);
    found.extend(carriers.iter().map(|place| join(place, "schema")));
    let mut next = 0;
    while let Some(schema) = found.get(next).cloned() {
        next += 1;
        let of_several = [
            "properties",
            "patternProperties",
            "$defs",
            "allOf",
            "anyOf",
            "oneOf",
            "prefixItems",
        ];
        for keyword in of_several {
            found.extend(members(document, &join(&schema, keyword)));
        }
        for keyword in ["items", "additionalProperties", "not"] {
            let inner = join(&schema, keyword);
            found.extend(document.pointer(&inner).map(|_| inner.clone()));
        }
    }
    found.retain(|pointer| document.pointer(pointer).is_some());
    found
}

/// The pointers of all parameters.
pub(crate) fn parameters(document: &Value) -> Vec<String> {
    let operations = operations(document);
    let parameters = operations
        .iter()
        .flat_map(|operation| members(document, &join(operation, "parameters")));
    parameters.collect()
}

/// The pointers of all places with a schema: parameters, headers and media types.
pub(crate) fn carriers(document: &Value) -> Vec<String> {
    let headers = responses(document)
        .into_iter()
        .flat_map(|response| members(document, &join(&response, "headers")));
    let media_types = contents(document)
        .into_iter()
        .flat_map(|content| members(document, &content));
    let parameters = parameters(document).into_iter();
    parameters.chain(headers).chain(media_types).collect()
}

/// The pointers of all maps from a media type to what it carries.
pub(crate) fn contents(document: &Value) -> Vec<String> {
    let operations = operations(document);
    let bodies = operations
        .iter()
        .map(|operation| join(operation, "requestBody"));
    let named = members(document, "/components/requestBodies");
    let places = bodies.chain(named).chain(responses(document));
    places.map(|place| join(&place, "content")).collect()
}

/// The pointers of all responses: those with a name, and those in an operation.
pub(crate) fn responses(document: &Value) -> Vec<String> {
    let operations = operations(document);
    let inline = operations
        .iter()
        .flat_map(|operation| members(document, &join(operation, "responses")));
    inline
        .chain(members(document, "/components/responses"))
        .collect()
}
