//! Doc comments of the generated code.

use proc_macro2::TokenStream;
use quote::quote;

use super::model::Type;

/// Reason why a type is any JSON value, if there is one.
pub(crate) fn reason(kind: &Type) -> &'static str {
    match kind {
        Type::Any(reason) => reason.unwrap_or_default(),
        Type::List(kind) | Type::Map(kind) | Type::Nullable(kind) => reason(kind),
        _ => "",
    }
}

/// A doc comment: the description, and the reason why the type is any JSON value.
pub(crate) fn comment(description: &str, reason: &str) -> TokenStream {
    let mut lines = plain(description);
    if !reason.is_empty() {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(format!("Any JSON value, since {reason}."));
    }
    let lines = lines.iter().map(|line| match line.is_empty() {
        true => String::new(),
        false => format!(" {line}"),
    });
    quote!(#(#[doc = #lines])*)
}

/// The lines of a description, with code blocks that rustdoc does not compile.
fn plain(description: &str) -> Vec<String> {
    let mut fence: Option<String> = None;
    let mut lines = Vec::new();
    for line in description.trim_end().lines() {
        let line = line.replace('\r', " ");
        let text = line.trim_start();
        let marks: String = text
            .chars()
            .take_while(|mark| "`~".contains(*mark))
            .collect();
        lines.push(match &fence {
            Some(open) => {
                if marks.starts_with(open.as_str()) && text.len() == marks.len() {
                    fence = None;
                }
                line
            }
            None if marks.len() >= 3 => {
                let indent = &line[..line.len() - text.len()];
                let begin = format!("{indent}{marks}text");
                fence = Some(marks);
                begin
            }
            // Four spaces would begin code.
            None if line.starts_with("    ") => text.to_owned(),
            None => line,
        });
    }
    // The lines after it do not belong to the code block.
    lines.extend(fence);
    lines
}
