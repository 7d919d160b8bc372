use super::*;

fn parse(text: &str) -> Result<DatabaseUrl, String> {
    text.parse()
}

#[test]
fn an_unknown_parameter_is_refused_and_the_right_one_is_named() {
    for (url, given, right) in [
        (
            "postgres://a@h/d?sslmod=verify-full",
            "sslmod",
            "write sslmode",
        ),
        (
            "postgres://a@h/d?ssl_mode=require",
            "ssl_mode",
            "write sslmode",
        ),
        (
            "postgres://a@h/d?SSLMODE=require",
            "SSLMODE",
            "write sslmode",
        ),
        ("postgres://a@h/d?ssl=true", "ssl", "write sslmode"),
        ("postgres://a@h/d?schema=app", "schema", "write search_path"),
        (
            "postgres://a@h/d?currentSchema=app",
            "currentSchema",
            "write search_path",
        ),
        (
            "postgres://a@h/d?search-path=app",
            "search-path",
            "write search_path",
        ),
        (
            "postgres://a@h/d?application-name=x",
            "application-name",
            "write application_name",
        ),
        (
            "postgres://a@h/d?applicationName=x",
            "applicationName",
            "write application_name",
        ),
        ("postgres://a@h/d?sslca=x", "sslca", "write sslrootcert"),
        (
            "postgres://a@h/d?ssl_root_cert=x",
            "ssl_root_cert",
            "write sslrootcert",
        ),
        ("postgres://a@h/d?socket=/x", "socket", "write host"),
        (
            "postgres://a@h/d?connection_limit=5",
            "connection_limit",
            "DATABASE_CONNECTIONS",
        ),
        ("postgres://a@h/d?charset=utf8", "charset", "take it out"),
        (
            "postgres://a@h/d?options[search_path=app",
            "options[search_path",
            "take it out",
        ),
        (
            "mysql://a@h/d?ssl_mode=REQUIRED",
            "ssl_mode",
            "write ssl-mode",
        ),
        (
            "mariadb://a@h/d?sslrootcert=x",
            "sslrootcert",
            "write ssl-ca",
        ),
        (
            "mariadb://a@h/d?characterEncoding=utf8",
            "characterEncoding",
            "write charset",
        ),
        (
            "mariadb://a@h/d?char-set=utf8mb4",
            "char-set",
            "write charset",
        ),
        (
            "mariadb://a@h/d?unix_socket=/x",
            "unix_socket",
            "write socket",
        ),
        ("mariadb://a@h/d?options[x]=1", "options[x]", "take it out"),
        ("sqlite://a.db?mod=rw", "mod", "write mode"),
        ("sqlite://a.db?sslmode=x", "sslmode", "take it out"),
    ] {
        let error = parse(url).unwrap_err();
        let shown = format!("the parameter {given}, which");
        assert!(
            error.contains(&shown) && error.contains(right),
            "{url}: {error}"
        );
    }
}

#[test]
fn a_value_that_a_parameter_does_not_take_is_refused() {
    for (url, reason) in [
        (
            "postgres://a@h/d?sslmode=verify_full",
            "sslmode of the URL takes disable",
        ),
        ("postgres://a@h/d?port=0", "port of the URL takes a number"),
        (
            "postgres://a@h/d?hostaddr=h",
            "hostaddr of the URL takes an IP address",
        ),
        (
            "postgres://a@h/d?host=h1,h2",
            "host of the URL takes one host",
        ),
        (
            "postgres://a@h/d?search_path=",
            "search_path of the URL takes",
        ),
        (
            "postgres://a@h/d?statement-cache-capacity=x",
            "takes a number",
        ),
        (
            "postgres://a@h/d?sslmode=require&ssl-mode=disable",
            "gives sslmode twice",
        ),
        (
            "postgres://a@h/d?search_path=a&options[search_path]=b",
            "gives search_path twice",
        ),
        ("postgres://a@h/d?user=b", "gives user twice"),
        ("postgres://a@h/d?dbname=b", "gives dbname twice"),
        (
            "postgres://a@h/d?sslmode=require&sslrootcert=x",
            "add sslmode=verify-full",
        ),
        ("postgres://a@h/d?sslrootcert=x", "add sslmode=verify-full"),
        (
            "postgres://a@h/d?sslcert=x",
            "only one of the parameters sslcert and sslkey",
        ),
        (
            "mariadb://a@h/d?ssl-mode=verify-full",
            "ssl-mode of the URL takes DISABLED",
        ),
        ("mariadb://a@h/d?ssl-ca=x", "add ssl-mode=VERIFY_IDENTITY"),
        (
            "mariadb://a@h/d?charset=latin1",
            "charset of the URL takes utf8mb4",
        ),
        ("mariadb://a@h/d?timezone=a'b", "timezone of the URL takes"),
        (
            "mariadb://a@h/d?socket=x",
            "socket of the URL takes the path",
        ),
        ("sqlite://a.db?mode=ro", "mode of the URL takes rwc or rw"),
        (
            "sqlite://a.db?immutable=1",
            "immutable of the URL takes false",
        ),
        ("sqlite://a.db?mode=memory", "in memory is lost"),
        ("sqlite::memory:", "in memory is lost"),
        ("sqlite://", "names no file"),
        ("postgres://a@h", "names no database"),
        ("postgres://a@h/", "names no database"),
        ("mariadb://a@h", "names no database"),
        ("postgres://a@h/d/e", "more than the name of one database"),
        ("postgres://a@h:0/d", "the port in the URL is not"),
        ("postgres://a@h:/d", "the port in the URL is not"),
        ("postgres://a@::1/d", "stands in brackets"),
        ("mariadb://a@%2Frun%2Fmysqld/d", "write ?socket="),
        ("postgres://a@h/\nd", "a control character"),
        ("postgres:a@h/d", "write it like"),
        ("pg://a@h/d", "write it like"),
        ("cortex-report.db", "write it like"),
        ("", "write it like"),
    ] {
        let error = parse(url).unwrap_err();
        let reason = reason.replace("a control character", "control character");
        assert!(error.contains(&reason), "{url}: {error}");
    }
}

/// A password is shown neither in errors nor with the URL.
#[test]
fn a_password_is_never_shown() {
    for scheme in ["postgres", "mariadb"] {
        for (password, encoded) in [
            ("hun/ter2", "%2F"),
            ("hun?ter2", "%3F"),
            ("hun#ter2", "%23"),
            ("hun%ter2", "%25"),
            ("12/hunter2", "%2F"),
            ("12#hunter2", "%23"),
            ("hun?sslmode=ter2", "%3F"),
            ("hun?hunter2=ter2", "%3F"),
            ("h@un/hunter2", "%2F"),
        ] {
            let error = parse(&format!("{scheme}://ann:{password}@h/d")).unwrap_err();
            assert!(error.contains(encoded), "{password}: {error}");
            assert!(!error.contains("hun") && !error.contains("ter2"), "{error}");
        }
        for password in [
            "hunter2@x",
            "hunter2:x",
            "hunter2%2F%3F%23%25",
            "hunter2 x",
            "hunter2[]",
        ] {
            let url = parse(&format!("{scheme}://ann:{password}@h/d")).unwrap();
            assert!(url.has_password());
            let shown = format!("{url} {url:?}");
            assert!(
                shown.contains("ann@h/d") && !shown.contains("hunter2"),
                "{shown}"
            );
        }
    }
    let url = parse("postgres://ann@h/d?password=hunter2&sslmode=require").unwrap();
    assert_eq!(url.to_string(), "postgres://ann@h/d?sslmode=require");
    assert!(url.has_password());
}

#[test]
fn a_url_reaches_sqlx_as_it_is_meant() {
    let postgres = |text: &str| match parse(text).unwrap().options {
        DatabaseOptions::Postgres(options) => options,
        _ => panic!("{text} is of PostgreSQL"),
    };
    let options = postgres("POSTGRESQL://ann@/d?host=/run/postgresql&port=5433");
    assert_eq!(options.get_socket(), Some(&"/run/postgresql".into()));
    assert_eq!((options.get_username(), options.get_port()), ("ann", 5433));
    let options = postgres("postgres://a%40b:p%25w@[::1]:5433/my%20d");
    assert_eq!((options.get_host(), options.get_port()), ("::1", 5433));
    assert_eq!(options.get_username(), "a@b");
    assert_eq!(options.get_database(), Some("my d"));
    assert_eq!(options.get_application_name(), Some("cortex-reportd"));
    assert!(format!("{options:?}").contains("p%w"));
    let options = postgres("postgres://ann@%2Frun%2Fpostgresql/d?options[statement_timeout]=5s");
    assert_eq!(options.get_socket(), Some(&"/run/postgresql".into()));
    assert_eq!(options.get_options(), Some("-c statement_timeout=5s"));
    for url in [
        "?search_path=app,public",
        "?options[search_path]=app,public",
    ] {
        let url = parse(&format!("postgres://ann@h/d{url}")).unwrap();
        assert_eq!(url.search_path(), Some("app,public"));
    }
    let mariadb = |text: &str| match parse(text).unwrap().options {
        DatabaseOptions::MariaDb(options) => options,
        _ => panic!("{text} is of MariaDB"),
    };
    let options = mariadb("mariadb://ann:p%40w@/d?socket=/run/mysqld.sock");
    assert_eq!(options.get_socket(), Some(&"/run/mysqld.sock".into()));
    assert_eq!(options.get_username(), "ann");
    let options = mariadb("mysql://ann@[::1]:3307/d");
    assert_eq!((options.get_host(), options.get_port()), ("::1", 3307));
    assert_eq!(options.get_database(), Some("d"));
    for timezone in ["Europe/Berlin", "%2B01:00"] {
        mariadb(&format!("mariadb://ann@h/d?timezone={timezone}"));
    }
    let url = parse("sqlite:///a%20b.db?mode=rw").unwrap();
    assert_eq!(url.sqlite_file(), Some(Path::new("/a b.db")));
    assert!(!url.may_create());
    assert!(parse("sqlite:a.db").unwrap().may_create());
}
