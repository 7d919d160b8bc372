//! Operations: parameters, bodies, responses and security.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use utoipa::openapi::{
    RefOr, Response,
    header::Header,
    path::{Operation, Parameter},
    request_body::RequestBody,
};

use super::*;

impl Rules<'_> {
    pub(super) fn operation(&mut self, pointer: &str) {
        self.readable::<Operation>(pointer);
        self.only(
            pointer,
            &[
                "operationId",
                "tags",
                "summary",
                "description",
                "deprecated",
                "parameters",
                "requestBody",
                "responses",
                "security",
            ],
        );
        self.tag(pointer);
        self.parameters(pointer);
        let body = join(pointer, "requestBody");
        let has_body = self.source.at(&body).is_some();
        if has_body && self.reference(&body, "requestBodies").is_none() && !self.is_reference(&body)
        {
            self.request_body(&body);
        }
        for response in self.members(&join(pointer, "responses")) {
            self.status(&response);
            let content = self.resolve(&response, "responses") + "/content";
            if let ("204" | "205", false) =
                (last(&response).as_str(), self.members(&content).is_empty())
            {
                self.refuse(&response, "has a body, which HTTP has no room for after this status: leave its content out");
            }
            if self.reference(&response, "responses").is_none() && !self.is_reference(&response) {
                self.response(&response);
            }
        }
        self.answered(pointer, has_body);
    }

    fn tag(&mut self, pointer: &str) {
        let tags = self.members(&join(pointer, "tags"));
        let [tag] = tags.as_slice() else {
            return self.refuse(
                pointer,
                "has tags that are no list of names: the first names the trait that the operation is a method of",
            );
        };
        if self.text(tag).is_none() {
            self.refuse(tag, "is no name of a tag");
        }
    }

    fn parameters(&mut self, operation: &str) {
        let parameters = self.members(&join(operation, "parameters"));
        let mut in_path = BTreeMap::new();
        for pointer in &parameters {
            self.readable::<RefOr<Parameter>>(pointer);
            self.only(
                pointer,
                &[
                    "name",
                    "in",
                    "description",
                    "required",
                    "deprecated",
                    "schema",
                    "example",
                ],
            );
            match self.text(&join(pointer, "in")) {
                Some("path") => {
                    let name = self.text(&join(pointer, "name")).unwrap_or_default();
                    in_path.insert(name, pointer.clone());
                    if self.source.at(&join(pointer, "required")) != Some(&Value::Bool(true)) {
                        self.refuse(pointer, "a path parameter has to be required");
                    }
                }
                Some("query") => {}
                _ => self.refuse(pointer, "only path and query parameters are supported"),
            }
            let schema = join(pointer, "schema");
            match self.source.at(&schema) {
                Some(_) => self.scalar(&schema),
                None => self.refuse(pointer, "has no schema"),
            }
            let format = join(&self.resolve(&schema, "schemas"), "format");
            if self.text(&format) == Some("password") {
                self.refuse(
                    pointer,
                    "is a password, which has no place in a URL: logs keep those",
                );
            }
        }
        let path = last(&operation[..operation.rfind('/').unwrap_or_default()]);
        for segment in path.split('/') {
            let name = segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            match name {
                Some(name) if in_path.remove(name).is_none() => {
                    self.refuse(operation, format!("describes no path parameter {name}"));
                }
                None if segment.contains(['{', '}']) => self.refuse(
                    operation,
                    "a path parameter has to be a whole segment of the path",
                ),
                _ => {}
            }
        }
        for (name, pointer) in in_path {
            self.refuse(&pointer, format!("the path has no {{{name}}}"));
        }
    }

    pub(super) fn request_body(&mut self, pointer: &str) {
        self.readable::<RefOr<RequestBody>>(pointer);
        self.only(pointer, &["description", "required", "content"]);
        let contents = self.members(&join(pointer, "content"));
        if !contents
            .iter()
            .any(|content| last(content) == "application/json")
        {
            self.refuse(
                pointer,
                "has no application/json, as which every body is handed on once it is checked",
            );
        }
        for content in &contents {
            if !matches!(
                last(content).as_str(),
                "application/json" | "application/x-www-form-urlencoded"
            ) {
                self.refuse(
                    content,
                    "only application/json and application/x-www-form-urlencoded are supported",
                );
            }
            self.media_type(content);
            if self.source.at(&join(content, "schema"))
                != self.source.at(&join(&contents[0], "schema"))
            {
                self.refuse(
                    &join(content, "schema"),
                    "has to be the same for every media type of a body",
                );
            }
            if last(content) == "application/x-www-form-urlencoded" {
                self.flat(&join(content, "schema"));
            }
        }
        let required = self.source.at(&join(pointer, "required")) == Some(&Value::Bool(true));
        if let (false, Some(content)) = (required, contents.first()) {
            let schema = self.resolve(&join(content, "schema"), "schemas");
            if !self.members(&join(&schema, "required")).is_empty() {
                self.refuse(
                    pointer,
                    "is optional but its schema has required members: make the body required",
                );
            }
        }
    }

    /// Refuses members that a form cannot carry.
    fn flat(&mut self, pointer: &str) {
        let schema = self.resolve(pointer, "schemas");
        for property in self.members(&join(&schema, "properties")) {
            let target = self.resolve(&property, "schemas");
            let kind = self.text(&join(&target, "type"));
            if !matches!(kind, Some("string" | "integer")) {
                self.refuse(&property, "a form carries only strings and integers");
            }
        }
    }

    fn media_type(&mut self, pointer: &str) {
        self.only(pointer, &["schema", "example", "examples"]);
        match self.source.at(&join(pointer, "schema")) {
            Some(_) => self.object_reference(&join(pointer, "schema")),
            None => self.refuse(pointer, "has no schema"),
        }
    }

    fn status(&mut self, pointer: &str) {
        match last(pointer).parse::<u16>() {
            Ok(status @ (200..=299 | 400..=599)) => {
                let known = StatusCode::from_u16(status).ok();
                if known.and_then(|status| status.canonical_reason()).is_none() {
                    self.refuse(pointer, "is no registered status, so it has no name");
                }
            }
            _ => self.refuse(
                pointer,
                "only statuses from 200 to 299 and from 400 to 599 are supported, each by its number",
            ),
        }
    }

    pub(super) fn response(&mut self, pointer: &str) {
        self.readable::<RefOr<Response>>(pointer);
        self.only(pointer, &["description", "headers", "content"]);
        for header in self.members(&join(pointer, "headers")) {
            self.readable::<RefOr<Header>>(&header);
            if http::HeaderName::try_from(last(&header)).is_err() {
                self.refuse(&header, "is no name that a header can have");
            }
            self.only(&header, &["description", "schema", "example"]);
            let schema = join(&header, "schema");
            if self.source.at(&schema).is_none() {
                self.refuse(&header, "has no schema");
                continue;
            }
            self.scalar(&schema);
            let target = self.resolve(&schema, "schemas");
            if self.text(&join(&target, "format")) == Some("password") {
                self.refuse(&schema, "format password is supported in bodies alone");
            }
        }
        let contents = self.members(&join(pointer, "content"));
        match contents.as_slice() {
            [content] => self.media_type(content),
            // Every error has a body, which says what is wrong; `problem` refuses one without.
            [] => {}
            _ => self.refuse(pointer, "needs exactly one media type"),
        }
    }

    /// Refuses an operation that does not document what is answered before its method is called.
    fn answered(&mut self, operation: &str, has_body: bool) {
        let responses = join(operation, "responses");
        let statuses: BTreeSet<String> = self
            .members(&responses)
            .iter()
            .map(|response| last(response))
            .collect();
        let documents = |status: &str| statuses.contains(status);
        let successes = statuses.iter().filter(|status| status.starts_with('2'));
        if successes.count() != 1 {
            self.refuse(&responses, "needs exactly one status from 200 to 299");
        }
        let mut missing = Vec::new();
        // Also where nothing is taken: somebody sends something all the same.
        if !documents("400") {
            missing.push(("400", "an invalid request"));
        }
        if !documents("413") {
            missing.push(("413", "a body that is too large"));
        }
        if has_body && !documents("415") {
            missing.push(("415", "a body of another media type"));
        }
        if !self.alternatives(operation).is_empty() && !documents("401") && !documents("403") {
            missing.push(("401 or 403", "a missing or worthless credential"));
        }
        for (status, reason) in missing {
            self.refuse(
                &responses,
                format!("does not document {status}, which answers {reason}"),
            );
        }
    }

    /// Refuses a document whose operations do not share the responses that the enum `Failure`
    /// needs.
    pub(super) fn shared_responses(&mut self) {
        let shared = shared_responses(self.source);
        if !shared.contains_key("500") {
            self.refuse(
                "/paths",
                "every operation has to document 500 by the same component, which answers a panic",
            );
        }
        let secured = self
            .operations()
            .iter()
            .any(|operation| !self.alternatives(operation).is_empty());
        if secured && !shared.contains_key("401") && !shared.contains_key("403") {
            self.refuse(
                "/paths",
                "every operation has to document 401 or 403 by the same component, which answers a worthless credential",
            );
        }
    }

    /// Refuses security that the generated `Credential` cannot say.
    pub(super) fn security(&mut self) {
        let mut pointers = vec!["/security".to_owned()];
        pointers.extend(
            self.operations()
                .iter()
                .map(|operation| join(operation, "security")),
        );
        let mut alternatives: Option<BTreeSet<String>> = None;
        for pointer in pointers {
            let mut names = BTreeSet::new();
            for requirement in self.members(&pointer) {
                let schemes = self.members(&requirement);
                match schemes.as_slice() {
                    [] => continue,
                    [scheme] => {
                        if !self.members(scheme).is_empty() {
                            self.refuse(scheme, "scopes are not supported");
                        }
                        let name = last(scheme);
                        let component = join("/components/securitySchemes", &name);
                        if self.source.at(&component).is_none() {
                            self.refuse(scheme, "names no security scheme");
                        }
                        names.insert(name);
                    }
                    _ => self.refuse(
                        &requirement,
                        "several schemes at once are not supported: write one alternative for each",
                    ),
                }
            }
            if names.is_empty() {
                continue;
            }
            match &alternatives {
                Some(known) if *known != names => self.refuse(
                    &pointer,
                    "every secured operation has to take the same schemes",
                ),
                _ => alternatives = Some(names),
            }
        }
        self.body_credentials();
    }

    /// Refuses a second scheme of a kind, and a body member that carries the key of the cookie where
    /// no bearer can take it over, or that cannot be taken out of the body.
    fn body_credentials(&mut self) {
        let of_kind = |keyword: &str, value: &str| -> Vec<String> {
            let schemes = self.members("/components/securitySchemes").into_iter();
            let is_it = |scheme: &String| self.text(&join(scheme, keyword)) == Some(value);
            schemes.filter(is_it).collect()
        };
        let bearers = of_kind("scheme", "bearer");
        let cookies = of_kind("in", "cookie");
        for scheme in bearers.iter().skip(1).chain(cookies.iter().skip(1)) {
            self.refuse(scheme, "is the second of its kind: only one is told apart");
        }
        let mut bodies = BTreeSet::new();
        let mut elsewhere = BTreeSet::new();
        for operation in self.operations() {
            let body = self.resolve(&join(&operation, "requestBody"), "requestBodies");
            let schemas = self.content_schemas(&body);
            if self.alternatives(&operation).is_empty() {
                elsewhere.extend(schemas);
            } else {
                bodies.extend(schemas.into_iter().map(|schema| (schema, body.clone())));
            }
            for response in self.members(&join(&operation, "responses")) {
                let response = self.resolve(&response, "responses");
                elsewhere.extend(self.content_schemas(&response));
            }
        }
        for schema in self.members("/components/schemas") {
            elsewhere.extend(self.references(&schema));
        }
        for (schema, body) in bodies {
            let Some(name) = pointers::body_credential(&self.source.value, &schema) else {
                continue;
            };
            let properties = join(&schema, "properties");
            let property = join(&properties, &name);
            let target = self.resolve(&property, "schemas");
            let is_string = self.text(&join(&target, "type")) == Some("string");
            if bearers.is_empty() || !is_string || self.is_required(&schema, &name) {
                self.refuse(
                    &property,
                    "carries the cookie's key, so it has to be an optional string, with a bearer scheme to take it over",
                );
            }
            if elsewhere.contains(&schema) {
                self.refuse(
                    &property,
                    "carries the cookie's key, which is taken out of a body, so its schema has to be of such bodies only",
                );
            }
            let is_required = self.source.at(&join(&body, "required")) == Some(&Value::Bool(true));
            if is_required && self.members(&properties).len() == 1 {
                self.refuse(
                    &body,
                    "has nothing but the cookie's key, which may stand elsewhere: do not require it",
                );
            }
        }
    }
}

/// The errors that every operation documents by the same component: its name by the status.
pub(crate) fn shared_responses(source: &Source) -> BTreeMap<String, String> {
    let named = |operation: &Value| -> BTreeMap<String, String> {
        let responses = operation.get("responses").and_then(Value::as_object);
        responses
            .into_iter()
            .flatten()
            .filter(|(status, _)| status.starts_with(['4', '5']))
            .filter_map(|(status, response)| {
                let reference = response.get("$ref")?.as_str()?;
                let name = reference.strip_prefix("#/components/responses/")?;
                Some((status.clone(), name.to_owned()))
            })
            .collect()
    };
    let paths = source.at("/paths").and_then(Value::as_object);
    let operations = paths
        .into_iter()
        .flat_map(Map::values)
        .filter_map(Value::as_object)
        .flatten()
        .filter(|(method, _)| METHODS.contains(&method.as_str()))
        .map(|(_, operation)| operation);
    operations
        .map(named)
        .reduce(|mut shared, named| {
            shared.retain(|status, name| named.get(status) == Some(name));
            shared
        })
        .unwrap_or_default()
}
