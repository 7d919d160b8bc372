//! Typed mock of the service, for tests of programs that use this library.
//!
//! [`MockServerExt`] gives `httpmock`'s server a method for each operation of the document. The
//! compiler checks the expected requests and the replies.
//!
//! ```
//! use cortex_report_client::{
//!     Client, Error,
//!     mock::{MockServerExt, httpmock::MockServer},
//!     types::{App, AppList, Problem, ProblemCode},
//! };
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let service = MockServer::start_async().await;
//! let client = Client::builder(&service.base_url()).session_key("key").build()?;
//!
//! let list = service.list_apps(|when, then| {
//!     when.org_id(3);
//!     then.ok(&AppList {
//!         app_id: None,
//!         app_list: vec![App {
//!             app_id: 12,
//!             name: "Space Miner".to_owned(),
//!             api_key_list: vec!["Zk3vR8mPq1TnW6yB0sXcJ4hLd7gFaUeo".to_owned()],
//!             additional_properties: Default::default(),
//!         }],
//!         additional_properties: Default::default(),
//!     });
//! });
//! let apps = client.list_apps().org_id(3).send().await?;
//! assert_eq!(apps.app_list[0].name, "Space Miner");
//! list.assert();
//!
//! service.delete_app(|when, then| {
//!     when.app_id(12);
//!     then.forbidden(&Problem {
//!         r#type: "about:blank".to_owned(),
//!         title: "Forbidden".to_owned(),
//!         status: 403,
//!         detail: "Viewers only list.".to_owned(),
//!         code: ProblemCode::NotAllowed,
//!         errors: None,
//!         request_id: None,
//!         additional_properties: Default::default(),
//!     });
//! });
//! let refused = client.delete_app().app_id(12).send().await.unwrap_err();
//! assert_eq!(Error::from(refused).code(), Some(ProblemCode::NotAllowed));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![expect(
    missing_docs,
    clippy::unwrap_used,
    reason = "progenitor documents only the names of the operations; its regular expressions are \
              constants, or a mistake of the test"
)]

pub use httpmock;

include!(concat!(env!("OUT_DIR"), "/mock.rs"));
