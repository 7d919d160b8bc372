//! The operations of a generated server as poem-openapi documents them.

use std::collections::HashMap;

use poem::http::Method;
use poem_openapi::{
    ParameterStyle,
    registry::{
        MetaApi, MetaHeader, MetaMediaType, MetaOperation, MetaOperationParam, MetaParamIn,
        MetaPath, MetaRequest, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef,
        MetaSecurityScheme, MetaTag, Registry,
    },
};

use crate::Schema;

/// Description of an operation for poem-openapi, and the types that it uses.
pub struct Operation {
    path: &'static str,
    operation: MetaOperation,
    inner: Vec<fn(&mut Registry)>,
}

/// The style of a parameter, if it is not the default of its place.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// The name of the style.
    pub style: Option<&'static str>,
    /// True if each of several values is written separately; `None` for the default of the style.
    pub explode: Option<bool>,
}

impl Operation {
    /// An operation of the tag.
    pub fn new(method: Method, path: &'static str, id: &'static str, tag: &'static str) -> Self {
        Self {
            path,
            operation: MetaOperation {
                method,
                tags: vec![tag],
                summary: None,
                description: None,
                external_docs: None,
                params: Vec::new(),
                request: None,
                responses: MetaResponses {
                    responses: Vec::new(),
                },
                deprecated: false,
                security: Vec::new(),
                operation_id: Some(id),
                code_samples: Vec::new(),
            },
            inner: Vec::new(),
        }
    }

    /// Marks the operation as deprecated.
    pub fn deprecated(mut self) -> Self {
        self.operation.deprecated = true;
        self
    }

    /// Schemes that are presented together, with their scopes; none at all where a credential may
    /// be missing.
    pub fn security(mut self, schemes: &[(&'static str, &[&'static str])]) -> Self {
        let schemes = schemes
            .iter()
            .map(|(name, scopes)| (*name, scopes.to_vec()));
        self.operation.security.push(HashMap::from_iter(schemes));
        self
    }

    /// A parameter.
    pub fn parameter<T: Schema>(
        mut self,
        place: MetaParamIn,
        name: &str,
        required: bool,
        style: Style,
    ) -> Self {
        self.inner.push(T::register);
        let is_exploded = matches!(place, MetaParamIn::Query | MetaParamIn::Cookie);
        let style_name = match style.style {
            Some("spaceDelimited") => Some(ParameterStyle::SpaceDelimited),
            Some("pipeDelimited") => Some(ParameterStyle::PipeDelimited),
            Some("deepObject") => Some(ParameterStyle::DeepObject),
            Some("label") => Some(ParameterStyle::Label),
            Some("matrix") => Some(ParameterStyle::Matrix),
            _ => None,
        };
        self.operation.params.push(MetaOperationParam {
            name: name.to_owned(),
            schema: T::schema_ref(),
            in_type: place,
            description: None,
            required,
            deprecated: false,
            explode: style.explode.unwrap_or(is_exploded && style_name.is_none()),
            style: style_name,
        });
        self
    }

    /// A body of this media type.
    pub fn body<T: Schema>(mut self, media_type: &'static str, required: bool) -> Self {
        self.inner.push(T::register);
        self.add_body(media_type, required, T::schema_ref())
    }

    /// A body without a schema.
    pub fn plain_body(self, media_type: &'static str, required: bool) -> Self {
        self.add_body(media_type, required, anything())
    }

    fn add_body(
        mut self,
        content_type: &'static str,
        required: bool,
        schema: MetaSchemaRef,
    ) -> Self {
        let request = self.operation.request.get_or_insert(MetaRequest {
            description: None,
            content: Vec::new(),
            required,
        });
        request.content.push(MetaMediaType {
            content_type,
            schema,
        });
        self
    }

    /// A reply: its status, such as `200`, `4XX` or `default`. It replaces a reply with the same
    /// status.
    pub fn reply(mut self, status: &str) -> Self {
        let code = status.parse().ok();
        let range = status.ends_with("XX").then(|| status.to_owned());
        let replies = &mut self.operation.responses.responses;
        // If `default` is the only success, it is described as a success and as a failure.
        replies.retain(|known| (known.status, &known.status_range) != (code, &range));
        replies.push(MetaResponse {
            description: "",
            status: code,
            status_range: range,
            content: Vec::new(),
            headers: Vec::new(),
        });
        self
    }

    /// Content of the last reply.
    pub fn content<T: Schema>(mut self, media_type: &'static str) -> Self {
        self.inner.push(T::register);
        self.add_content(media_type, T::schema_ref())
    }

    /// Content of the last reply without a schema.
    pub fn plain_content(self, media_type: &'static str) -> Self {
        self.add_content(media_type, anything())
    }

    fn add_content(mut self, content_type: &'static str, schema: MetaSchemaRef) -> Self {
        if let Some(reply) = self.operation.responses.responses.last_mut() {
            reply.content.push(MetaMediaType {
                content_type,
                schema,
            });
        }
        self
    }

    /// A header of the last reply.
    pub fn header<T: Schema>(mut self, name: &str, required: bool) -> Self {
        self.inner.push(T::register);
        if let Some(reply) = self.operation.responses.responses.last_mut() {
            reply.headers.push(MetaHeader {
                name: name.to_owned(),
                description: None,
                required,
                deprecated: false,
                schema: T::schema_ref(),
            });
        }
        self
    }

    /// Puts the types that it uses among the document's schemas.
    pub fn register(self, registry: &mut Registry) {
        for register in self.inner {
            register(registry);
        }
    }
}

fn anything() -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(MetaSchema::ANY))
}

/// A security scheme.
#[derive(Clone, Copy, Debug)]
pub enum Scheme {
    /// A key in a header, a query or a cookie.
    Key {
        /// The place of the credential in a request.
        place: &'static str,
        /// Its name there.
        name: &'static str,
    },
    /// User and password.
    Basic,
    /// A token.
    Bearer {
        /// The format of the token, a hint for the reader.
        format: Option<&'static str>,
    },
    /// A token with scopes.
    OAuth2,
    /// A token with scopes of a provider.
    OpenIdConnect {
        /// The URL of its discovery document.
        url: &'static str,
    },
}

impl Scheme {
    /// Puts it among the document's schemes.
    pub fn register(self, registry: &mut Registry, name: &'static str) {
        let mut scheme = MetaSecurityScheme {
            ty: "http",
            description: None,
            name: None,
            key_in: None,
            scheme: None,
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        };
        match self {
            Self::Key { place, name } => {
                scheme.ty = "apiKey";
                scheme.name = Some(name);
                scheme.key_in = Some(place);
            }
            Self::Basic => scheme.scheme = Some("basic"),
            Self::Bearer { format } => {
                scheme.scheme = Some("bearer");
                scheme.bearer_format = format;
            }
            Self::OAuth2 => scheme.ty = "oauth2",
            Self::OpenIdConnect { url } => {
                scheme.ty = "openIdConnect";
                scheme.openid_connect_url = Some(url);
            }
        }
        registry.create_security_scheme(name, scheme);
    }
}

/// Puts a tag among the document's tags.
pub fn add_tag(registry: &mut Registry, name: &'static str) {
    registry.create_tag(MetaTag {
        name,
        description: None,
        external_docs: None,
    });
}

/// The operations, by path.
pub fn meta(operations: impl IntoIterator<Item = Operation>) -> Vec<MetaApi> {
    let mut paths = Vec::<MetaPath>::new();
    for Operation {
        path, operation, ..
    } in operations
    {
        match paths.iter_mut().find(|it| it.path == path) {
            Some(known) => known.operations.push(operation),
            None => paths.push(MetaPath {
                path: path.to_owned(),
                operations: vec![operation],
            }),
        }
    }
    vec![MetaApi { paths }]
}
