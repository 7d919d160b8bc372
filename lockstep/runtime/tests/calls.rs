//! The client of `notes.yaml` calls its server: what one sends, the other takes, and back.

use openapi_lockstep_runtime::Secret;
use poem::{Endpoint, Response, Server, listener::TcpAcceptor};
use progenitor_client::{ClientHooks, OperationInfo};
use reqwest::{Request, StatusCode};

use self::clients::{
    notes::{Client, Error, types::*},
    ping,
};
use crate::requests::{served, served_ping};

#[allow(
    clippy::all,
    clippy::unwrap_used,
    dead_code,
    unused_imports,
    reason = "it is as progenitor writes it"
)]
mod clients {
    pub mod notes {
        include!("../../tests/golden/notes_client.rs");
    }
    pub mod ping {
        include!("../../tests/golden/ping_client.rs");
    }
}

/// State of the generated client: a key.
#[derive(Clone, Debug)]
pub struct Inner(pub &'static str);

impl ClientHooks<Inner> for Client {
    async fn pre<E>(
        &self,
        request: &mut Request,
        _operation: &OperationInfo,
    ) -> Result<(), Error<E>> {
        let bearer = format!("Bearer {}", self.inner.0).try_into()?;
        request.headers_mut().insert("authorization", bearer);
        Ok(())
    }
}

impl ClientHooks<Inner> for ping::Client {}

/// The URL at which a server of one test answers.
pub fn url_of(served: impl Endpoint<Output = Response> + 'static) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let acceptor = TcpAcceptor::from_std(listener).unwrap();
    tokio::spawn(Server::new_with_acceptor(acceptor).run(served));
    url
}

/// A client of a server of its own.
async fn client(key: &'static str) -> Client {
    Client::new(&url_of(served()), Inner(key))
}

#[tokio::test]
async fn a_reply_without_a_body_is_none() {
    let client = ping::Client::new(&url_of(served_ping()), Inner(""));
    let forgotten = client.forget().send().await.unwrap();
    assert_eq!(forgotten.status(), StatusCode::NO_CONTENT);
    assert_eq!(forgotten.headers()["pings"], "3");
    let remembered = client.remember().send().await.unwrap();
    assert_eq!(remembered.status(), StatusCode::ACCEPTED);
    assert_eq!(client.ping().send().await.unwrap().at, None);
}

fn note() -> Note {
    #[expect(
        deprecated,
        reason = "a member that is deprecated is there all the same"
    )]
    Note {
        r#type: NoteKind::ToDo,
        text: "write".to_owned(),
        due: None,
        weight: 0.5,
        size: None,
        is_done: Some(true),
        links: None,
    }
}

#[tokio::test]
async fn a_body_arrives_as_it_was_sent() {
    let client = client("key").await;
    let put = |note: Note| {
        client
            .put_note()
            .folder("a/b ?ä")
            .note_id(7)
            .body(note)
            .send()
    };
    // Null is sent where the document requires the member, and nothing where it does not.
    let kept = put(note()).await.unwrap();
    assert_eq!(kept.status(), StatusCode::CREATED);
    assert_eq!(
        kept.headers()["location"],
        "/folders/a/b ?ä/notes/7".to_owned().into_bytes()[..]
    );
    assert_eq!(
        serde_json::to_value(&*kept).unwrap()["due"],
        serde_json::Value::Null
    );
    assert_eq!((kept.r#type, kept.text.as_str()), (NoteKind::ToDo, "write"));

    let full = Note {
        due: Some("tomorrow".to_owned()),
        size: Some(-3),
        links: Some(vec![1, i64::MAX]),
        ..note()
    };
    let kept = put(full.clone()).await.unwrap();
    let json = |note: &Note| serde_json::to_value(note).unwrap();
    assert_eq!(json(&kept), json(&full));
}

#[tokio::test]
async fn a_query_arrives_and_a_reply_comes_back() {
    let client = client("key").await;
    let list = client.list_notes().send().await.unwrap();
    assert_eq!(
        (list.notes[0].text.as_str(), list.notes[0].size),
        ("key", None)
    );
    #[expect(
        deprecated,
        reason = "an argument that is deprecated works all the same"
    )]
    let list = client.list_notes().max_count(3).send().await.unwrap();
    assert_eq!(list.notes[0].size, Some(3));
}

#[tokio::test]
async fn an_optional_body_is_sent_without_the_credential() {
    let client = client("key").await;
    #[expect(
        deprecated,
        reason = "an operation that is deprecated works all the same"
    )]
    let told = client.set_status().send().await.unwrap();
    assert_eq!(
        (told.mood, told.token.as_ref()),
        (None, Some(&Secret::from("key")))
    );
    #[expect(
        deprecated,
        reason = "an operation that is deprecated works all the same"
    )]
    let call = client.set_status();
    let status = Status {
        mood: Some(Mood::SoSo),
        more_text: None,
    };
    let told = call.body(status).send().await;
    assert_eq!(told.unwrap().mood, Some(Mood::SoSo));
}

#[tokio::test]
async fn a_problem_is_an_error_with_a_code() {
    let client = client("key").await;
    let put = |note_id: i64| {
        client
            .put_note()
            .folder("a")
            .note_id(note_id)
            .body(note())
            .send()
    };
    for (note_id, status, code) in [(429, 429, Code::TooMany), (500, 500, Code::InternalError)] {
        let Error::ErrorResponse(problem) = put(note_id).await.unwrap_err() else {
            panic!("{status} is documented");
        };
        assert_eq!((problem.status().as_u16(), problem.code), (status, code));
    }
    let wrong = Note {
        text: "UPPER".to_owned(),
        ..note()
    };
    let call = client
        .put_note()
        .folder("folder too long")
        .note_id(1)
        .body(wrong)
        .send();
    let Error::ErrorResponse(problem) = call.await.unwrap_err() else {
        panic!("400 is documented");
    };
    let mut pointers: Vec<_> = problem
        .errors
        .iter()
        .flatten()
        .map(|error| error.pointer.as_str())
        .collect();
    pointers.sort();
    assert_eq!(pointers, ["/body/text", "/path/folder"]);
}
