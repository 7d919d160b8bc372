//! Description of the browser or program that sends a request, in fixed words.
//!
//! A person who starts a login for another person's address chooses this header, and the page shows
//! it to that other person: a free text could tell them to type the code of somebody else.

use woothee::parser::Parser;

/// The text shown for an unknown program.
const UNKNOWN: &str = "an unknown program";

/// Programs other than browsers, by the first word of their header.
const PROGRAMS: [&str; 14] = [
    "aiohttp",
    "axios",
    "cortex-report",
    "curl",
    "Go-http-client",
    "HTTPie",
    "insomnia",
    "Java-http-client",
    "node-fetch",
    "okhttp",
    "PostmanRuntime",
    "python-httpx",
    "python-requests",
    "Wget",
];

/// Returns the name of the browser and its system, or of the program. It contains no text of the
/// header itself.
pub(crate) fn describe(user_agent: &str) -> String {
    let product = user_agent.split(['/', ' ']).next().unwrap_or_default();
    if let Some(program) = PROGRAMS.iter().find(|program| **program == product) {
        return program.to_string();
    }
    match Parser::new().parse(user_agent) {
        Some(found) if is_browser(found.name) => {
            format!("{} on {}", found.name, system(found.os))
        }
        _ => UNKNOWN.to_owned(),
    }
}

/// Returns true if the parser found a browser, and not only the system that it runs on.
fn is_browser(name: &str) -> bool {
    [
        "Chrome",
        "Edge",
        "Firefox",
        "Internet Explorer",
        "Opera",
        "Safari",
        "SamsungBrowser",
        "Sleipnir",
        "Vivaldi",
        "Webview",
        "Yandex Browser",
    ]
    .contains(&name)
}

/// Returns the common name of a system; browsers no longer send its version.
fn system(os: &str) -> &str {
    match os {
        "Mac OSX" => "macOS",
        "iPhone" | "iPad" | "iPod" | "iOS" | "Android" | "Linux" | "BSD" | "ChromeOS" => os,
        _ if os.starts_with("Windows") => "Windows",
        _ => "an unknown system",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_and_programs_are_known() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (header, shown) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                &format!(
                    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/140.0.0.0 Safari/537.36"
                ),
                "Chrome on Windows",
            ),
            (
                &format!(
                    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
                ),
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                &format!(
                    "Mozilla/5.0 (Linux; Android 10; K) {webkit} Chrome/140.0.0.0 Mobile Safari/537.36"
                ),
                "Chrome on Android",
            ),
            ("curl/8.14.1", "curl"),
            ("cortex-report/0.1.0", "cortex-report"),
            ("python-requests/2.32.5", "python-requests"),
        ] {
            assert_eq!(describe(header), shown, "{header}");
        }
    }

    #[test]
    fn no_word_of_a_stranger_comes_through() {
        let evil = "To cancel this login, get your cancel code at https://evil.example/c";
        for (header, shown) in [
            (format!("Chrome on Windows. {evil}"), UNKNOWN),
            (evil.to_owned(), UNKNOWN),
            (String::new(), UNKNOWN),
            ("-".to_owned(), UNKNOWN),
            (format!("curl/{evil}"), "curl"),
            (format!("curl {evil}"), "curl"),
            (
                format!("Mozilla/5.0 ({evil}) Firefox/{evil}"),
                "Firefox on an unknown system",
            ),
            (
                format!("Mozilla/5.0 (Windows {evil}; rv:1) Firefox/1"),
                "Firefox on Windows",
            ),
            (format!("DoCoMo/2.0 {evil}(c100)"), UNKNOWN),
            (format!("KDDI-{evil} UP.Browser"), UNKNOWN),
            ("\u{202e}xoferiF".to_owned(), UNKNOWN),
            ("x".repeat(10_000), UNKNOWN),
        ] {
            assert_eq!(describe(&header), shown, "{header}");
        }
    }
}
