//! The client calls the service, over HTTP.

#![allow(missing_docs, reason = "tests say what they are by their names")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use poem::{Server, listener::TcpAcceptor};
use reqwest::StatusCode;
use todo::{
    Inner, Todos,
    client::{
        Client, Error,
        types::{NewTodo, State, Todo, TodoPatch},
    },
    endpoint,
};
use uuid::Uuid;

const TOKEN: &str = "token";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// Ids that count up.
fn new_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into())
}

/// The URL of a service of its own.
fn served() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let service = endpoint(Todos::new(TOKEN, now, new_id)).unwrap();
    let acceptor = TcpAcceptor::from_std(listener).unwrap();
    tokio::spawn(Server::new_with_acceptor(acceptor).run(service));
    url
}

fn client() -> Client {
    Client::new(&served(), Inner(TOKEN.to_owned()))
}

async fn create(client: &Client, title: &str) -> Todo {
    let new = NewTodo {
        title: title.to_owned(),
        due: None,
    };
    client
        .create_todo()
        .body(new)
        .send()
        .await
        .unwrap()
        .into_inner()
}

#[tokio::test]
async fn a_todo_is_made_shown_changed_and_deleted() {
    let client = client();
    let new = NewTodo {
        title: "write".to_owned(),
        due: Some(now()),
    };
    let made = client.create_todo().body(new).send().await.unwrap();
    assert_eq!(made.status(), StatusCode::CREATED);
    let location = made.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(location, format!("/todos/{}", made.id));
    assert_eq!(
        (made.state, made.due, made.created),
        (State::Open, Some(Some(now())), now())
    );

    let shown = client.get_todo().id(made.id).send().await.unwrap();
    assert_eq!(*shown, *made);

    let change = |patch: TodoPatch| client.change_todo().id(made.id).body(patch).send();
    let nothing = TodoPatch {
        title: None,
        state: None,
        due: None,
    };
    let done = TodoPatch {
        state: Some(State::Done),
        ..nothing.clone()
    };
    let changed = change(done).await.unwrap();
    assert_eq!(
        (changed.state, changed.due),
        (State::Done, Some(Some(now())))
    );
    // Null clears what nothing leaves as it is.
    let cleared = TodoPatch {
        due: Some(None),
        ..nothing
    };
    let changed = change(cleared).await.unwrap();
    assert_eq!((changed.state, changed.due), (State::Done, Some(None)));

    let deleted = client.delete_todo().id(made.id).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    let Error::ErrorResponse(gone) = client.get_todo().id(made.id).send().await.unwrap_err() else {
        panic!("404 is documented");
    };
    assert_eq!(
        (gone.status(), gone.reason.as_str()),
        (StatusCode::NOT_FOUND, "There is no such to-do.")
    );
}

#[tokio::test]
async fn pages_follow_each_other() {
    let client = client();
    for title in ["one", "two", "three"] {
        create(&client, title).await;
    }
    let first = client.list_todos().limit(2).send().await.unwrap();
    let titles = |todos: &[Todo]| todos.iter().map(|it| it.title.clone()).collect::<Vec<_>>();
    assert_eq!(titles(&first.todos), ["one", "two"]);
    let next = first.next.unwrap();
    let second = client
        .list_todos()
        .limit(2)
        .after(next)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (titles(&second.todos), second.next),
        (vec!["three".to_owned()], None)
    );
    let done = client.list_todos().state(State::Done).send().await.unwrap();
    assert_eq!(done.todos, []);
}

/// Failures of the check are answered as the document's own errors.
#[tokio::test]
async fn what_is_wrong_is_told_with_its_place() {
    let client = client();
    let new = NewTodo {
        title: String::new(),
        due: None,
    };
    let Error::ErrorResponse(wrong) = client.create_todo().body(new).send().await.unwrap_err()
    else {
        panic!("400 is documented");
    };
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    let places = wrong.places.clone().unwrap_or_default();
    assert!(places[0].starts_with("/body/title "), "{places:?}");
    let Error::ErrorResponse(wrong) = client.list_todos().limit(0).send().await.unwrap_err() else {
        panic!("400 is documented");
    };
    assert!(wrong.places.clone().unwrap_or_default()[0].starts_with("/query/limit "));
}

#[tokio::test]
async fn nobody_gets_in_without_the_token() {
    let url = served();
    let other = Client::new(&url, Inner("other".to_owned()));
    let Error::ErrorResponse(refused) = other.list_todos().send().await.unwrap_err() else {
        panic!("401 is documented");
    };
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let without = reqwest::get(format!("{url}/todos")).await.unwrap();
    assert_eq!(without.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(without.headers()["www-authenticate"], "Bearer");
    let error: serde_json::Value = without.json().await.unwrap();
    assert_eq!(
        error["reason"],
        "Not logged in: the request carries no key."
    );
    let nowhere = reqwest::get(format!("{url}/nowhere")).await.unwrap();
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
}
