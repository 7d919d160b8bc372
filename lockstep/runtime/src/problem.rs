use std::sync::Arc;

use poem::{
    Endpoint, IntoResponse, PathPattern, Request, Response, Result,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use serde::Serialize;
use serde_json::Value;

use crate::code;

const PROBLEM_JSON: &str = "application/problem+json";
/// The most failures that one answer lists: it is never much larger than the request.
const MAX_ERRORS: usize = 100;
/// The most characters of a request that an answer repeats in one place.
const MAX_QUOTED: usize = 100;
/// The headers of a bare status that its problem keeps.
const KEPT_HEADERS: [HeaderName; 3] =
    [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE];

/// One failure of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct InvalidMember {
    /// A JSON Pointer into the request: `/path/…`, `/query/…` or `/body/…`; one that is very long
    /// ends with `…`.
    pub pointer: String,
    /// Description of the failure, for people.
    pub detail: String,
}

/// An error that is answered before, or instead of, a generated method: a problem of RFC 9457.
#[derive(Clone, Debug)]
pub struct Rejection {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<InvalidMember>,
    /// Boxed to keep every result with a rejection small.
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Rejection {
    /// The answer with this status. `code` tells a program what went wrong, `detail` a person.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            header: None,
        }
    }

    /// The answer to a request that is not as documented: 400 with its failures. Of very many
    /// failures it lists the first ones, and says how many there are.
    pub fn invalid(mut errors: Vec<InvalidMember>) -> Self {
        errors.sort();
        let count = errors.len();
        errors.truncate(MAX_ERRORS);
        for error in &mut errors {
            error.pointer = quoted(&error.pointer);
        }
        let detail = match count - errors.len() {
            0 => "The request is not as documented; see errors.".to_owned(),
            left_out => format!(
                "The request is not as documented; see errors, which lists {MAX_ERRORS} of {count} \
                 failures and leaves out {left_out}."
            ),
        };
        Self {
            errors,
            ..Self::new(StatusCode::BAD_REQUEST, code::INVALID_REQUEST, detail)
        }
    }

    /// The answer to a request without its required body.
    pub fn without_body() -> Self {
        Self::invalid(vec![InvalidMember {
            pointer: "/body".to_owned(),
            detail: "is required".to_owned(),
        }])
    }

    /// The answer to a method that a path does not allow: 405 with the allowed methods, such as
    /// `GET, POST`.
    pub fn method_not_allowed(allowed: &str) -> Self {
        let rejection = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            code::METHOD_NOT_ALLOWED,
            format!("This path allows only {allowed}."),
        );
        match HeaderValue::try_from(allowed) {
            Ok(allowed) => rejection.with_header(header::ALLOW, allowed),
            Err(_) => rejection,
        }
    }

    /// The same with a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The code that tells a program what went wrong.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence that tells a person what went wrong.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The failures of a request that is not as documented.
    pub fn errors(&self) -> &[InvalidMember] {
        &self.errors
    }

    pub(crate) fn header(&self) -> Option<&(HeaderName, HeaderValue)> {
        self.header.as_deref()
    }

    /// Problem for a bare status of the framework.
    fn of_status(status: StatusCode, detail: &str) -> Self {
        match status {
            StatusCode::BAD_REQUEST => Self::invalid(vec![InvalidMember {
                pointer: String::new(),
                detail: detail.to_owned(),
            }]),
            StatusCode::UNAUTHORIZED => Self::new(status, code::NOT_LOGGED_IN, "Not logged in."),
            StatusCode::NOT_FOUND => {
                Self::new(status, code::NOT_FOUND, "There is nothing at this path.")
            }
            StatusCode::METHOD_NOT_ALLOWED => Self::new(
                status,
                code::METHOD_NOT_ALLOWED,
                "This path does not allow this method.",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(status, code::PAYLOAD_TOO_LARGE, "The body is too large.")
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::new(
                status,
                code::UNSUPPORTED_MEDIA_TYPE,
                "The media type of the body is not supported.",
            ),
            _ => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                code::INTERNAL_ERROR,
                "The service failed. The operator finds the reason in its log.",
            ),
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Problem<'a> {
            r#type: &'a str,
            title: &'a str,
            status: u16,
            detail: &'a str,
            code: &'a str,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            errors: &'a [InvalidMember],
        }
        let problem = Problem {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            errors: &self.errors,
        };
        let mut response = poem::web::Json(problem).into_response();
        response.set_status(self.status);
        // Kept for code that writes the response in another form.
        response.set_data(self.clone());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(header) = self.header {
            let (name, value) = *header;
            headers.insert(name, value);
        }
        response
    }
}

impl From<Rejection> for poem::Error {
    fn from(rejection: Rejection) -> Self {
        Self::from_response(rejection.into_response())
    }
}

/// Turns every error that an endpoint answers into a problem: for
/// [`around`](poem::EndpointExt::around).
///
/// # Errors
///
/// Never returns an error: it becomes a response.
pub async fn problems(endpoint: Arc<impl Endpoint>, request: Request) -> Result<Response> {
    Ok(to_problem(endpoint.get_response(request).await).await)
}

/// Turns a response that is an error into a problem. An error page in HTML stays what it is.
pub async fn to_problem(mut response: Response) -> Response {
    let status = response.status();
    if status.as_u16() < 400 {
        return response;
    }
    let content_type = response.content_type().unwrap_or_default();
    if content_type == PROBLEM_JSON || content_type.starts_with("text/html") {
        return response;
    }
    let detail = response.take_body().into_string().await;
    let mut problem = Rejection::of_status(status, &detail.unwrap_or_default()).into_response();
    for name in KEPT_HEADERS {
        if let Some(value) = response.headers_mut().remove(&name) {
            problem.headers_mut().insert(name, value);
        }
    }
    if let Some(route) = response.data::<PathPattern>() {
        problem.set_data(route.clone());
    }
    problem
}

/// Prepares a text of a request for an answer: a very long one is truncated.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Adds the member `request_id` to a response that is a problem: for a document whose problems have
/// one.
pub async fn add_request_id(response: &mut Response, id: &str) {
    let is_error = response.status().as_u16() >= 400;
    if !is_error || response.content_type() != Some(PROBLEM_JSON) {
        return;
    }
    let body = response.take_body().into_bytes().await.unwrap_or_default();
    response.set_body(match serde_json::from_slice(&body) {
        Ok(Value::Object(mut members)) => {
            members.insert("request_id".to_owned(), id.into());
            Value::Object(members).to_string().into_bytes()
        }
        _ => body.to_vec(),
    });
}

pub(crate) fn invalid(pointer: &str, detail: impl Into<String>) -> InvalidMember {
    InvalidMember {
        pointer: pointer.to_owned(),
        detail: detail.into(),
    }
}

/// The JSON Pointer of a member.
pub(crate) fn join(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}
