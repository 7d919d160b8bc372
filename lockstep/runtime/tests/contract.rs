//! The check by itself, of documents that no code is generated for.

use openapi_lockstep_runtime::{Contract, Given};
use poem::{Endpoint, Request, endpoint::make_sync, http::Method};
use serde_json::{Value, json};

/// A contract of these paths and schemas.
fn contract(paths: &Value, schemas: &Value) -> Contract {
    let document = json!({
        "openapi": "3.1.0",
        "paths": paths,
        "components": { "schemas": schemas },
    });
    Contract::new(&document.to_string(), 1000).unwrap()
}

/// A contract of `GET /` with one query parameter `q`.
fn with_query(parameter: &Value) -> Contract {
    let mut parameter = parameter.clone();
    parameter["name"] = json!("q");
    parameter["in"] = json!("query");
    let schemas = json!({
        "Nested": { "anyOf": [{ "type": "integer" }, { "$ref": "#/components/schemas/Nested" }] },
    });
    let paths = json!({ "/": { "get": { "operationId": "get", "parameters": [parameter] } } });
    contract(&paths, &schemas)
}

/// The status and the number of the body's media type, for a request that the contract has checked.
async fn checked(contract: &Contract, request: Request) -> (u16, Option<usize>) {
    let guarded = contract.clone().guard(make_sync(|mut request| {
        let content = Given::take(&mut request).ok().and_then(|it| it.content());
        content.map_or_else(String::new, |it| it.to_string())
    }));
    let response = guarded.get_response(request).await;
    let status = response.status().as_u16();
    let body = response.into_body().into_string().await.unwrap();
    (status, body.parse().ok())
}

async fn status_of_query(contract: &Contract, value: &str) -> u16 {
    let request = Request::builder().uri_str(format!("/?q={value}"));
    checked(contract, request.finish()).await.0
}

#[tokio::test]
async fn an_integer_has_the_limits_of_its_format() {
    for (format, least, most) in [
        ("int8", -128, 127),
        ("uint8", 0, 255),
        ("int16", -32_768, 32_767),
        ("uint16", 0, 65_535),
        ("int32", -2_147_483_648, 2_147_483_647),
        ("uint32", 0, 4_294_967_295),
        ("int64", i64::MIN.into(), i64::MAX.into()),
        ("uint64", 0, u64::MAX.into()),
    ] as [(&str, i128, i128); 8]
    {
        let contract = with_query(&json!({ "schema": { "type": "integer", "format": format } }));
        for (value, expected) in [(least - 1, 400), (least, 200), (most, 200), (most + 1, 400)] {
            let status = status_of_query(&contract, &value.to_string()).await;
            assert_eq!(status, expected, "{format}: {value}");
        }
    }
}

#[tokio::test]
async fn an_object_in_one_parameter_lists_names_and_values() {
    let contract = with_query(&json!({
        "explode": false,
        "schema": {
            "type": "object",
            "additionalProperties": false,
            "required": ["name", "age"],
            "properties": { "name": { "type": "string" }, "age": { "type": "integer" } },
        },
    }));
    assert_eq!(status_of_query(&contract, "name,ann,age,3").await, 200);
    assert_eq!(status_of_query(&contract, "name,ann,age,x").await, 400);
    assert_eq!(status_of_query(&contract, "name=ann,age=3").await, 400);
}

#[tokio::test]
async fn a_schema_may_combine_itself() {
    let contract = with_query(&json!({ "schema": { "$ref": "#/components/schemas/Nested" } }));
    assert_eq!(status_of_query(&contract, "3").await, 200);
}

#[test]
fn a_segment_that_is_written_out_goes_before_a_parameter() {
    let operation = |id: &str, names: &[&str]| {
        let parameter = |name: &&str| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } });
        let parameters: Vec<Value> = names.iter().map(parameter).collect();
        json!({ "get": { "operationId": id, "parameters": parameters } })
    };
    let paths = json!({
        "/{kind}/{id}": operation("any", &["kind", "id"]),
        "/{kind}/list": operation("list", &["kind"]),
        "/{kind}/list-{id}": operation("part", &["kind", "id"]),
        "/{kind}/list-all": operation("all", &["kind"]),
        "/things/{id}": operation("thing", &["id"]),
    });
    let contract = contract(&paths, &json!({}));
    for (path, id) in [
        ("/things/list", "thing"),
        ("/others/list", "list"),
        ("/others/list-3", "part"),
        ("/others/list-all", "all"),
        ("/others/3", "any"),
    ] {
        let request = Request::builder().uri_str(path).finish();
        let matched = contract.matched(&request);
        assert_eq!(matched.map(|it| it.id()).ok(), Some(id), "{path}");
    }
}

#[tokio::test]
async fn a_form_has_booleans_and_a_media_type_is_told_from_another() {
    let schema = json!({
        "type": "object",
        "required": ["flag"],
        "properties": { "flag": { "type": "boolean" } },
    });
    let content = json!({
        "application/json": { "schema": schema },
        "application/x-www-form-urlencoded": { "schema": schema },
        "multipart/form-data": { "schema": schema },
    });
    let body = json!({ "required": true, "content": content });
    let paths = json!({ "/": { "post": { "operationId": "post", "requestBody": body } } });
    let contract = contract(&paths, &json!({}));
    let multipart = |value: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"flag\"\r\n\r\n{value}\r\n--x--\r\n")
    };
    for (number, media_type, sent, wrong) in [
        (
            0,
            "application/json",
            r#"{"flag":true}"#.to_owned(),
            r#"{"flag":"true"}"#.to_owned(),
        ),
        (
            1,
            "application/x-www-form-urlencoded",
            "flag=true".to_owned(),
            "flag=maybe".to_owned(),
        ),
        (
            2,
            "multipart/form-data; boundary=x",
            multipart("true"),
            multipart("maybe"),
        ),
    ] {
        let request = |body: String| {
            let request = Request::builder().method(Method::POST).uri_str("/");
            request.content_type(media_type).body(body)
        };
        let found = checked(&contract, request(sent)).await;
        assert_eq!(found, (200, Some(number)), "{media_type}");
        assert_eq!(
            checked(&contract, request(wrong)).await.0,
            400,
            "{media_type}"
        );
    }
}
