//! Credentials, and the trait that turns them into principals.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::Writer;
use crate::{
    api::{Access, Alternative, Credential, Kind, Operation, Scheme},
    names::ident,
    types::comment,
};

impl Writer<'_> {
    pub(super) fn security(&self) -> Vec<TokenStream> {
        let used = |scheme: usize| {
            let mut alternatives = self.api.credentials.iter().flat_map(|it| &it.alternatives);
            alternatives.any(|alternative| alternative.schemes.contains(&scheme))
        };
        let schemes = self
            .api
            .schemes
            .iter()
            .enumerate()
            .filter(|(id, _)| used(*id));
        let mut items: Vec<TokenStream> = schemes.map(|(_, scheme)| self.scheme(scheme)).collect();
        let sets = self
            .api
            .credentials
            .iter()
            .filter(|set| set.only().is_none());
        items.extend(sets.map(|set| self.set(set)));
        let mut operations = self.api.operations.iter();
        if operations.any(|operation| matches!(operation.access, Access::Required(_))) {
            items.push(quote! {
                /// Turns a credential into who calls, before a method is called that needs to know.
                pub trait Authenticate<C>: Send + Sync + 'static {
                    /// The caller.
                    type Principal: Send;

                    /// Answers who presents the credential, or why it is worth nothing.
                    fn authenticate(
                        &self,
                        request: &Request,
                        credential: C,
                    ) -> impl Future<Output = Result<Self::Principal, Failure>> + Send;
                }
            });
        }
        items
    }

    fn scheme(&self, scheme: &Scheme) -> TokenStream {
        let (name, wire) = (&scheme.name, &scheme.wire);
        let docs = comment(&scheme.description, "");
        let scopes = self.scopes_argument();
        let (fields, value) = match scheme.kind {
            Kind::Key { .. } | Kind::Bearer { .. } => (
                quote!((pub Secret);),
                quote!(presented.key(#wire).map(Self)),
            ),
            Kind::Basic => (
                quote!({
                    pub user: String,
                    pub password: Secret,
                }),
                quote! {
                    let (user, password) = presented.basic(#wire)?;
                    Some(Self { user, password })
                },
            ),
            Kind::OAuth2 | Kind::OpenIdConnect(_) => (
                quote!({
                    pub token: Secret,
                    /// The scopes that the operation needs.
                    pub scopes: &'static [&'static str],
                }),
                quote! {
                    let token = presented.key(#wire)?;
                    let mut of_scheme = scopes.iter().filter(|(scheme, _)| *scheme == #wire);
                    let scopes = of_scheme.next().map_or(&[][..], |(_, scopes)| scopes);
                    Some(Self { token, scopes })
                },
            ),
        };
        let ignored =
            (scopes.is_some() && !has_scopes(&scheme.kind)).then(|| quote!(let _ = scopes;));
        quote! {
            #docs
            #[derive(Clone, Debug)]
            pub struct #name #fields

            impl #name {
                fn of(presented: &Presented #scopes) -> Option<Self> {
                    #ignored
                    #value
                }
            }
        }
    }

    fn set(&self, set: &Credential) -> TokenStream {
        let name = &set.name;
        let (scopes, given) = (self.scopes_argument(), self.scopes_given());
        let variants = set
            .alternatives
            .iter()
            .map(|Alternative { name, schemes }| {
                let kinds = schemes.iter().map(|scheme| &self.api.schemes[*scheme].name);
                quote!(#name(#(#kinds),*),)
            });
        let tries = set
            .alternatives
            .iter()
            .map(|Alternative { name, schemes }| {
                let kinds: Vec<&Ident> = schemes
                    .iter()
                    .map(|scheme| &self.api.schemes[*scheme].name)
                    .collect();
                match kinds.as_slice() {
                    [kind] => quote! {
                        if let Some(credential) = #kind::of(presented #given) {
                            return Some(Self::#name(credential));
                        }
                    },
                    kinds => {
                        let bindings: Vec<Ident> = (1..=kinds.len())
                            .map(|number| ident(&format!("credential_{number}")))
                            .collect();
                        quote! {
                            if let (#(Some(#bindings)),*) = (#(#kinds::of(presented #given)),*) {
                                return Some(Self::#name(#(#bindings),*));
                            }
                        }
                    }
                }
            });
        quote! {
            /// A credential of one of these kinds. Where a request carries several, the first of them.
            #[derive(Clone, Debug)]
            pub enum #name {
                #(#variants)*
            }

            impl #name {
                fn of(presented: &Presented #scopes) -> Option<Self> {
                    #(#tries)*
                    None
                }
            }
        }
    }

    /// The parameter of `of` for scopes, in a document whose tokens have some.
    fn scopes_argument(&self) -> Option<TokenStream> {
        self.has_scopes()
            .then(|| quote!(, scopes: &'static [(&'static str, &'static [&'static str])]))
    }

    fn scopes_given(&self) -> Option<TokenStream> {
        self.has_scopes().then(|| quote!(, scopes))
    }

    fn has_scopes(&self) -> bool {
        self.api
            .schemes
            .iter()
            .any(|scheme| has_scopes(&scheme.kind))
    }

    /// The scopes of an operation, as its credential is given them.
    pub(super) fn scopes(&self, operation: &Operation) -> Option<TokenStream> {
        let scopes = operation.scopes.iter().map(|(scheme, scopes)| {
            let wire = &self.api.schemes[*scheme].wire;
            quote!((#wire, &[#(#scopes),*]))
        });
        self.has_scopes().then(|| quote!(, &[#(#scopes),*]))
    }
}

fn has_scopes(kind: &Kind) -> bool {
    matches!(kind, Kind::OAuth2 | Kind::OpenIdConnect(_))
}
