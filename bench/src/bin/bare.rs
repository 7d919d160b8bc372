//! The framework alone: poem, with the replies of the service as constants.
//!
//! `bare ADDRESS USER APPS` listens on an address and answers with these two texts.

use std::{env, io};

use poem::{
    EndpointExt, IntoResponse, Response, Route, Server, get, handler, listener::TcpListener,
    web::Data,
};

struct Replies {
    user: &'static str,
    apps: &'static str,
}

#[handler]
fn livez() -> &'static str {
    "alive\n"
}

#[handler]
fn user(Data(replies): Data<&&'static Replies>) -> Response {
    json(replies.user)
}

#[handler]
fn apps(Data(replies): Data<&&'static Replies>) -> Response {
    json(replies.apps)
}

fn json(reply: &'static str) -> Response {
    reply
        .with_content_type("application/json; charset=utf-8")
        .into_response()
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let mut next = || {
        arguments
            .next()
            .expect("the arguments are ADDRESS USER APPS")
    };
    let (address, user_reply, apps_reply) = (next(), next(), next());
    // They live as long as the program.
    let replies: &'static Replies = Box::leak(Box::new(Replies {
        user: user_reply.leak(),
        apps: apps_reply.leak(),
    }));
    let routes = Route::new()
        .at("/livez", get(livez))
        .at("/api/1/user", get(user))
        .at("/api/1/app", get(apps))
        .data(replies);
    Server::new(TcpListener::bind(address)).run(routes).await
}
