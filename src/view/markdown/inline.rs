//! Untrusted words within a line of Markdown.

use url::Url;

use super::Options;
use crate::{
    escape,
    model::{Account, Origin},
    risk::{Phrase, Piece},
    view::shell::shell_word,
};

/// Longer untrusted text is cut; the whole stands in the plan.
const LONGEST: usize = 160;

/// Untrusted text as a code span.
pub(super) fn code(text: &str) -> String {
    escape::markdown_code(&escape::limited(text, LONGEST))
}

/// A sentence of ours with untrusted words in it, whole; what stands between backticks is code.
pub(super) fn sentence(text: &str) -> String {
    const LONGEST: usize = 1200;
    let text = escape::limited(text, LONGEST);
    let mut out = String::with_capacity(text.len() + 16);
    for (number, piece) in text.split('`').enumerate() {
        if number % 2 == 1 {
            out.push_str(&escape::markdown_code(piece));
            continue;
        }
        let space = |is: bool| if is { " " } else { "" };
        out.push_str(space(piece.starts_with(' ')));
        out.push_str(&escape::markdown(piece));
        out.push_str(space(piece.len() > 1 && piece.ends_with(' ')));
    }
    out
}

/// Which project of the repository, where it is not at its root.
pub(super) fn project(options: &Options) -> String {
    let folder = options.folder.as_deref();
    folder.map_or_else(String::new, |folder| format!(", project {}", code(folder)))
}

/// Untrusted text for a line within the fence.
pub(super) fn plain(text: &str) -> String {
    escape::limited(text, LONGEST)
}

/// Untrusted text of several sentences for a line within the fence.
pub(super) fn plain_whole(text: &str) -> String {
    const LONGEST: usize = 1200;
    escape::limited(text, LONGEST)
}

/// Somebody's address, as far as strangers may read it.
pub(super) fn account(text: &str, options: &Options) -> String {
    // A pattern for a domain is nobody's address.
    let pattern = text
        .strip_prefix('@')
        .is_some_and(|rest| !rest.contains('@'));
    if options.show_accounts || pattern {
        text.to_owned()
    } else {
        Account::new(text).masked()
    }
}

/// Free text of the remote or about a file; addresses in it are masked too.
pub(super) fn message(text: &str, options: &Options) -> String {
    if options.show_accounts {
        text.to_owned()
    } else {
        mask_addresses(text)
    }
}

/// A sentence, with its untrusted pieces as code.
pub(super) fn phrase(phrase: &Phrase, options: &Options) -> String {
    let pieces = phrase.0.iter().map(|piece| match piece {
        Piece::Words(words) => words.to_string(),
        Piece::Scope(scope) => code(scope.as_str()),
        Piece::Account(text) => code(&account(text, options)),
    });
    pieces.collect()
}

/// A sentence for a line within the fence.
pub(super) fn plain_phrase(phrase: &Phrase, options: &Options) -> String {
    let pieces = phrase.0.iter().map(|piece| match piece {
        Piece::Words(words) => words.to_string(),
        Piece::Scope(scope) => plain(scope.as_str()),
        Piece::Account(text) => plain(&account(text, options)),
    });
    pieces.collect()
}

/// A command of ours as a code span; `file` is quoted as a shell needs it.
pub(super) fn command(before: &str, file: &str, after: &str, options: &Options) -> String {
    let before = options.next.within(before);
    escape::markdown_code(&format!("{before} {}{after}", shell_word(file)))
}

/// Where the whole is, as the end of a sentence.
pub(super) fn whole(options: &Options) -> String {
    match (&options.whole, &options.file) {
        // An address that was parsed holds neither white space nor angle brackets.
        (Some(url), _) if matches!(url.scheme(), "http" | "https") => {
            format!("the full text is [here](<{url}>)")
        }
        (_, Some(file)) => format!("the whole: {}", command("connplan show", file, "", options)),
        (_, None) => "`connplan show FILE` prints the full text".to_owned(),
    }
}

/// `Commit abc1234, run 7.`, with links where the run's address tells them; none where there is
/// nothing to tell. A run of another repository than this run's is none.
pub(super) fn origin(origin: &Origin, options: &Options) -> Option<String> {
    let is_here = |url: &Url| {
        options.repository.as_ref().is_none_or(|own| {
            // Forges take a name in any letters.
            let path = |url: &Url| url.path().trim_matches('/').to_ascii_lowercase();
            let (own_path, path) = (path(own), path(url));
            let rest = path.strip_prefix(&own_path);
            let is_below = rest.is_some_and(|rest| own_path.is_empty() || rest.starts_with('/'));
            own.origin() == url.origin() && is_below
        })
    };
    let run = origin.run_url.as_deref().and_then(|run| {
        let url = Url::parse(run).ok()?;
        // An address that was parsed holds neither white space nor angle brackets.
        (matches!(url.scheme(), "http" | "https") && is_here(&url)).then_some(url)
    });
    let commit = origin.commit.as_deref().map(|commit| {
        let short = escape::commit(commit);
        let is_name = commit.bytes().all(|b| b.is_ascii_alphanumeric());
        let page = run.as_ref().filter(|_| is_name).and_then(|run| {
            let run = run.as_str();
            let github = run.split_once("/actions/runs/");
            let github = github.map(|(project, _)| format!("{project}/commit/{commit}"));
            let gitlab = run.split_once("/-/");
            let gitlab = || gitlab.map(|(project, _)| format!("{project}/-/commit/{commit}"));
            github.or_else(gitlab)
        });
        match page {
            Some(page) => format!("commit [{}](<{page}>)", code(&short)),
            None => format!("commit {}", code(&short)),
        }
    });
    let run = run.map(|run| format!("[this run](<{run}>)"));
    match (commit, run) {
        (Some(commit), Some(run)) => Some(format!("Of {commit}, in {run}.")),
        (Some(commit), None) => Some(format!("Of {commit}.")),
        (None, Some(run)) => Some(format!("In {run}.")),
        (None, None) => None,
    }
}

/// Masks whatever looks like an e-mail address.
fn mask_addresses(text: &str) -> String {
    let in_local =
        |c: char| !(c.is_whitespace() || c.is_control() || "@<>()[]{},;:\"'`|\\/=".contains(c));
    let in_domain = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split('@').peekable();
    while let Some(part) = parts.next() {
        let Some(next) = parts.peek() else {
            out.push_str(part);
            break;
        };
        let is_address = next.starts_with(in_domain);
        let local = part
            .char_indices()
            .rev()
            .take_while(|(_, c)| in_local(*c))
            .last()
            .map_or(part.len(), |(at, _)| at);
        let (before, local) = part.split_at(local);
        out.push_str(before);
        match local.chars().next() {
            Some(first) if is_address => {
                out.push(first);
                out.push_str("***");
            }
            _ => out.push_str(local),
        }
        out.push('@');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_free_text_are_masked() {
        let cases = [
            (
                "held by ops@example.com, not you",
                "held by o***@example.com, not you",
            ),
            ("<a.b+c@x.org>;d@y.org", "<a***@x.org>;d***@y.org"),
            ("@team look", "@team look"),
            ("a @ b", "a @ b"),
            ("no address", "no address"),
            ("x@", "x@"),
        ];
        for (text, masked) in cases {
            assert_eq!(mask_addresses(text), masked);
        }
    }

    #[test]
    fn meanings_are_plain_words_in_markdown() {
        for connector in crate::catalogue::connectors() {
            for fact in crate::catalogue::facts(connector) {
                let active = |c: char| "*`<>[]|@#~&\\\n".contains(c);
                assert!(!fact.meaning.contains(active), "{}", fact.meaning);
            }
        }
    }

    #[test]
    fn a_domain_is_nobodys_address() {
        let options = Options::default();
        assert_eq!(account("@example.com", &options), "@example.com");
        assert_eq!(account("ops@example.com", &options), "o***@example.com");
        assert_eq!(account("@ops@example.com", &options), "@***@example.com");
        assert_eq!(account("Jane Doe", &options), "J***");
    }
}
