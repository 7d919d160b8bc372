//! Responses.

use heck::ToUpperCamelCase;
use http::{HeaderName, StatusCode};
use proc_macro2::Ident;

use super::Reader;
use crate::{
    api::{Answer, Group, Header, Outcome, Outcomes},
    names::Scope,
    pointers::{join, last},
    types::Type,
};

impl Reader<'_> {
    pub(super) fn outcomes(&mut self, operation: &str, id: &str) -> Outcomes {
        let (mut successes, mut failures) = (Vec::new(), Vec::new());
        let mut scopes = [
            Scope::new(["Failure", "Rejection"]),
            Scope::new(["Failure", "Rejection"]),
        ];
        let responses = self.members(&join(operation, "responses"));
        let answers: Vec<(String, Answer)> = responses
            .into_iter()
            .filter(|response| !last(response).starts_with("x-"))
            .filter_map(|response| match answer(&last(&response)) {
                Some(answer) => Some((response, answer)),
                None => {
                    self.refuse(
                        &response,
                        "is not a status: write one such as 200, 2XX or default",
                    );
                    None
                }
            })
            .collect();
        let is_success = |answer| match answer {
            Answer::Status(status) => status < 400,
            Answer::Range(hundred) => hundred < 4,
            Answer::Default => false,
        };
        let succeeds = answers.iter().any(|(_, answer)| is_success(*answer));
        for (response, answer) in answers {
            if is_success(answer) {
                successes.extend(self.response(&response, answer, id, &mut scopes[1]));
                continue;
            }
            // Without any documented success, `default` describes successes too.
            if answer == Answer::Default && !succeeds {
                successes.extend(self.response(&response, answer, id, &mut scopes[1]));
            }
            failures.extend(self.response(&response, answer, id, &mut scopes[0]));
        }
        if successes.is_empty() {
            // Only failures are documented: a success has no content.
            successes.push(Outcome {
                pointer: join(operation, "responses"),
                name: scopes[1].upper("no content"),
                answer: Answer::Status(204),
                description: String::new(),
                headers: Vec::new(),
                content: None,
            });
        }
        Outcomes {
            successes: Group {
                name: self.scope.upper(&format!("{id} reply")),
                outcomes: successes,
            },
            failures: Group {
                name: self.scope.upper(&format!("{id} failure")),
                outcomes: failures,
            },
        }
    }

    /// A response: an outcome for each of its media types.
    fn response(
        &mut self,
        pointer: &str,
        answer: Answer,
        id: &str,
        scope: &mut Scope,
    ) -> Vec<Outcome> {
        let Some(place) = self.follow(pointer, "responses") else {
            return Vec::new();
        };
        let status = status_name(answer);
        let name = match place == *pointer {
            true => format!("{id} {status}"),
            false => last(&place),
        };
        let description = self.text(&join(&place, "description"));
        let headers = self.headers(&place, &name);
        let contents = self.contents(&place, &name);
        let without_body = matches!(answer, Answer::Status(100..=199 | 204 | 205 | 304));
        if without_body && !contents.is_empty() {
            self.refuse(
                pointer,
                format!("a response with status {} cannot have a body", answer.key()),
            );
        }
        let outcome = |name: Ident, content| Outcome {
            pointer: pointer.to_owned(),
            name,
            answer,
            description: description.clone(),
            headers: headers.clone(),
            content,
        };
        match contents.as_slice() {
            [] => vec![outcome(scope.upper(&status), None)],
            [only] => {
                let content = (only.media_type.clone(), only.payload.clone());
                vec![outcome(scope.upper(&status), Some(content))]
            }
            several => several
                .iter()
                .map(|it| {
                    let name = scope.upper(&format!("{status} {}", it.name));
                    outcome(name, Some((it.media_type.clone(), it.payload.clone())))
                })
                .collect(),
        }
    }

    fn headers(&mut self, response: &str, name: &str) -> Vec<Header> {
        let mut scope = Scope::new(["body", "status", "code", "detail", "errors"]);
        let mut headers = Vec::new();
        for pointer in self.members(&join(response, "headers")) {
            let wire = last(&pointer);
            if HeaderName::try_from(wire.as_str()).is_err() {
                self.refuse(&pointer, "is not a header name");
                continue;
            }
            // OpenAPI 3.1, 4.8.17: the media types of the content define it, and it is ignored as a
            // header.
            if wire.eq_ignore_ascii_case("content-type") {
                continue;
            }
            let schema = join(&pointer, "schema");
            let kind = match self.source.at(&schema) {
                Some(_) => self.types.at(&schema, &format!("{name} {wire}")),
                None => Type::Text,
            };
            headers.push(Header {
                name: scope.lower(&wire),
                description: self.text(&join(&pointer, "description")),
                required: self.is_true(&join(&pointer, "required")),
                wire,
                kind,
            });
        }
        headers
    }
}

fn answer(key: &str) -> Option<Answer> {
    if key == "default" {
        return Some(Answer::Default);
    }
    if let Some(hundred) = key.strip_suffix("XX").or_else(|| key.strip_suffix("xx")) {
        let hundred = hundred.parse().ok();
        return hundred.filter(|it| (1..=5).contains(it)).map(Answer::Range);
    }
    let is_plain = key.len() == 3 && key.bytes().all(|byte| byte.is_ascii_digit());
    let status = key
        .parse()
        .ok()
        .filter(|it| is_plain && (100..=599).contains(it));
    status.map(Answer::Status)
}

fn status_name(answer: Answer) -> String {
    match answer {
        Answer::Status(status) => {
            let known = StatusCode::from_u16(status).ok();
            let reason = known.and_then(|status| status.canonical_reason());
            match reason {
                // The apostrophe of "I'm a teapot" does not separate words.
                Some(reason) => reason.replace('\'', "").to_upper_camel_case(),
                None => format!("Status{status}"),
            }
        }
        Answer::Range(1) => "Informational".to_owned(),
        Answer::Range(2) => "Success".to_owned(),
        Answer::Range(3) => "Redirection".to_owned(),
        Answer::Range(4) => "ClientError".to_owned(),
        Answer::Range(_) => "ServerError".to_owned(),
        Answer::Default => "Default".to_owned(),
    }
}
