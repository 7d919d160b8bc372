//! Security schemes, the credential that a request carries, and the trait that makes a principal
//! of it.

use utoipa::openapi::{
    path::Operation,
    security::{ApiKey, SecurityRequirement, SecurityScheme},
};

use super::*;

/// What an operation wants to know of its caller.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Nothing.
    Public,
    /// A credential if there is one.
    Optional,
    /// A credential that is worth a principal.
    Required,
}

impl Writer<'_> {
    pub(super) fn security(&self) -> Vec<TokenStream> {
        let Some(schemes) = self.credential_schemes() else {
            return Vec::new();
        };
        let mut items: Vec<TokenStream> = schemes
            .iter()
            .filter_map(|name| {
                let scheme = self.components().security_schemes.get(name)?;
                Some(security_scheme(name, scheme))
            })
            .collect();
        let variants = schemes.iter().map(|name| {
            let name = camel(name);
            quote!(#name(#name),)
        });
        items.push(quote! {
            /// What shows who calls. Where a request carries several, the first of these.
            #[derive(SecurityScheme)]
            pub enum Credential {
                #(#variants)*
            }
        });
        items.push(self.credential_of_key(&schemes));
        if self.has_access(Access::Optional) {
            items.push(quote! {
                /// A credential where the document leaves it to the caller to have one.
                #[derive(SecurityScheme)]
                pub enum OptionalCredential {
                    /// One was sent.
                    Some(Credential),
                    /// None was sent.
                    #[oai(fallback)]
                    None,
                }
            });
            items.push(quote! {
                impl openapi_lockstep_runtime::FromKey for OptionalCredential {
                    fn from_key(key: Option<openapi_lockstep_runtime::Key>) -> Option<Self> {
                        Some(match openapi_lockstep_runtime::FromKey::from_key(key) {
                            Some(credential) => Self::Some(credential),
                            None => Self::None,
                        })
                    }
                }
            });
            items.push(quote! {
                impl From<OptionalCredential> for Option<Credential> {
                    fn from(credential: OptionalCredential) -> Self {
                        match credential {
                            OptionalCredential::Some(credential) => Some(credential),
                            OptionalCredential::None => None,
                        }
                    }
                }
            });
        }
        items.push(quote! {
            /// Turns a credential into the principal, before a method is called that needs one.
            pub trait Security: Send + Sync + 'static {
                /// Who calls, as the implementation knows them.
                type Principal: Send;

                /// The principal that the credential is worth, or the answer to the caller.
                fn authenticate(
                    &self,
                    request: &Request,
                    credential: Credential,
                ) -> impl Future<Output = Result<Self::Principal, Failure>> + Send;
            }
        });
        items
    }

    /// The conversion of a key into a credential, by the place that it came from.
    fn credential_of_key(&self, schemes: &[String]) -> TokenStream {
        let arms = schemes.iter().filter_map(|name| {
            let scheme = self.components().security_schemes.get(name)?;
            let name = camel(name);
            Some(match scheme {
                RefOr::T(SecurityScheme::ApiKey(_)) => quote! {
                    openapi_lockstep_runtime::Key::Cookie(key) => Some(Self::#name(#name(ApiKey { key }))),
                },
                _ => quote! {
                    openapi_lockstep_runtime::Key::Bearer(token) => Some(Self::#name(#name(Bearer { token }))),
                },
            })
        });
        let others = (schemes.len() < 2).then(|| quote!(_ => None,));
        quote! {
            impl openapi_lockstep_runtime::FromKey for Credential {
                fn from_key(key: Option<openapi_lockstep_runtime::Key>) -> Option<Self> {
                    match key? {
                        #(#arms)*
                        #others
                    }
                }
            }
        }
    }

    /// The names of the schemes that every secured operation takes, if one is.
    pub(super) fn credential_schemes(&self) -> Option<Vec<String>> {
        let global = self.model.security.iter().flatten();
        let own = self
            .operations()
            .filter_map(|(_, _, operation)| operation.security.as_ref())
            .flatten();
        let mut schemes: Vec<String> = Vec::new();
        for name in global.chain(own).filter_map(scheme_name) {
            if !schemes.contains(&name) {
                schemes.push(name);
            }
        }
        (!schemes.is_empty()).then_some(schemes)
    }

    pub(super) fn access(&self, operation: &Operation) -> Access {
        let requirements = match &operation.security {
            Some(own) => own,
            None => match &self.model.security {
                Some(global) => global,
                None => return Access::Public,
            },
        };
        let schemes = requirements.iter().filter_map(scheme_name).count();
        if schemes == 0 {
            Access::Public
        } else if schemes < requirements.len() {
            Access::Optional
        } else {
            Access::Required
        }
    }

    fn has_access(&self, access: Access) -> bool {
        self.operations()
            .any(|(_, _, operation)| self.access(operation) == access)
    }
}

/// The name of the one scheme of a requirement; none for `{}`.
fn scheme_name(requirement: &SecurityRequirement) -> Option<String> {
    // The model keeps its map to itself.
    let value = serde_json::to_value(requirement).ok()?;
    value.as_object()?.keys().next().cloned()
}

fn security_scheme(name: &str, scheme: &RefOr<SecurityScheme>) -> TokenStream {
    let ident = camel(name);
    match scheme {
        RefOr::T(SecurityScheme::ApiKey(ApiKey::Cookie(value))) => {
            let comment = docs(value.description.as_deref().unwrap_or_default());
            let key_name = &value.name;
            quote! {
                #comment
                #[derive(SecurityScheme)]
                #[oai(rename = #name, ty = "api_key", key_in = "cookie", key_name = #key_name)]
                pub struct #ident(pub ApiKey);
            }
        }
        RefOr::T(SecurityScheme::Http(value)) => {
            let comment = docs(value.description.as_deref().unwrap_or_default());
            let format = value
                .bearer_format
                .as_ref()
                .map(|format| quote!(, bearer_format = #format));
            quote! {
                #comment
                #[derive(SecurityScheme)]
                #[oai(rename = #name, ty = "bearer" #format)]
                pub struct #ident(pub Bearer);
            }
        }
        // The rules refuse every other.
        _ => quote!(),
    }
}
