//! What poem-openapi emits for the generated server, held against openapi.yaml.

use cortex_report_api::server::*;
use openapi_lockstep::differences;
use poem::Request;

/// Serves nobody: only what poem-openapi says of it counts.
struct Nobody;

impl Security for Nobody {
    type Principal = ();

    async fn authenticate(&self, _: &Request, _: Credential) -> Result<(), Failure> {
        unreachable!()
    }
}

impl AuthApi for Nobody {
    async fn login(&self, _: &Request, _: LoginRequest) -> Result<LoginResponse, Failure> {
        unreachable!()
    }

    async fn logout(&self, _: &Request, _: Option<Credential>) -> Result<LogoutResponse, Failure> {
        unreachable!()
    }

    async fn get_user(&self, _: &Request, _: ()) -> Result<GetUserResponse, Failure> {
        unreachable!()
    }
}

impl AppApi for Nobody {
    async fn list_apps(
        &self,
        _: &Request,
        _: (),
        _: Id,
        _: Option<AppName>,
        _: Option<i32>,
        _: Option<Id>,
    ) -> Result<ListAppsResponse, Failure> {
        unreachable!()
    }

    async fn create_app(
        &self,
        _: &Request,
        _: (),
        _: CreateAppRequest,
    ) -> Result<CreateAppResponse, Failure> {
        unreachable!()
    }

    async fn delete_app(&self, _: &Request, _: (), _: Id) -> Result<DeleteAppResponse, Failure> {
        unreachable!()
    }
}

#[test]
fn the_server_says_what_the_document_says() {
    let text = cortex_report_api::DOCUMENT_YAML;
    let document = openapi_lockstep::read("openapi.yaml", text).unwrap();
    let differences = differences(&document, &service(Nobody).spec(), &[]).unwrap();
    let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
