//! Diagnostics as GitHub workflow commands, which become annotations on the lines of a pull request.

use super::json::word;
use super::place::Places;
use crate::diagnostic::{Diagnostic, Sources};

pub(super) fn commands(sources: &Sources, found: &[Diagnostic]) -> String {
    let places = Places::new(sources);
    found.iter().map(|diagnostic| command(&places, diagnostic)).collect()
}

fn command(places: &Places<'_>, diagnostic: &Diagnostic) -> String {
    let region = places.region(&diagnostic.span);
    let mut properties = vec![
        ("file", property(places.path(&diagnostic.span))),
        ("line", region.line.to_string()),
        ("endLine", region.end_line.to_string()),
    ];
    // GitHub takes columns only where they are on one line.
    if region.line == region.end_line {
        properties.push(("col", region.column.to_string()));
        properties.push(("endColumn", region.end_column.to_string()));
    }
    properties.push(("title", property(diagnostic.code.id())));
    let properties: Vec<String> = properties.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let help = diagnostic.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    let message = data(&format!("{}{help}", diagnostic.message));
    format!("::{} {}::{message}\n", word(diagnostic.severity), properties.join(","))
}

/// What the runner takes a command's message apart at, escaped as it expects.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The same for a property, which a colon or a comma would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Code, Source, SourceId, Span};

    #[test]
    fn nothing_in_a_name_or_a_message_ends_a_command() {
        let sources = Sources(vec![Source::new("a,b:c%\n::error ::d.yml", "x: 1\n")]);
        let span = Span { source: SourceId(0), bytes: 0..1 };
        let diagnostic = Diagnostic::warning(Code::UnknownKey, &span, "100% `::`").help("a\nb");
        assert_eq!(
            commands(&sources, &[diagnostic]),
            "::warning file=a%2Cb%3Ac%25%0A%3A%3Aerror %3A%3Ad.yml,line=1,endLine=1,col=1,endColumn=2,\
             title=unknown-key::100%25 `::`%0Ahelp: a\\nb\n"
        );
    }
}
