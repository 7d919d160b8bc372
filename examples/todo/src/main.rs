//! Serves to-dos at 127.0.0.1:3000, to everybody who has the token in `TODO_TOKEN`.

use std::{
    env,
    error::Error,
    time::{SystemTime, UNIX_EPOCH},
};

use chrono::{DateTime, Utc};
use poem::{Server, listener::TcpListener};
use todo::{Todos, endpoint};
use uuid::{Builder, Uuid};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let token = env::var("TODO_TOKEN").map_err(|_| "set TODO_TOKEN to the token of its users")?;
    let endpoint = endpoint(Todos::new(&token, now, new_id))?;
    let listener = TcpListener::bind("127.0.0.1:3000");
    Server::new(listener).run(endpoint).await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this is what passes the time in")]
fn now() -> DateTime<Utc> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    DateTime::from_timestamp(seconds, since.subsec_nanos()).unwrap_or_default()
}

fn new_id() -> Uuid {
    Builder::from_random_bytes(fastrand::u128(..).to_ne_bytes()).into_uuid()
}
