//! The codes of the problems that are answered without a generated method.

/// The request is not as documented.
pub const INVALID_REQUEST: &str = "invalid_request";
/// The operation needs a credential.
pub const NOT_LOGGED_IN: &str = "not_logged_in";
/// There is nothing at the path.
pub const NOT_FOUND: &str = "not_found";
/// The path does not allow the method.
pub const METHOD_NOT_ALLOWED: &str = "method_not_allowed";
/// The body is too large.
pub const PAYLOAD_TOO_LARGE: &str = "payload_too_large";
/// The media type of the body is not supported.
pub const UNSUPPORTED_MEDIA_TYPE: &str = "unsupported_media_type";
/// The service failed.
pub const INTERNAL_ERROR: &str = "internal_error";

/// All codes: openapi-lockstep requires a document to list each.
pub const ALL: [&str; 7] = [
    INVALID_REQUEST,
    NOT_LOGGED_IN,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    PAYLOAD_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    INTERNAL_ERROR,
];
