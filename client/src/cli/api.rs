//! Any call of the API.

use std::{fs, io::Read};

use clap::{Args, ValueHint};
use reqwest::{Method, header};

use super::{Cli, Failure, output::visible};
use crate::{CallError, Error};

#[derive(Args)]
pub(super) struct Api {
    /// The method, such as GET or POST
    #[arg(value_hint = ValueHint::Other)]
    method: Method,
    /// The path, such as /api/1/user
    #[arg(value_hint = ValueHint::Other)]
    path: String,
    /// A member of the body, or a parameter of the query for GET and DELETE
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = pair)]
    field: Vec<(String, String)>,
    /// File with the body in JSON; - is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "field")]
    input: Option<String>,
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("write it like name=value")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Api {
    pub(super) async fn run(self, cli: Cli<'_>) -> Result<(), Failure> {
        let url = format!(
            "{}/{}",
            cli.client.baseurl,
            self.path.trim_start_matches('/')
        );
        let mut request = cli.client.client.request(self.method.clone(), url);
        if let Some(key) = cli.client.session_key() {
            request = request.bearer_auth(key.reveal());
        }
        let is_of_query = [Method::GET, Method::HEAD, Method::DELETE].contains(&self.method);
        if let Some(input) = &self.input {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(read(input)?);
        } else if !self.field.is_empty() {
            request = match is_of_query {
                true => request.query(&self.field),
                // Numbers of a form may be decimal strings.
                false => request.form(&self.field),
            };
        }
        let answer = request.send().await;
        let failure = |error| cli.failure(Error::from(CallError::CommunicationError(error)));
        let answer = answer.map_err(failure)?;
        let status = answer.status();
        let body = answer.bytes().await;
        let body = body.map_err(failure)?;
        cli.output.raw(&body)?;
        if !body.is_empty() && !body.ends_with(b"\n") {
            cli.output.raw(b"\n")?;
        }
        match status.is_success() {
            true => Ok(()),
            false => Err(Failure::Failed(format!(
                "{} {} is answered with {status}.",
                self.method,
                visible(&self.path)
            ))),
        }
    }
}

fn read(input: &str) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    let read = match input {
        "-" => std::io::stdin().read_to_end(&mut body).map(drop),
        file => fs::read(file).map(|read| body = read),
    };
    match read {
        Ok(()) => Ok(body),
        Err(error) => Err(Failure::Usage(format!("--input: {input}: {error}"))),
    }
}
