//! Values of a request, as a generated server reads them.

use std::{path::PathBuf, sync::Arc};

use poem::{Request, http::StatusCode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use tempfile::TempPath;

use crate::{
    Rejection, code,
    credential::Presented,
    problem::{invalid, join},
    received::Received,
};

/// A file of a multipart body. It is deleted once the request is answered: move it to keep it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct File {
    /// Path of the temporary file that holds its bytes.
    pub path: PathBuf,
    /// The name that the sender gives it. Do not use it as a path: the sender chooses it.
    pub name: Option<String>,
    /// The media type that the sender gives it.
    pub media_type: Option<String>,
    /// Its size in bytes.
    pub size: u64,
}

/// Parameters, body and credentials that a [`Contract`](crate::Contract) has read from a request.
#[derive(Clone)]
pub struct Given {
    operation: usize,
    value: Value,
    /// Index among the bodies that the operation takes; `None` without a body.
    taken: Option<usize>,
    presented: Presented,
    /// Deleted with the last of its clones.
    _files: Option<Arc<Vec<TempPath>>>,
}

impl Given {
    pub(crate) fn new(
        operation: usize,
        mut value: Value,
        body: Received,
        presented: Presented,
    ) -> Self {
        for (member, file) in body.files {
            let file = serde_json::to_value(file).unwrap_or_default();
            match value.pointer_mut(&join("/body", &member)) {
                // Each of several files replaces an empty string.
                Some(Value::Array(items)) => {
                    if let Some(place) = items.iter_mut().find(|it| it.is_string()) {
                        *place = file;
                    }
                }
                Some(place) => *place = file,
                None => {}
            }
        }
        Self {
            operation,
            value,
            taken: body.taken,
            presented,
            _files: (!body.kept.is_empty()).then(|| Arc::new(body.kept)),
        }
    }

    /// The number of the operation.
    pub(crate) fn operation(&self) -> usize {
        self.operation
    }

    /// Takes the values that a contract has stored in the request.
    ///
    /// # Errors
    ///
    /// No contract is in front of the server.
    pub fn take(request: &mut Request) -> Result<Self, Rejection> {
        request.extensions_mut().remove().ok_or_else(|| {
            let detail = "The service is served without its contract.";
            Rejection::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                code::INTERNAL_ERROR,
                detail,
            )
        })
    }

    /// A parameter; null if it is missing.
    ///
    /// # Errors
    ///
    /// Its value does not fit the type, which the schema could not detect.
    pub fn parameter<T: DeserializeOwned>(
        &mut self,
        place: &str,
        name: &str,
    ) -> Result<T, Rejection> {
        let parameters = self.value.get_mut(place).and_then(Value::as_object_mut);
        let value = parameters.and_then(|parameters| parameters.remove(name));
        read(value, || join(&format!("/{place}"), name))
    }

    /// The body; null if it is missing.
    ///
    /// # Errors
    ///
    /// Its value does not fit the type, which the schema could not detect.
    pub fn body<T: DeserializeOwned>(&mut self) -> Result<T, Rejection> {
        let body = self.value.get_mut("body").map(Value::take);
        read(body, || "/body".to_owned())
    }

    /// Index of the body among those that the operation takes, in the order of the document; `None`
    /// without a body.
    pub fn content(&self) -> Option<usize> {
        self.taken
    }

    /// A required credential.
    ///
    /// # Errors
    ///
    /// 401 if it is missing, which the contract has already refused.
    pub fn credential<C>(&self, of: impl FnOnce(&Presented) -> Option<C>) -> Result<C, Rejection> {
        let detail = "Not logged in: the request carries no key.";
        of(&self.presented)
            .ok_or_else(|| Rejection::new(StatusCode::UNAUTHORIZED, code::NOT_LOGGED_IN, detail))
    }

    /// The credentials of the request.
    pub fn presented(&self) -> &Presented {
        &self.presented
    }
}

fn read<T: DeserializeOwned>(
    value: Option<Value>,
    pointer: impl FnOnce() -> String,
) -> Result<T, Rejection> {
    serde_json::from_value(value.unwrap_or_default())
        .map_err(|error| Rejection::invalid(vec![invalid(&pointer(), error.to_string())]))
}
