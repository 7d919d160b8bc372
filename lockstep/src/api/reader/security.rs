//! Security schemes and requirements.

use http::HeaderName;
use serde_json::Value;

use super::{Reader, parameters::NO_TOKEN};
use crate::{
    api::{Access, Alternative, Credential, Kind, Scheme},
    names::{Scope, ident},
    pointers::{join, last},
};

impl Reader<'_> {
    pub(super) fn security_schemes(&mut self) {
        for pointer in self.members("/components/securitySchemes") {
            let Some(kind) = self.scheme_kind(&pointer) else {
                continue;
            };
            let wire = last(&pointer);
            self.schemes.push(Scheme {
                name: self.scope.upper(&wire),
                description: self.text(&join(&pointer, "description")),
                wire,
                kind,
            });
        }
    }

    fn scheme_kind(&mut self, pointer: &str) -> Option<Kind> {
        let text = |name: &str| self.text(&join(pointer, name));
        match (text("type").as_str(), text("scheme").as_str()) {
            ("apiKey", _) => {
                let name = text("name");
                let place = match text("in").as_str() {
                    "header" => "header",
                    "query" => "query",
                    "cookie" => "cookie",
                    _ => "",
                };
                // RFC 6265 has a token for the name of a cookie, as the name of a header is one.
                let is_token = HeaderName::try_from(name.as_str()).is_ok();
                if place != "query" && !is_token {
                    self.refuse(&join(pointer, "name"), NO_TOKEN);
                }
                (!place.is_empty()).then_some(Kind::Key { place, name })
            }
            ("http", "basic") => Some(Kind::Basic),
            ("http", "bearer") => {
                let format = text("bearerFormat");
                Some(Kind::Bearer {
                    format: (!format.is_empty()).then_some(format),
                })
            }
            ("oauth2", _) => Some(Kind::OAuth2),
            ("openIdConnect", _) => Some(Kind::OpenIdConnect(text("openIdConnectUrl"))),
            _ => None,
        }
    }

    pub(super) fn access(&mut self, operation: &str) -> (Access, Vec<(usize, Vec<String>)>) {
        let own = join(operation, "security");
        let pointer = match self.source.at(&own) {
            Some(_) => own,
            None => "/security".to_owned(),
        };
        let mut optional = false;
        let mut scopes = Vec::new();
        let mut alternatives = Vec::<Alternative>::new();
        for requirement in self.members(&pointer) {
            let mut schemes = Vec::new();
            for named in self.members(&requirement) {
                let wire = last(&named);
                let named_scopes = self.source.at(&named).and_then(Value::as_array);
                let named_scopes = named_scopes.into_iter().flatten().filter_map(Value::as_str);
                match self.schemes.iter().position(|scheme| scheme.wire == wire) {
                    Some(scheme) => {
                        scopes.push((scheme, named_scopes.map(str::to_owned).collect()));
                        schemes.push(scheme);
                    }
                    None if self
                        .source
                        .at(&join("/components/securitySchemes", &wire))
                        .is_some() =>
                    {
                        let reason = "names a scheme that is not supported: use apiKey in header, query or cookie, http basic or bearer, oauth2 or openIdConnect";
                        self.refuse(&named, reason);
                    }
                    None => self.refuse(&named, "is not a scheme under components/securitySchemes"),
                }
            }
            match schemes.is_empty() {
                true => optional = true,
                false => {
                    let names = schemes
                        .iter()
                        .map(|scheme| self.schemes[*scheme].wire.as_str());
                    let name = names.collect::<Vec<_>>().join(" and ");
                    alternatives.push(Alternative {
                        name: Scope::default().upper(&name),
                        schemes,
                    });
                }
            }
        }
        if alternatives.is_empty() {
            return (Access::Public, scopes);
        }
        let set = self.credential(alternatives);
        match optional {
            true => (Access::Optional(set), scopes),
            false => (Access::Required(set), scopes),
        }
    }

    /// The place of a set of credentials, with a name of its own unless it is a single scheme.
    fn credential(&mut self, alternatives: Vec<Alternative>) -> usize {
        if let Some(known) = self
            .credentials
            .iter()
            .position(|it| it.alternatives == alternatives)
        {
            return known;
        }
        let mut credential = Credential {
            name: ident("Credential"),
            alternatives,
        };
        credential.name = match credential.only() {
            Some(scheme) => self.schemes[scheme].name.clone(),
            None => {
                let is_global = self.credentials.iter().all(|it| it.only().is_some());
                let names: Vec<String> = credential
                    .alternatives
                    .iter()
                    .map(|it| it.name.to_string())
                    .collect();
                match is_global {
                    true => self.scope.upper("credential"),
                    false => self.scope.upper(&names.join(" or ")),
                }
            }
        };
        self.credentials.push(credential);
        self.credentials.len() - 1
    }
}
