//! Names of the client's operations and of their arguments.

use heck::ToSnakeCase;
use proc_macro2::Ident;

use crate::{
    api::{Api, Operation},
    names::{Scope, is_keyword, unraw},
};

/// Names that no operation gets: those beside the client's builders, which are named after the
/// operations, and those of the client's other methods.
const BESIDE: [&str; 24] = [
    "ByteStream",
    "ClientHooks",
    "ClientInfo",
    "Error",
    "OperationInfo",
    "Option",
    "RequestBuilderExt",
    "ResponseValue",
    "Result",
    "Some",
    "None",
    "Ok",
    "Err",
    "String",
    "Vec",
    "ApiVersion",
    "Baseurl",
    "Client",
    "Exec",
    "Inner",
    "New",
    "NewWithClient",
    "Post",
    "Pre",
];
/// Names that no parameter gets: those that a builder and its `send` use themselves.
const ARGUMENTS: [&str; 14] = [
    "body",
    "body_map",
    "client",
    "header_map",
    "info",
    "new",
    "pairs",
    "request",
    "response",
    "result",
    "self",
    "send",
    "url",
    "value",
];

/// The identifiers of one operation.
pub(super) struct Names {
    /// Its operationId in the document for progenitor.
    pub(super) id: String,
    /// Its builder.
    pub(super) builder: Ident,
    /// The names of its parameters in the document for progenitor.
    pub(super) parameters: Vec<String>,
    /// The enums of its replies.
    pub(super) success: Ident,
    pub(super) failure: Ident,
}

/// The identifiers of all operations.
pub(super) fn of(api: &Api) -> Vec<Names> {
    let mut builders = Scope::new(BESIDE);
    let taken: Vec<String> = api.types.iter().map(|it| it.name.to_string()).collect();
    let mut types = Scope::new(taken.iter().map(String::as_str));
    let name = |operation: &Operation| {
        let builder = builders.upper(&operation.id);
        let mut scope = Scope::new(ARGUMENTS);
        let parameters = operation.parameters.iter();
        let parameters = parameters.map(|it| unraw(&scope.lower(&it.wire)));
        Names {
            id: builder.to_string().to_snake_case(),
            parameters: parameters.collect(),
            success: types.upper(&format!("{} reply", operation.id)),
            failure: types.upper(&format!("{} failure", operation.id)),
            builder,
        }
    };
    api.operations.iter().map(name).collect()
}

/// The identifier that progenitor makes of a name: a keyword gets an underscore behind it, and what
/// begins with a digit one before it.
pub(super) fn identifier(name: &str) -> Ident {
    let begins = name.chars().next().is_some_and(unicode_ident::is_xid_start);
    let name = match (begins, is_keyword(name)) {
        (false, _) => format!("_{}", name.trim_start_matches('_')),
        (true, true) => format!("{name}_"),
        (true, false) => name.to_owned(),
    };
    Ident::new(&name, proc_macro2::Span::call_site())
}
