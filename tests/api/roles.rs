//! Rights: every operation of an organization, by role and by service token, in an organization of
//! one's own, in a foreign one and in one that does not exist.

use std::collections::BTreeSet;

use cortex_report_tests::oracle::members;
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::harness::{
    Service,
    conformance::{Call, ORACLE},
    ok, problem,
};

/// Operations of an organization, with the roles that may call them. A service token may what its
/// role may, unless the last column says that no token may. An operation with a remark is called in
/// another way than the document's example says.
const TABLE: &str = "
    operation              owner  member viewer  token
    createApp              yes    yes    -       yes
    listApps               yes    yes    yes     yes
    listApps with app_name yes    yes    -       yes
    getApp                 yes    yes    yes     yes
    updateApp              yes    yes    -       yes
    deleteApp              yes    yes    -       yes
    listApiKeys            yes    yes    yes     yes
    createApiKey           yes    yes    -       yes
    updateApiKey           yes    yes    -       yes
    revokeApiKey           yes    yes    -       yes
    getOrg                 yes    yes    yes     yes
    updateOrg              yes    -      -       yes
    deleteOrg              yes    -      -       yes
    listAudit              yes    -      -       yes
    listMembers            yes    yes    yes     yes
    updateMember           yes    -      -       yes
    removeMember           yes    -      -       yes
    removeMember oneself   yes    yes    yes     -
    listInvitations        yes    yes    yes     yes
    createInvitation       yes    -      -       yes
    revokeInvitation       yes    -      -       yes
    listTokens             yes    yes    yes     yes
    createToken            yes    yes    -       -
    createToken to read    yes    yes    yes     -
    revokeToken            yes    -      -       yes
    revokeToken of oneself yes    yes    yes     yes
";

/// Operations that are about no organization of the caller.
const OF_NO_ORG: [&str; 9] = [
    // These need an API key, whoever sends it.
    "appLog",
    "track",
    "createOrg",
    "endOtherSessions",
    "endSession",
    "getUser",
    "listSessions",
    "login",
    "logout",
];

/// An id that nothing has.
const UNKNOWN: i64 = 999_999;

struct Row {
    operation: &'static str,
    remark: String,
    /// Owner, member and viewer.
    roles: [bool; 3],
    tokens: bool,
}

fn table() -> Vec<Row> {
    let lines = TABLE.lines().map(str::trim).filter(|line| !line.is_empty());
    let rows = lines.skip(1).map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (named, cells) = words.split_at(words.len() - 4);
        let is_yes = |cell: &str| cell == "yes";
        Row {
            operation: named[0],
            remark: named[1..].join(" "),
            roles: [is_yes(cells[0]), is_yes(cells[1]), is_yes(cells[2])],
            tokens: is_yes(cells[3]),
        }
    });
    rows.collect()
}

/// Ids of the objects of an operation.
#[derive(Clone)]
struct Ids {
    org_id: i64,
    app_id: i64,
    api_key_id: i64,
    user_id: i64,
    invitation_id: i64,
    token_id: i64,
}

impl Ids {
    const NONE: Self = Self {
        org_id: UNKNOWN,
        app_id: UNKNOWN,
        api_key_id: UNKNOWN,
        user_id: UNKNOWN,
        invitation_id: UNKNOWN,
        token_id: UNKNOWN,
    };

    /// Creates an organization of `owner` with one of everything; `others` get roles in it.
    async fn create(service: &Service, owner: &str, others: &[(i64, &str)]) -> Self {
        let org_id = service.create_org(owner, "Example Games").await;
        for (user_id, role) in others {
            add_member(service, org_id, *user_id, role).await;
        }
        let app_id = service.create_app(owner, org_id, "Space Miner").await;
        let id = async |path: String, body: Value, name: &str| {
            let created = service.post(&path).bearer_auth(owner).json(&body);
            ok(created).await[name].as_i64().unwrap()
        };
        let path = format!("/api/1/app/{app_id}/api_key");
        let api_key_id = id(path, json!({}), "api_key_id").await;
        let path = format!("/api/1/org/{org_id}/invitation");
        let invited = json!({ "email": "guest@example.com", "role": "member" });
        let invitation_id = id(path, invited, "invitation_id").await;
        let path = format!("/api/1/org/{org_id}/token");
        let token = json!({ "label": "build server", "role": "viewer" });
        let token_id = id(path, token, "token_id").await;
        Self {
            org_id,
            app_id,
            api_key_id,
            user_id: others.last().map_or(UNKNOWN, |(user_id, _)| *user_id),
            invitation_id,
            token_id,
        }
    }

    fn named(&self, name: &str) -> i64 {
        match name {
            "org_id" => self.org_id,
            "app_id" => self.app_id,
            "api_key_id" => self.api_key_id,
            "user_id" => self.user_id,
            "invitation_id" => self.invitation_id,
            "token_id" => self.token_id,
            name => panic!("what is the parameter {name} about? Add it to Ids"),
        }
    }
}

async fn add_member(service: &Service, org_id: i64, user_id: i64, role: &str) {
    let row = format!(
        "INSERT INTO membership (user_id, org_id, role) VALUES ({user_id}, {org_id}, '{role}')"
    );
    let database = service.database.connect().await;
    database.execute_unprepared(&row).await.unwrap();
}

/// Makes room for further organizations of its members.
async fn remove_members(service: &Service, org_id: i64) {
    let rows = format!("DELETE FROM membership WHERE org_id = {org_id}");
    let database = service.database.connect().await;
    database.execute_unprepared(&rows).await.unwrap();
}

/// An operation as the document has it: path, method, and the rest.
fn documented(operation_id: &str) -> (&'static String, &'static String, &'static Value) {
    let operations = members(&ORACLE.document()["paths"]).flat_map(|(path, item)| {
        members(item).map(move |(method, operation)| (path, method, operation))
    });
    let mut operations =
        operations.filter(|(.., operation)| operation["operationId"] == operation_id);
    operations.next().unwrap()
}

/// The call of a row, by its example in the document.
fn call(service: &Service, row: &Row, key: &str, ids: &Ids) -> Call {
    let (path, method, operation) = documented(row.operation);
    let mut path = path.clone();
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        if parameter["in"] == "path" {
            path = path.replace(&format!("{{{name}}}"), &ids.named(name).to_string());
        } else if name == "org_id" {
            query.push((name, ids.org_id.to_string()));
        } else if parameter["required"] == true {
            query.push((name, parameter["example"].as_str().unwrap().to_owned()));
        } else if row.remark == format!("with {name}") {
            query.push((name, "Another".to_owned()));
        }
    }
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let call = service
        .request(method, &path)
        .bearer_auth(key)
        .query(&query);
    let mut body = operation["requestBody"]["content"]["application/json"]["example"].clone();
    if body.is_null() {
        return call;
    }
    if !body["org_id"].is_null() {
        body["org_id"] = json!(ids.org_id);
    }
    if row.operation == "createApp" {
        body["app_name"] = json!("Another");
    }
    if row.remark == "to read" {
        body["role"] = json!("viewer");
    }
    call.json(&body)
}

/// Pairs of what somebody else has and what does not exist, in the places of what is the caller's.
fn foreign_and_unknown(row: &Row, own: &Ids, foreign: &Ids) -> Vec<[Ids; 2]> {
    let mut pairs = vec![[foreign.clone(), Ids::NONE]];
    let (path, ..) = documented(row.operation);
    let has_parent = path.matches("_id}").count() == 2;
    if has_parent {
        // The organization or application is the caller's own, and what it should have is not.
        pairs.push([foreign, &Ids::NONE].map(|ids| Ids {
            org_id: own.org_id,
            app_id: own.app_id,
            ..ids.clone()
        }));
    }
    pairs
}

#[test]
fn every_operation_has_its_row() {
    let documented = members(&ORACLE.document()["paths"])
        .flat_map(|(_, item)| members(item))
        .map(|(_, operation)| operation["operationId"].as_str().unwrap().to_owned());
    let documented: BTreeSet<String> = documented.collect();
    let rows = table();
    let rows = rows.iter().map(|row| row.operation);
    let known: BTreeSet<String> = rows.chain(OF_NO_ORG).map(str::to_owned).collect();
    assert_eq!(
        documented, known,
        "add a row to the table of tests/api/roles.rs for a new operation"
    );
}

#[tokio::test]
async fn who_may_do_what_where() {
    let service = Service::start().await;
    let root = service.log_in("root@example.com").await;
    let stranger = service.log_in("stranger@example.com").await;
    let target = service.log_in("target@example.com").await;
    let target = service.user_id(&target).await;
    let stranger_id = service.user_id(&stranger).await;
    let foreign = Ids {
        user_id: stranger_id,
        ..Ids::create(&service, &stranger, &[]).await
    };
    for (number, role) in ["owner", "member", "viewer"].into_iter().enumerate() {
        let key = service.log_in(&format!("{role}@example.com")).await;
        let user_id = service.user_id(&key).await;
        for row in table() {
            for by_token in [false, true] {
                let others = [(user_id, role), (target, "member")];
                let mut ids = Ids::create(&service, &root, &others).await;
                let path = format!("/api/1/org/{}/token", ids.org_id);
                let token = json!({ "label": "mine", "role": role });
                let token = ok(service.post(&path).bearer_auth(&key).json(&token)).await;
                match row.remark.as_str() {
                    "oneself" => ids.user_id = user_id,
                    "of oneself" => ids.token_id = token["token_id"].as_i64().unwrap(),
                    _ => {}
                }
                let caller = match by_token {
                    true => token["token"].as_str().unwrap(),
                    false => &key,
                };
                let may = row.roles[number] && (row.tokens || !by_token);
                // A token of an owner removes everybody, the owner too.
                let may = may || by_token && role == "owner" && row.operation == "removeMember";
                let cell = format!(
                    "{role}, {} {}, token: {by_token}",
                    row.operation, row.remark
                );

                // A token notes its first use.
                ok(service.get("/api/1/user").bearer_auth(caller)).await;
                let before = service.dump().await;
                for [known, unknown] in foreign_and_unknown(&row, &ids, &foreign) {
                    let known = call(&service, &row, caller, &known);
                    let unknown = call(&service, &row, caller, &unknown);
                    let known = problem(known, 403, "not_allowed").await;
                    let unknown = problem(unknown, 403, "not_allowed").await;
                    assert_eq!(known, unknown, "{cell}: what is foreign looks like nothing");
                }
                let own = call(&service, &row, caller, &ids);
                if !may {
                    let refused = own.send().await.unwrap();
                    assert_eq!(refused.status(), 403, "{cell}");
                    assert_eq!(service.dump().await, before, "{cell}: nothing changes");
                    remove_members(&service, ids.org_id).await;
                    continue;
                }
                assert_eq!(service.dump().await, before, "{cell}: nothing changes");
                let response = own.send().await.unwrap();
                let status = response.status();
                let body = response.text().await.unwrap();
                assert_eq!(status, 200, "{cell}: {body}");
                remove_members(&service, ids.org_id).await;
            }
        }
    }
}
