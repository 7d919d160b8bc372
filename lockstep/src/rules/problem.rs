//! Errors: every one is a problem of RFC 9457, and what is answered before a method is called is
//! one that the document describes.

use super::*;

/// The codes of what `openapi-lockstep-runtime` answers by itself.
const CODES: [&str; 7] = [
    "invalid_request",
    "not_logged_in",
    "not_found",
    "method_not_allowed",
    "payload_too_large",
    "unsupported_media_type",
    "internal_error",
];

impl Rules<'_> {
    /// Refuses errors that are no problems, successes that are, and a problem of another shape
    /// than the one that the generated code writes.
    pub(super) fn problem(&mut self) {
        let mut problem: Option<String> = None;
        for operation in self.operations() {
            for response in self.members(&join(&operation, "responses")) {
                let target = self.resolve(&response, "responses");
                let is_error = last(&response).starts_with(['4', '5']);
                let Some(content) = self.members(&join(&target, "content")).pop() else {
                    if is_error && self.source.at(&target).is_some() {
                        self.refuse(&target, "has no body that says what is wrong");
                    }
                    continue;
                };
                let expected = if is_error {
                    "application/problem+json"
                } else {
                    "application/json"
                };
                if last(&content) != expected {
                    self.refuse(&content, format!("has to be {expected} for this status"));
                }
                let schema = join(&content, "schema");
                if !is_error || !self.is_reference(&schema) {
                    continue;
                }
                let component = self.resolve(&schema, "schemas");
                match &problem {
                    Some(known) if *known != component => {
                        self.refuse(&schema, "every error has to be of the same schema");
                    }
                    Some(_) => {}
                    None => {
                        self.problem_schema(&component);
                        problem = Some(component);
                    }
                }
            }
        }
    }

    fn problem_schema(&mut self, pointer: &str) {
        let members = [
            ("type", "string", true),
            ("title", "string", true),
            ("status", "integer", true),
            ("detail", "string", true),
            ("code", "string", true),
            ("errors", "array", false),
            ("request_id", "string", false),
        ];
        let properties = join(pointer, "properties");
        for (name, kind, required) in members {
            // Only this one may be left out.
            if name != "request_id" || self.source.at(&join(&properties, name)).is_some() {
                self.problem_member(pointer, name, kind, required);
            }
        }
        self.no_other_members(pointer, &members.map(|(name, _, _)| name));

        let code = self.resolve(&join(&properties, "code"), "schemas");
        let codes = join(&code, "enum");
        let known: Vec<&str> = self
            .members(&codes)
            .iter()
            .filter_map(|code| self.text(code))
            .collect();
        if known.is_empty() {
            self.refuse(
                &code,
                "has to be an enum, so that codes are told apart by type",
            );
        } else {
            for code in CODES.iter().filter(|code| !known.contains(code)) {
                self.refuse(
                    &codes,
                    format!("lacks {code}, which the generated server answers"),
                );
            }
        }

        let items = join(&join(&properties, "errors"), "items");
        let failure = self.resolve(&items, "schemas");
        if failure == items {
            self.refuse(&items, "refer to an object of pointer and detail");
        } else {
            self.problem_member(&failure, "pointer", "string", true);
            self.problem_member(&failure, "detail", "string", true);
            self.no_other_members(&failure, &["pointer", "detail"]);
        }
    }

    fn problem_member(&mut self, object: &str, name: &str, kind: &str, required: bool) {
        let property = join(&join(object, "properties"), name);
        let target = self.resolve(&property, "schemas");
        // The generated code writes the texts; only the code is told apart by type.
        let is_enum = name != "code" && self.source.at(&join(&target, "enum")).is_some();
        if self.text(&join(&target, "type")) != Some(kind)
            || self.is_required(object, name) != required
            || is_enum
        {
            let need = if required {
                "a required"
            } else {
                "an optional"
            };
            self.refuse(
                &property,
                format!("a problem needs {need} {name} of type {kind}"),
            );
        }
    }

    fn no_other_members(&mut self, object: &str, known: &[&str]) {
        for property in self.members(&join(object, "properties")) {
            if !known.contains(&last(&property).as_str()) {
                self.refuse(
                    &property,
                    "is no member of the problems that the generated server answers",
                );
            }
        }
    }
}
