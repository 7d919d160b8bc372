//! What stands where in a document, by JSON Pointer.

use serde_json::Value;

/// The methods that an operation can be under.
pub(crate) const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// The pointer of the member `name` of what stands at `pointer`.
pub(crate) fn join(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
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

/// The name of the cookie that carries a credential, which a body member may carry too.
pub(crate) fn cookie_name(document: &Value) -> Option<&str> {
    let schemes = members(document, "/components/securitySchemes");
    let cookie = schemes
        .iter()
        .filter_map(|scheme| document.pointer(scheme))
        .find(|scheme| scheme["in"] == "cookie")?;
    cookie["name"].as_str()
}
