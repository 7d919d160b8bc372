//! Ids of users, organizations and what they have, each a type of its own.

use std::fmt;

use sea_orm::DeriveValueType;

macro_rules! id {
    ($(#[$about:meta])* $name:ident) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

id! {
    /// The user_id of a user.
    UserId
}
id! {
    /// The org_id of an organization.
    OrgId
}
id! {
    /// The app_id of an application.
    AppId
}
id! {
    /// The invitation_id of an invitation.
    InvitationId
}
id! {
    /// The api_key_id of an API key.
    ApiKeyId
}
id! {
    /// The token_id of a service token.
    TokenId
}
id! {
    /// The session_id of a session.
    SessionId
}
