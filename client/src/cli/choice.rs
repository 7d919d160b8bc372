//! Arguments that choose something by its number or its name.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, ValueEnum, ValueHint};
use serde::Serialize;

use super::{Cli, Failure, output::visible};
use crate::{
    Error,
    types::{self, Member, Org, ProblemCode},
};

/// Number of entries of a page, which the service gives by default.
const PAGE_SIZE: usize = 1000;

#[derive(Args)]
pub(super) struct OrgChoice {
    /// The organization, by number or name [default: that of `org use`, or yours if you are in only
    /// one; an application is looked for in all of yours]
    #[arg(long, env = "CORTEX_REPORT_ORG", hide_env_values = true, value_hint = ValueHint::Other)]
    org: Option<String>,
}

impl OrgChoice {
    /// Finds the chosen organization: by its number or name, or the user's only one by default.
    pub(super) async fn find(self, cli: &Cli<'_>) -> Result<Org, Failure> {
        let orgs = cli
            .reply(cli.logged_in()?.get_user().send().await)?
            .org_list;
        let given = self.org.as_deref().map(str::trim);
        let given = given.filter(|given| !given.is_empty());
        let kept = cli.sessions.org(&cli.client.baseurl);
        let kept = kept.filter(|_| given.is_none()).map(|id| id.to_string());
        find_org(orgs, given.or(kept.as_deref()))
    }
}

/// Finds an organization by its number or name; the only one by default.
pub(super) fn find_org(orgs: Vec<Org>, wanted: Option<&str>) -> Result<Org, Failure> {
    let listed = orgs
        .iter()
        .map(|org| format!("\n  {} {}", org.org_id, visible(&org.name)))
        .collect::<String>();
    let meant = match wanted {
        None => orgs,
        Some(wanted) => matching(orgs, wanted, |org| org.org_id, |org| &org.name),
    };
    match (meant.as_slice(), wanted) {
        ([org], _) => Ok(org.clone()),
        ([], None) => Err(Failure::Failed(
            "You are not in any organization. Ask the operator of the service to add you to one."
                .to_owned(),
        )),
        ([], Some(wanted)) => Err(Failure::Failed(format!(
            "You are not in the organization {}. Your organizations are:{listed}",
            visible(wanted)
        ))),
        (_, None) => Err(Failure::Usage(format!(
            "You are in several organizations. Choose one with --org:{listed}"
        ))),
        (_, Some(name)) => Err(Failure::Usage(format!(
            "Several organizations are called {}. Choose one by its number with --org:{listed}",
            visible(name)
        ))),
    }
}

/// Returns what has a number, or else what has a name, whatever its case.
fn matching<T>(
    all: Vec<T>,
    wanted: &str,
    id: impl Fn(&T) -> i64,
    name: impl Fn(&T) -> &str,
) -> Vec<T> {
    let (by_id, others): (Vec<T>, Vec<T>) =
        all.into_iter().partition(|it| id(it).to_string() == wanted);
    if !by_id.is_empty() {
        return by_id;
    }
    let wanted = wanted.to_lowercase();
    let is_named = |it: &T| name(it).to_lowercase() == wanted;
    others.into_iter().filter(is_named).collect()
}

/// Returns the only one that has a number or a name.
///
/// # Errors
///
/// There is none, or several have the name; `kind` and `list` are words of the message.
pub(super) fn only<T>(
    all: Vec<T>,
    wanted: &str,
    id: impl Fn(&T) -> i64,
    name: impl Fn(&T) -> &str,
    [kind, list]: [&str; 2],
) -> Result<T, Failure> {
    let shown = visible(wanted);
    let mut meant = matching(all, wanted.trim(), &id, name);
    match (meant.pop(), meant.len()) {
        (Some(one), 0) => Ok(one),
        (Some(_), _) => Err(Failure::Usage(format!(
            "Several have the name {shown}. Choose the {kind} by its number; see: {list}"
        ))),
        (None, _) => Err(Failure::Failed(format!(
            "There is no {kind} {shown}. See: {list}"
        ))),
    }
}

/// Finds a member by number or address.
pub(super) async fn find_member(
    cli: &Cli<'_>,
    org_id: i64,
    wanted: &str,
) -> Result<Member, Failure> {
    let members = members(cli, org_id).await?;
    let kind = ["member", "cortex-report member list"];
    only(members, wanted, |it| it.user_id, |it| &it.email, kind)
}

/// Lists all members of an organization.
pub(super) async fn members(cli: &Cli<'_>, org_id: i64) -> Result<Vec<Member>, Failure> {
    let page = async |after: Option<i64>| {
        let list = cli.client.list_members().org_id(org_id);
        let list = match after {
            Some(after) => list.after(after),
            None => list,
        };
        Ok(cli.reply(list.send().await)?.member_list)
    };
    pages(page, |member| member.user_id).await
}

/// Finds an application of the user's organizations by number or name.
pub(super) async fn find_app(
    cli: &Cli<'_>,
    wanted: &str,
    org: OrgChoice,
) -> Result<types::App, Failure> {
    let wanted = wanted.trim();
    if let Ok(id @ 1..) = wanted.parse::<i64>() {
        let app = cli.logged_in()?.get_app().app_id(id).send().await;
        match app.map_err(Error::from) {
            Ok(app) => return Ok(app.into_inner()),
            // It may be a name.
            Err(Error::Refused { problem, .. }) if problem.code == ProblemCode::NotAllowed => {}
            Err(error) => return Err(cli.failure(error)),
        }
    }
    let orgs = match org.org.is_some() {
        true => vec![org.find(cli).await?],
        false => {
            cli.reply(cli.logged_in()?.get_user().send().await)?
                .org_list
        }
    };
    let mut apps = Vec::new();
    for org in orgs {
        let list = cli.client.list_apps().org_id(org.org_id).send().await;
        apps.extend(cli.reply(list)?.app_list);
    }
    let kind = ["application", "cortex-report app list"];
    only(apps, wanted, |app| app.app_id, |app| &app.name, kind)
}

/// Gathers all pages of a list.
pub(super) async fn pages<T>(
    page: impl AsyncFn(Option<i64>) -> Result<Vec<T>, Failure>,
    id: impl Fn(&T) -> i64,
) -> Result<Vec<T>, Failure> {
    let mut all = Vec::new();
    loop {
        let some = page(all.last().map(&id)).await?;
        let is_last = some.len() < PAGE_SIZE;
        all.extend(some);
        if is_last {
            return Ok(all);
        }
    }
}

/// Role of a member or a service token.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Role {
    /// Manages the organization and its people, and does all that a member does
    Owner,
    /// Lists, creates, changes and deletes applications and API keys
    Member,
    /// Only reads
    Viewer,
}

impl From<Role> for types::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Member => Self::Member,
            Role::Viewer => Self::Viewer,
        }
    }
}

/// End of a key or token.
#[derive(Clone, Copy)]
pub(super) struct End(pub(super) DateTime<Utc>);

impl FromStr for End {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let day = || {
            Some(
                text.parse::<NaiveDate>()
                    .ok()?
                    .and_hms_opt(0, 0, 0)?
                    .and_utc(),
            )
        };
        let time = text.parse::<DateTime<Utc>>().ok().or_else(day);
        time.map(Self)
            .ok_or("write it like 2027-01-31, or 2027-01-31T12:00:00Z")
    }
}

/// Text of a value of the document that is a word, a time or a number.
pub(super) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(serde_json::Value::Null) | Err(_) => "-".to_owned(),
        Ok(value) => value.to_string(),
    }
}
