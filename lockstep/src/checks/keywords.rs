//! The keywords of each object of OpenAPI.

/// The keywords of JSON Schema 2020-12 and of OpenAPI.
pub(super) const SCHEMA: &[&str] = &[
    "$anchor",
    "$comment",
    "$defs",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$ref",
    "$schema",
    "$vocabulary",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "default",
    "definitions",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "deprecated",
    "description",
    "discriminator",
    "else",
    "enum",
    "example",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "externalDocs",
    "format",
    "if",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "nullable",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "readOnly",
    "required",
    "summary",
    "then",
    "title",
    "type",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
    "writeOnly",
    "xml",
    // Of other generators, which mean nothing by themselves.
    "enumNames",
    "id",
];

/// The keywords of the document.
pub(super) const DOCUMENT: &[&str] = &[
    "openapi",
    "info",
    "jsonSchemaDialect",
    "servers",
    "paths",
    "components",
    "security",
    "tags",
    "externalDocs",
];

/// The keywords of `components`.
pub(super) const COMPONENTS: &[&str] = &[
    "schemas",
    "responses",
    "requestBodies",
    "securitySchemes",
    "parameters",
    "headers",
    "examples",
    "links",
    "callbacks",
    "pathItems",
];

/// The keywords of an operation.
pub(super) const OPERATION: &[&str] = &[
    "tags",
    "summary",
    "description",
    "externalDocs",
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "deprecated",
    "security",
    "servers",
];

/// The keywords of a parameter.
pub(super) const PARAMETER: &[&str] = &[
    "name",
    "in",
    "description",
    "required",
    "deprecated",
    "allowEmptyValue",
    "style",
    "explode",
    "allowReserved",
    "schema",
    "example",
    "examples",
    "content",
];

/// The keywords of a request body.
pub(super) const REQUEST_BODY: &[&str] = &["description", "content", "required", "$ref"];

/// The keywords of a response.
pub(super) const RESPONSE: &[&str] = &[
    "description",
    "summary",
    "headers",
    "content",
    "links",
    "$ref",
];

/// The keywords of a header.
pub(super) const HEADER: &[&str] = &[
    "description",
    "required",
    "deprecated",
    "allowEmptyValue",
    "style",
    "explode",
    "schema",
    "example",
    "examples",
    "content",
    "$ref",
];

/// The keywords of a media type.
pub(super) const MEDIA_TYPE: &[&str] = &["schema", "example", "examples", "encoding"];
