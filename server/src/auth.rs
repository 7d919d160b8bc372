//! The tag `auth`: log in, log out, and who is logged in.

mod get_user;
mod login;
mod logout;
mod session;
mod sessions;

use cortex_report_api::server::{
    AuthApi, Credential, Failure, GetUserResponse, LoginRequest, LoginResponse, LogoutResponse,
    Security,
};
use poem::Request;

pub(crate) use login::known_key;
pub use session::Session;
pub(crate) use session::refuse_cross_site;
pub(crate) use sessions::{Sessions, USED_FOR, follow};

use crate::service::Service;

impl Security for Service {
    type Principal = Session;

    async fn authenticate(
        &self,
        request: &Request,
        credential: Credential,
    ) -> Result<Session, Failure> {
        session::authenticate(self, request, credential).await
    }
}

impl AuthApi for Service {
    async fn login(&self, request: &Request, body: LoginRequest) -> Result<LoginResponse, Failure> {
        login::login(self, request, body).await
    }

    async fn logout(
        &self,
        request: &Request,
        credential: Option<Credential>,
    ) -> Result<LogoutResponse, Failure> {
        logout::logout(self, request, credential).await
    }

    async fn get_user(
        &self,
        _request: &Request,
        session: Session,
    ) -> Result<GetUserResponse, Failure> {
        Ok(get_user::get_user(&session))
    }
}
