//! The server and the client of `shelf.yaml`: parameters of every style and place, bodies and replies
//! of every kind, and credentials of every scheme.

use openapi_lockstep_runtime::{Contract, File};
use poem::{
    Body, Endpoint, EndpointExt, Request, Response, http::StatusCode, middleware::CatchPanic,
};
use serde_json::{Value, json};

use self::{
    clients::{Client, Error, ResponseValue, types as sent},
    server::{book::*, types::*, *},
};
use crate::{
    calls::{Inner, url_of},
    requests::json_of,
};

#[allow(clippy::all, dead_code)]
mod server {
    include!("../../tests/golden/shelf.rs");
}

#[allow(clippy::all, clippy::unwrap_used, dead_code, unused_imports)]
mod clients {
    include!("../../tests/golden/shelf_client.rs");

    impl progenitor_client::ClientHooks<crate::Inner> for Client {}
}

/// Answers what it was given.
struct Shelf;

impl FindBooks for Shelf {
    async fn find_books(&self, _: &Request, given: FindBooksParameters) -> Result<Value, Failure> {
        let FindBooksParameters {
            ids,
            words,
            span,
            filter,
            exact,
            state,
            x_trace,
            lang,
        } = given;
        Ok(json!({
            "ids": ids, "words": words, "span": span, "filter": filter, "exact": exact,
            "state": state, "trace": x_trace, "lang": lang,
        }))
    }
}

impl ExportBook for Shelf {
    async fn export_book(
        &self,
        _: &Request,
        isbn: String,
    ) -> Result<ExportBookReply, ExportBookFailure> {
        match isbn.as_str() {
            "1" => Ok(ExportBookReply::OkJson(book("One"))),
            "2" => Ok(ExportBookReply::OkText("Two".to_owned())),
            "3" => Ok(ExportBookReply::SeeOther {
                location: "/books/1.json".to_owned(),
            }),
            "4" => Err(ExportBookFailure::ClientError {
                status: StatusCode::GONE,
            }),
            _ => Err(ExportBookFailure::Default {
                status: StatusCode::BAD_GATEWAY,
                body: "elsewhere".to_owned(),
            }),
        }
    }
}

impl AddBooks for Shelf {
    async fn add_books(&self, _: &Request, books: Vec<Book>) -> Result<Vec<Book>, Failure> {
        Ok(books)
    }
}

impl AddSightings for Shelf {
    async fn add_sightings(
        &self,
        _: &Request,
        AddSightingsParameters { isbn, at }: AddSightingsParameters,
        sightings: Body,
    ) -> Result<String, Failure> {
        let sightings = sightings.into_vec().await.unwrap();
        Ok(format!(
            "{isbn} {at:?} {}",
            String::from_utf8_lossy(&sightings)
        ))
    }
}

impl GetCover for Shelf {
    async fn get_cover(&self, _: &Request, isbn: String) -> Result<Body, Failure> {
        if isbn == "late" {
            std::future::pending::<()>().await;
        }
        Ok(Body::from(format!("cover of {isbn}")))
    }
}

impl SetCover for Shelf {
    async fn set_cover(&self, _: &Request, _: String, cover: Body) -> Result<(), Failure> {
        match cover.into_vec().await {
            Ok(bytes) if bytes == b"\x89PNG" => Ok(()),
            bytes => panic!("{bytes:?}"),
        }
    }
}

impl AddScans for Shelf {
    async fn add_scans(
        &self,
        _: &Request,
        isbn: String,
        scans: AddScansBody,
    ) -> Result<String, Failure> {
        let AddScansBody {
            title,
            number,
            pages,
            book,
        } = scans;
        let read = |page: File| {
            let bytes = std::fs::read(&page.path).unwrap();
            assert_eq!(bytes.len() as u64, page.size);
            format!("{:?} {}", page.name, String::from_utf8(bytes).unwrap())
        };
        let pages: Vec<String> = pages.into_iter().map(read).collect();
        let book = book.map(|book| book.title);
        Ok(format!("{isbn} {title} {number:?} {pages:?} {book:?}"))
    }
}

impl ReadMarks for Shelf {
    async fn read_marks(&self, _: &Request, given: ReadMarksParameters) -> Result<Value, Failure> {
        let ReadMarksParameters {
            dots,
            dotted,
            one,
            named,
            several,
        } = given;
        Ok(json!([dots, dotted, one, named, several]))
    }
}

impl SetRemark for Shelf {
    async fn set_remark(
        &self,
        _: &Request,
        remark: Option<SetRemarkBody>,
    ) -> Result<String, Failure> {
        Ok(match remark {
            None => "nothing".to_owned(),
            Some(SetRemarkBody::Text(text)) => format!("text {text}"),
            Some(SetRemarkBody::Json(Remark::Praise(praise))) => format!("praise {}", praise.stars),
            Some(SetRemarkBody::Json(Remark::Blame(blame))) => format!("blame {}", blame.reason),
        })
    }
}

impl Authenticate<Credential> for Shelf {
    type Principal = String;

    async fn authenticate(&self, _: &Request, credential: Credential) -> Result<String, Failure> {
        Ok(match credential {
            Credential::HeaderKey(key) => format!("header {}", key.0.reveal()),
            Credential::QueryKey(key) => format!("query {}", key.0.reveal()),
        })
    }
}

impl Authenticate<Basic> for Shelf {
    type Principal = String;

    async fn authenticate(&self, _: &Request, basic: Basic) -> Result<String, Failure> {
        Ok(format!("{} {}", basic.user, basic.password.reveal()))
    }
}

impl Authenticate<Oauth> for Shelf {
    type Principal = String;

    async fn authenticate(&self, _: &Request, token: Oauth) -> Result<String, Failure> {
        Ok(format!("{} {:?}", token.token.reveal(), token.scopes))
    }
}

impl Types for Shelf {
    async fn types_2(&self, _: &Request) -> Result<TypesReply, TypesFailure> {
        let status = StatusCode::IM_A_TEAPOT;
        Ok(TypesReply::Default { status })
    }
}

impl WithSharedFailures for Shelf {
    async fn with_shared_failures_2(&self, _: &Request) -> Result<Tree, Failure> {
        Ok(Tree { branch: None })
    }
}

impl WithKey for Shelf {
    async fn with_key(&self, _: &Request, principal: String) -> Result<String, WithKeyFailure> {
        Ok(principal)
    }
}

impl WithBasic for Shelf {
    async fn with_basic(&self, _: &Request, principal: String) -> Result<String, Failure> {
        Ok(principal)
    }
}

impl WithBoth for Shelf {
    async fn with_both(
        &self,
        _: &Request,
        credential: Option<BasicAndHeaderKey>,
    ) -> Result<String, Failure> {
        Ok(match credential {
            Some(BasicAndHeaderKey::BasicAndHeaderKey(basic, key)) => {
                format!("{} {}", basic.user, key.0.reveal())
            }
            None => "nobody".to_owned(),
        })
    }
}

impl WithScopes for Shelf {
    async fn with_scopes(&self, _: &Request, principal: String) -> Result<String, Failure> {
        Ok(principal)
    }
}

fn book(title: &str) -> Book {
    Book {
        title: title.to_owned(),
        subtitle: None,
        sequel: None,
        prices: None,
        notes: None,
    }
}

/// Without [`problems`](openapi_lockstep_runtime::problems): the document has failures of its own.
fn served() -> impl Endpoint<Output = Response> {
    let text = include_str!("../../tests/golden/shelf.yaml");
    let document = openapi_lockstep::read("shelf.yaml", text).expect("it is kept readable");
    let contract = Contract::new(&document.contract(), 1000).expect("lockstep accepts no other");
    let guarded = contract.serve(routes(Shelf));
    let guarded = guarded.expect("it is of the same document");
    guarded.with(CatchPanic::new()).map_to_response()
}

async fn ask(method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let method = method.parse().unwrap();
    let mut request = Request::builder().method(method).uri_str(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    served().get_response(request.body(body.to_owned())).await
}

async fn text_of(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    (status, response.into_body().into_string().await.unwrap())
}

const TRACE: (&str, &str) = ("x-trace", "8c4d0a8e-7f2b-4c1d-9e3f-5a6b7c8d9e0f");

#[test]
fn the_server_says_what_the_document_says() {
    let text = include_str!("../../tests/golden/shelf.yaml");
    let document = openapi_lockstep::read("shelf.yaml", text).expect("it is kept readable");
    assert_eq!(
        openapi_lockstep::differences(&document, &spec()).unwrap(),
        []
    );
}

#[tokio::test]
async fn parameters_are_read_in_the_style_of_each() {
    let uri = "/books?ids=1&ids=2&words=a,b%20c&span=0.5|2&filter[author]=ann&filter[year]=1999\
               &exact=true&state=lent%20out";
    let headers = [TRACE, ("cookie", "other=1; lang=d%C3%A9")];
    let (status, given) = json_of(ask("GET", uri, &headers, "").await).await;
    assert_eq!(status, 200, "{given}");
    assert_eq!(
        given,
        json!({
            "ids": [1, 2], "words": ["a", "b c"], "span": [0.5, 2.0],
            "filter": { "author": "ann", "year": 1999 }, "exact": true, "state": "lent out",
            "trace": TRACE.1, "lang": "dé",
        })
    );
    let (_, given) = json_of(ask("GET", "/books", &[TRACE], "").await).await;
    assert_eq!(
        given["exact"], false,
        "a default stands where nothing is sent"
    );
    assert_eq!(given["ids"], Value::Null);
}

#[tokio::test]
async fn a_path_has_dots_and_names_where_its_style_says() {
    let marks = json!([[1, 2], ["a", "b"], "x", { "k": "v", "l": "w" }, ["c", "d"]]);
    let uri = "/marks/.1.2/.a,b/;one=x/;k=v;l=w/;several=c;several=d";
    let told = json_of(ask("GET", uri, &[], "").await).await;
    assert_eq!(told, (StatusCode::OK, marks.clone()));
    let wrong = ask("GET", "/marks/1.2/.a/;one=x/;k=v/;several=c", &[], "").await;
    let (status, problem) = json_of(wrong).await;
    assert_eq!(
        (status.as_u16(), &problem["errors"][0]["pointer"]),
        (400, &json!("/path/dots"))
    );
    let client = client();
    let call = client
        .read_marks()
        .dots(vec![1, 2])
        .dotted(vec!["a".to_owned(), "b".to_owned()])
        .one("x")
        .named(std::collections::BTreeMap::from([
            ("k".to_owned(), "v".to_owned()),
            ("l".to_owned(), "w".to_owned()),
        ]))
        .several(vec!["c".to_owned(), "d".to_owned()]);
    assert_eq!(*call.send().await.unwrap(), marks);
}

#[tokio::test]
async fn a_wrong_parameter_is_told_with_its_place() {
    for (uri, headers, pointers) in [
        ("/books", vec![], vec!["/header/X-Trace"]),
        ("/books", vec![("x-trace", "1")], vec!["/header/X-Trace"]),
        ("/books", vec![TRACE, TRACE], vec!["/header/X-Trace"]),
        ("/books?ids=1&ids=x", vec![TRACE], vec!["/query/ids/1"]),
        (
            "/books?exact=yes&span=1|a",
            vec![TRACE],
            vec!["/query/exact", "/query/span/1"],
        ),
        (
            "/books?filter[x]=1&filter[year]=y",
            vec![TRACE],
            vec!["/query/filter/x", "/query/filter/year"],
        ),
        ("/books?state=gone", vec![TRACE], vec!["/query/state"]),
        ("/books?other=1", vec![TRACE], vec!["/query/other"]),
    ] {
        let (status, problem) = json_of(ask("GET", uri, &headers, "").await).await;
        assert_eq!(status, 400, "{uri}: {problem}");
        let errors = problem["errors"].as_array().unwrap().iter();
        let mut told: Vec<&str> = errors.filter_map(|it| it["pointer"].as_str()).collect();
        let mut pointers = pointers;
        told.sort_unstable();
        pointers.sort_unstable();
        assert_eq!(told, pointers, "{uri}");
    }
}

/// The path of the server's URL may stand before a path, and a name of a method behind it.
#[tokio::test]
async fn paths_of_every_shape_are_reached() {
    for uri in ["/v1/books:batch", "/books:batch"] {
        let json = [("content-type", "application/json")];
        let (status, books) = json_of(ask("POST", uri, &json, r#"[{"title":"a"}]"#).await).await;
        assert_eq!(
            (status, books),
            (StatusCode::OK, json!([{ "title": "a" }])),
            "{uri}"
        );
    }
    assert_eq!(
        text_of(ask("GET", "/books/2.json", &[], "").await).await,
        (200, "Two".to_owned())
    );
    for uri in ["/books/.json", "/books/2.jsonx", "/v2/books:batch"] {
        assert_eq!(ask("GET", uri, &[], "").await.status(), 404, "{uri}");
    }
}

#[tokio::test]
async fn a_reply_is_of_the_status_and_media_type_that_its_name_says() {
    let export = async |isbn: &str| ask("GET", &format!("/books/{isbn}.json"), &[], "").await;
    let json = export("1").await;
    assert_eq!(json.content_type(), Some("application/json"));
    let text = export("2").await;
    assert_eq!(text.content_type(), Some("text/plain"));
    let elsewhere = export("3").await;
    assert_eq!(
        (elsewhere.status().as_u16(), elsewhere.header("location")),
        (303, Some("/books/1.json"))
    );
    assert_eq!(export("4").await.status(), 410);
    assert_eq!(
        text_of(export("5").await).await,
        (502, "elsewhere".to_owned())
    );
}

#[tokio::test]
async fn bytes_come_as_they_are_up_to_the_limit_of_the_operation() {
    let png = [("content-type", "image/png")];
    let set = ask("PUT", "/books/1/cover", &png, "\u{89}PNG").await;
    // U+0089 is two bytes of UTF-8, which is another picture.
    assert_eq!(set.status(), 500);
    let request = Request::builder()
        .method("PUT".parse().unwrap())
        .uri_str("/books/1/cover");
    let request = request.header(png[0].0, png[0].1).body(b"\x89PNG".to_vec());
    assert_eq!(served().get_response(request).await.status(), 204);
    let large = ask(
        "PUT",
        "/books/1/cover",
        &[png[0], ("content-length", "11")],
        "12345678901",
    )
    .await;
    assert_eq!(large.status(), 413);
    let other = ask(
        "PUT",
        "/books/1/cover",
        &[("content-type", "text/plain")],
        "x",
    )
    .await;
    assert_eq!(other.status(), 415);
    let none = ask("PUT", "/books/1/cover", &png, "").await;
    assert_eq!(none.status(), 400);
    let late = ask("GET", "/books/late/cover", &[], "").await;
    assert_eq!(late.status(), 503, "the operation has a deadline");
    let cover = ask("GET", "/books/7/cover", &[], "").await;
    assert_eq!(cover.content_type(), Some("image/png"));
    assert_eq!(text_of(cover).await.1, "cover of 7");
}

#[tokio::test]
async fn an_unchecked_operation_gets_whatever_is_sent() {
    let path = "/books/1/sightings";
    let plain = [("content-type", "text/plain")];
    let sent = ask(
        "POST",
        &format!("{path}?at=a%20b&other=1"),
        &plain,
        "{no JSON",
    )
    .await;
    let sighted = (200, "1 Some(\"a b\") {no JSON".to_owned());
    assert_eq!(
        text_of(sent).await,
        sighted,
        "neither JSON nor its media type"
    );
    let wrong = ask(
        "POST",
        &format!("{path}?at=%FF&at=2"),
        &[],
        &"x".repeat(100_000),
    )
    .await;
    let (status, text) = text_of(wrong).await;
    assert_eq!((status, text.len()), (200, 100_000 + "1 None ".len()));
    let nothing = ask("POST", path, &[("content-type", "")], "").await;
    assert_eq!(text_of(nothing).await, (200, "1 None ".to_owned()));
    let no_text = ask("POST", "/books/%FF/sightings", &[], "").await;
    assert_eq!(no_text.status(), 400, "its path is not UTF-8");
}

fn multipart(parts: &[(&str, &str)]) -> String {
    let parts = parts.iter().map(|(head, body)| {
        format!("--limit\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n")
    });
    parts.collect::<String>() + "--limit--\r\n"
}

const MULTIPART: (&str, &str) = ("content-type", "multipart/form-data; boundary=limit");

#[tokio::test]
async fn files_are_on_the_disk_and_texts_are_checked() {
    let body = multipart(&[
        ("name=\"title\"", "a title"),
        ("name=\"number\"", "7"),
        ("name=\"pages\"; filename=\"1.txt\"", "one"),
        ("name=\"pages\"; filename=\"../2.txt\"", "two"),
        (
            "name=\"book\"\r\nContent-Type: application/json",
            r#"{"title":"b"}"#,
        ),
    ]);
    let (status, told) = text_of(ask("POST", "/books/1/scans", &[MULTIPART], &body).await).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(
        told,
        r#"1 a title Some(7) ["Some(\"1.txt\") one", "Some(\"../2.txt\") two"] Some("b")"#
    );
    for (parts, pointers) in [
        (
            &[("name=\"title\"", "")][..],
            vec!["/body/pages", "/body/title"],
        ),
        (
            &[("name=\"title\"", "a"), ("name=\"title\"", "b")],
            vec!["/body/pages", "/body/title"],
        ),
        (
            &[
                ("name=\"title\"", "a"),
                ("name=\"pages\"", "x"),
                ("name=\"number\"", "x"),
                ("name=\"other\"", ""),
            ],
            vec!["/body/number", "/body/other"],
        ),
    ] {
        let response = ask("POST", "/books/1/scans", &[MULTIPART], &multipart(parts)).await;
        let (status, problem) = json_of(response).await;
        assert_eq!(status, 400, "{parts:?}: {problem}");
        let errors = problem["errors"].as_array().unwrap().iter();
        let told: Vec<&str> = errors.filter_map(|it| it["pointer"].as_str()).collect();
        assert_eq!(told, pointers, "{parts:?}");
    }
    let large = "x".repeat(1001);
    let body = multipart(&[
        ("name=\"title\"", "a"),
        ("name=\"pages\"; filename=\"1\"", &large),
    ]);
    assert_eq!(
        ask("POST", "/books/1/scans", &[MULTIPART], &body)
            .await
            .status(),
        413
    );
    let cut = &multipart(&[("name=\"title\"", "a")])[..60];
    assert_eq!(
        ask("POST", "/books/1/scans", &[MULTIPART], cut)
            .await
            .status(),
        400
    );
}

#[tokio::test]
async fn a_body_is_what_its_media_type_says() {
    let set = async |media_type: &str, body: &str| {
        let headers = [("content-type", media_type)];
        let headers = if media_type.is_empty() {
            &headers[..0]
        } else {
            &headers[..]
        };
        json_of(ask("PUT", "/remark", headers, body).await).await
    };
    let json = "application/json; charset=utf-8";
    for (media_type, body, told) in [
        ("", "", "nothing"),
        ("text/plain", "é", "text é"),
        (json, r#"{"kind":"praise","stars":5}"#, "praise 5"),
        (json, r#"{"kind":"blame","reason":"long"}"#, "blame long"),
    ] {
        assert_eq!(
            set(media_type, body).await,
            (StatusCode::OK, json!(told)),
            "{body}"
        );
    }
    for (media_type, body, pointer) in [
        ("text/plain", "too long", "/body"),
        (json, r#"{"kind":"praise","stars":200}"#, "/body/stars"),
        (json, r#"{"kind":"other","stars":2}"#, "/body"),
        (json, r#"{"kind":"praise","stars":"5"}"#, "/body"),
    ] {
        let (status, problem) = set(media_type, body).await;
        assert_eq!(status, 400, "{body}: {problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
}

#[tokio::test]
async fn a_credential_is_found_where_its_scheme_says() {
    const BASIC: (&str, &str) = ("authorization", "Basic YW5uOnB3");
    for (uri, headers, who) in [
        ("/key", vec![("x-key", "a:b")], "header a:b"),
        ("/key?key=c", vec![], "query c"),
        ("/basic", vec![BASIC], "ann pw"),
        ("/both", vec![BASIC, ("x-key", "k")], "ann k"),
        ("/both", vec![BASIC], "nobody"),
        ("/both", vec![], "nobody"),
        (
            "/scopes",
            vec![("authorization", "Bearer t")],
            r#"t ["read", "write"]"#,
        ),
    ] {
        let told = json_of(ask("GET", uri, &headers, "").await).await;
        assert_eq!(told, (StatusCode::OK, json!(who)), "{uri} {headers:?}");
    }
    for (uri, challenges) in [
        ("/key", vec!["ApiKey name=\"X-Key\"", "ApiKey name=\"key\""]),
        ("/basic", vec!["Basic realm=\"api\", charset=\"UTF-8\""]),
        ("/scopes", vec!["Bearer"]),
    ] {
        let response = ask("GET", uri, &[("cookie", "key=c")], "").await;
        assert_eq!(response.status(), 401, "{uri}");
        let told = response.headers().get_all("www-authenticate").iter();
        let told: Vec<&str> = told.filter_map(|it| it.to_str().ok()).collect();
        assert_eq!(told, challenges, "{uri}");
    }
    let two = ask("GET", "/key?key=c", &[("x-key", "d")], "").await;
    assert_eq!(two.status(), 400, "two keys differ");
}

fn client() -> Client {
    Client::new(&url_of(served()), Inner(""))
}

#[tokio::test]
async fn a_client_sends_parameters_in_the_style_of_each() {
    let call = client();
    let call = call
        .find_books()
        .ids(vec![1, 2])
        .words(vec!["a".to_owned(), "b c".to_owned()])
        .span(vec![0.5, 2.0])
        .filter(sent::FindBooksFilter {
            author: Some("ann".to_owned()),
            year: None,
        })
        .exact(true)
        .state(sent::State::LentOut)
        .x_trace(uuid::Uuid::parse_str(TRACE.1).unwrap())
        .lang("dé".to_owned());
    let given = call.send().await.unwrap().into_inner();
    assert_eq!(
        given,
        json!({
            "ids": [1, 2], "words": ["a", "b c"], "span": [0.5, 2.0], "filter": { "author": "ann" },
            "exact": true, "state": "lent out", "trace": TRACE.1, "lang": "dé",
        })
    );
}

#[tokio::test]
async fn a_client_tells_replies_apart() {
    let client = client();
    let export = |isbn: &str| client.export_book().isbn(isbn).send();
    let inner = |reply: ResponseValue<sent::ExportBookReply>| reply.into_inner();
    let one = inner(export("1").await.unwrap());
    assert!(
        matches!(&one, sent::ExportBookReply::OkJson(book) if book.title == "One"),
        "{one:?}"
    );
    assert_eq!(
        inner(export("2").await.unwrap()),
        sent::ExportBookReply::OkText("Two".to_owned())
    );
    let refused = |result: Result<ResponseValue<_>, Error<sent::ExportBookFailure>>| {
        let Error::ErrorResponse(failure) = result.map(inner).unwrap_err() else {
            panic!("it is documented");
        };
        (failure.status().as_u16(), failure.into_inner())
    };
    assert_eq!(
        refused(export("4").await),
        (410, sent::ExportBookFailure::ClientError)
    );
    assert_eq!(
        refused(export("5").await),
        (
            502,
            sent::ExportBookFailure::Default("elsewhere".to_owned())
        )
    );
}

#[tokio::test]
async fn a_client_sends_bodies_of_every_kind() {
    let client = client();
    let set = client
        .set_cover()
        .isbn("1")
        .body(b"\x89PNG".to_vec())
        .send()
        .await;
    // The document does not say which picture: whoever knows sets the media type in a hook.
    assert!(set.is_err(), "bytes are not said to be a picture");
    let form = reqwest::multipart::Form::new().text("title", "a title");
    let page = reqwest::multipart::Part::text("one").file_name("1.txt");
    let told = client
        .add_scans()
        .isbn("1")
        .body(form.part("pages", page))
        .send()
        .await
        .unwrap();
    assert_eq!(*told, r#"1 a title None ["Some(\"1.txt\") one"] None"#);
    let nothing = client.set_remark().send().await.unwrap();
    assert_eq!(*nothing, "nothing");
    let praise = sent::Remark::Praise(sent::Praise {
        kind: "praise".to_owned(),
        stars: 5,
    });
    assert_eq!(
        *client.set_remark().body(praise).send().await.unwrap(),
        "praise 5"
    );
    let book = sent::Book {
        title: "a".to_owned(),
        subtitle: Some(None),
        sequel: Some(Box::new(sent::Book {
            title: "b".to_owned(),
            subtitle: Some(Some("c".to_owned())),
            sequel: None,
            prices: Some([("EUR".to_owned(), 9.5)].into()),
            notes: Some(json!([1, null])),
        })),
        prices: None,
        notes: Some(Value::Null),
    };
    let books = client
        .add_books()
        .body(vec![book.clone()])
        .send()
        .await
        .unwrap();
    assert_eq!(*books, [book]);
}
