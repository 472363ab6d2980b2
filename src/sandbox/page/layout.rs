//! What the pages have in common.

use std::fmt::Write;

use axum::http::StatusCode;

use super::answer::HtmlPage;
use crate::{escape::html as escape, fs::FsError, sandbox::settings::Settings};

/// The colour of a page's badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Bad,
    Calm,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Calm => "calm",
        }
    }

    fn mark(self) -> &'static str {
        match self {
            Self::Good => "\u{2713}",
            Self::Bad => "!",
            Self::Calm => "\u{2013}",
        }
    }
}

/// A whole document. `main` is HTML.
pub(super) fn document(title: &str, class: &str, main: &str) -> String {
    let title = escape(title);
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/sandbox/style.css">
</head>
<body>
<main class="{class}">
{main}
</main>
<footer>connplan sandbox. Everything here is made up and stays on this machine.</footer>
</body>
</html>
"#
    )
}

/// A page that says one thing.
pub(super) fn notice(status: StatusCode, tone: Tone, title: &str, text: &str) -> HtmlPage {
    let (class, mark) = (tone.class(), tone.mark());
    let (heading, text) = (escape(title), escape(text));
    let main = format!(
        r#"<div class="badge {class}" aria-hidden="true">{mark}</div>
<h1>{heading}</h1>
<p class="lead">{text}</p>"#
    );
    HtmlPage(status, document(title, "card notice", &main))
}

/// The page for what is nobody's doing on it.
pub(super) fn trouble(error: &FsError) -> HtmlPage {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let title = "The sandbox is in trouble";
    notice(status, Tone::Bad, title, &error.to_string())
}

/// The round picture of a provider: its first letter, in a colour that depends on its name.
pub(super) fn monogram(name: &str) -> String {
    let letter = name
        .chars()
        .next()
        .unwrap_or('?')
        .to_uppercase()
        .to_string();
    let hue = name.bytes().fold(0_u8, u8::wrapping_add) % 6;
    let letter = escape(&letter);
    format!(r#"<span class="monogram hue-{hue}" aria-hidden="true">{letter}</span>"#)
}

/// The choice of a made-up account.
pub(super) fn accounts(settings: &Settings) -> String {
    let mut html = String::from("<fieldset>\n<legend>Account</legend>\n");
    for (n, person) in settings.accounts.iter().enumerate() {
        let (email, name) = (escape(person.email.as_str()), escape(&person.name));
        let checked = if n == 0 { " checked" } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(
            html,
            r#"<label class="row"><input type="radio" name="account" value="{email}"{checked}>
<span class="two"><strong>{name}</strong><span>{email}</span></span></label>
"#
        );
    }
    html.push_str(
        r#"<label class="row"><input type="radio" name="account" value="">
<span class="two"><strong>Another account</strong><span>the address below</span></span></label>
<label class="typed"><span>E-mail of another account</span>
<input type="email" name="other_account" autocomplete="off" spellcheck="false" placeholder="name@example.com"></label>
</fieldset>
"#,
    );
    html
}
