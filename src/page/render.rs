//! The page's HTML. Every text passes [`escape::html`].

use std::fmt::Write as _;

use serde_json::json;

use super::board::{Moment, Offer, Row};
use crate::{
    authorize::{Consent, State},
    escape,
    model::{App, ConnectorType, Scope, Scopes},
    view::{authorization, report::FactReport},
};

/// So many scopes of a connector are shown unfolded; grave ones always are.
const SHOWN: usize = 8;

/// The whole page.
pub(super) fn page(app: &App, whose: &str, moment: &Moment) -> String {
    let count = moment.rows.len();
    let heading = match count {
        1 => "Authorize one connector".to_owned(),
        _ => format!("Authorize {count} connectors"),
    };
    let id = escape::html(app.id.as_str());
    let at = escape::html(app.api_url.as_str());
    let environment = app.environment.as_deref().map_or_else(String::new, |name| {
        format!(", environment <strong>{}</strong>", escape::html(name))
    });
    let whose = escape::html(whose);
    let mut cards = String::new();
    for row in &moment.rows {
        cards.push_str(&card(row, moment.ended));
    }
    let body = format!(
        r#"<header class="top">
<p class="eyebrow">connplan authorize</p>
<h1>{heading}</h1>
<p class="lead">For app <strong>{id}</strong>{environment} at {at}. Each button asks for a link and
opens the provider in a new tab; approve there within five minutes, then come back: this page shows
what came of it.</p>
<p class="lead">{whose}</p>
<div id="progress">{progress}</div>
</header>
<p id="gone" class="banner" hidden>connplan does not answer any more. If it was ended, run
<code>connplan authorize</code> again: nothing is lost. If it still waits in your terminal, reload this page.</p>
<noscript><p class="banner">Without scripts, reload this page to see what came of it.</p></noscript>
<main>
<ol class="cards">
{cards}</ol>
</main>
<p id="said" class="unseen" role="status" aria-live="polite"></p>
<footer>
<div id="foot">{foot}</div>
</footer>
<script src="live.js" defer></script>"#,
        progress = progress(moment),
        foot = foot(moment),
    );
    let class = if moment.ended { "ended" } else { "" };
    document(&title(moment), "", class, &body)
}

/// A page that says one thing.
pub(super) fn notice(title: &str, text: &str) -> String {
    document(title, "../", "", &notice_body(title, text))
}

/// The same for those who are not to know where the style is.
pub(super) fn plain_notice(title: &str, text: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{}</title></head>\n\
         <body>\n{}\n</body>\n</html>\n",
        escape::html(title),
        notice_body(title, text)
    )
}

fn notice_body(title: &str, text: &str) -> String {
    format!(
        r#"<main class="notice">
<h1>{}</h1>
<p class="lead">{}</p>
<p>You can close this tab.</p>
</main>"#,
        escape::html(title),
        escape::html(text)
    )
}

fn document(title: &str, up: &str, class: &str, body: &str) -> String {
    let title = escape::html(title);
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{up}style.css">
</head>
<body class="{class}">
{body}
</body>
</html>
"#
    )
}

/// What an open page is told: the parts that may have changed, each with the id of its place.
pub(super) fn news(moment: &Moment) -> String {
    let mut parts = vec![
        json!(["progress", null, progress(moment)]),
        json!(["foot", null, foot(moment)]),
    ];
    for row in &moment.rows {
        let place = format!("live-{}", row.result.connector);
        let state = row.result.state.as_str();
        parts.push(json!([place, state, live(row, moment.ended)]));
    }
    json!({
        "title": title(moment),
        "said": escape::terminal(&moment.said),
        "ended": moment.ended,
        "now": jiff::Timestamp::now().as_millisecond(),
        "parts": parts,
    })
    .to_string()
}

fn title(moment: &Moment) -> String {
    let (done, all) = (moment.done(), moment.rows.len());
    format!("({done}/{all}) Authorize connectors")
}

fn progress(moment: &Moment) -> String {
    let (done, all) = (moment.done(), moment.rows.len());
    let mut html = format!(
        r#"<p><strong>{done} of {all}</strong> authorized</p>
<progress max="{all}" value="{done}" aria-label="Authorized connectors">{done} of {all}</progress>"#
    );
    if let Some(trouble) = &moment.trouble {
        let trouble = escape::html(&escape::limited(trouble, 400));
        // Writing to a string cannot fail.
        let _ = write!(
            html,
            "<p class=\"trouble\">The app cannot be asked just now; it is asked again in a \
             moment. {trouble}</p>"
        );
    }
    html
}

fn foot(moment: &Moment) -> String {
    if moment.done() == moment.rows.len() {
        return "<p class=\"banner good\"><strong>All done.</strong> You can close this page.</p>"
            .to_owned();
    }
    if moment.ended {
        return "<p class=\"banner\"><strong>connplan has stopped waiting.</strong> What is left \
                is pending: run <code>connplan authorize</code> again to go on.</p>"
            .to_owned();
    }
    r#"<p>You can close this page: nothing is lost, and its address stays in the terminal.</p>
<form method="post" action="finish"><button class="quiet">Stop waiting, leave the rest for later</button></form>"#
        .to_owned()
}

fn card(row: &Row, ended: bool) -> String {
    let connector = &row.result.connector;
    let who = row.result.expected.as_ref().map_or_else(
        || "<p class=\"who\">You choose the account at the provider.</p>".to_owned(),
        |expected| {
            let name = escape::html(&escape::limited(expected.as_str(), 120));
            let with = if expected.as_str().starts_with('@') {
                "with an account of"
            } else {
                "as"
            };
            format!("<p class=\"who\">Sign in {with} <strong>{name}</strong></p>")
        },
    );
    let values: Vec<_> = authorization::values(&row.result)
        .map(|(name, value)| {
            let (name, value) = (escape::html(&name), escape::html(&value));
            format!("<p class=\"who\">{name}: <strong>{value}</strong></p>")
        })
        .collect();
    let values = values.concat();
    format!(
        r#"<li class="card" data-state="{state}">
<div class="head">{monogram}<div><h2 id="name-{connector}" tabindex="-1">{connector}</h2>{who}{values}</div></div>
<div class="live" id="live-{connector}">{live}</div>
<section class="scopes" aria-labelledby="may-{connector}">
<h3 id="may-{connector}">{may}</h3>
{scopes}</section>
</li>
"#,
        state = row.result.state.as_str(),
        monogram = monogram(connector),
        live = live(row, ended),
        may = may(row),
        scopes = scopes(connector, &row.result.scopes),
    )
}

/// What is over is told in the past.
fn may(row: &Row) -> &'static str {
    match &row.result.state {
        State::Consented(Consent::Granted { .. }) => "What it was allowed to do",
        State::Consented(Consent::Partial { .. }) => "What was asked for",
        _ => "What it will be allowed to do",
    }
}

fn monogram(connector: &ConnectorType) -> String {
    let name = connector.as_str();
    let letter = name.chars().next().unwrap_or('?').to_ascii_uppercase();
    let hue = name.bytes().fold(0_u8, u8::wrapping_add) % 6;
    let letter = escape::html(&letter.to_string());
    format!(r#"<span class="monogram hue-{hue}" aria-hidden="true">{letter}</span>"#)
}

/// The part of a card that changes.
fn live(row: &Row, ended: bool) -> String {
    let (mark, word) = word(row);
    let connector = &row.result.connector;
    let mut html = format!(
        r#"<p class="state"><span class="pill"><span aria-hidden="true">{mark}</span> {word}</span></p>"#
    );
    let sentence = match &row.result.state {
        State::Waiting(_) if row.ran_out => {
            "The five minutes for the last link are over. Ask again when you are ready."
        }
        // The word says it all.
        State::Waiting(_) | State::Skipped | State::TimedOut => "",
        _ => &sentence(row),
    };
    if !sentence.is_empty() {
        let _ = write!(html, "<p class=\"what\">{}</p>", escape::html(sentence));
    }
    if let State::Consented(Consent::Partial { missing, .. }) = &row.result.state {
        let _ = write!(
            html,
            "<p class=\"missing\">Not granted:</p>{}",
            list(connector, missing.iter())
        );
    }
    for warning in authorization::warnings(&row.result) {
        let _ = write!(html, "<p class=\"warning\">{}</p>", escape::html(&warning));
    }
    if ended || !has_button(row) {
        return html;
    }
    let (label, class) = match &row.offer {
        Some(offer) => {
            html.push_str(&countdown(offer));
            match &offer.led_to {
                Some(known) => {
                    let (host, known) = (escape::html(&offer.link.host()), escape::html(known));
                    let _ = write!(
                        html,
                        "<p class=\"warning\">Its link leads to <strong>{host}</strong>; earlier \
                         ones led to {known}. Open it only if you know why.</p>"
                    );
                    (format!("Open {} all the same", offer.link.host()), "button")
                }
                None if offer.opened => (format!("Open {connector} once more"), "button"),
                None => (format!("Authorize {connector}"), "button primary"),
            }
        }
        None if row.ran_out || !row.result.state.is_waiting() => {
            (format!("Ask again for {connector}"), "button")
        }
        None => (format!("Authorize {connector}"), "button primary"),
    };
    let _ = write!(
        html,
        r#"<p><a class="{class}" href="open/{connector}" target="_blank" rel="noopener noreferrer">{}<span class="unseen"> (opens a new tab)</span></a></p>"#,
        escape::html(&label)
    );
    html
}

/// How long the link that is out can be used. The script counts.
fn countdown(offer: &Offer) -> String {
    let until = offer.until.as_millisecond();
    let again = if offer.again {
        "This is a new link. "
    } else {
        ""
    };
    let opened = if offer.opened {
        "Its tab was opened: decide there, then come back. "
    } else {
        ""
    };
    format!(
        "<p class=\"what\">{again}{opened}<span class=\"clock\" data-until=\"{until}\">Approve within \
         five minutes of opening it.</span></p>"
    )
}

/// Whether there is something to press.
pub(super) fn has_button(row: &Row) -> bool {
    row.result.state.is_waiting()
        || row.result.state == State::Skipped
        || row.result.state.can_be_asked_again()
}

/// What happened, as a sentence.
pub(super) fn sentence(row: &Row) -> String {
    let what = match &row.result.state {
        State::Declined => {
            "Declined, or its link expired, or somebody else is authorizing it too. It stays \
             pending and can be asked for again."
                .to_owned()
        }
        State::Consented(Consent::Partial { .. }) => {
            let what = authorization::what(&row.result);
            format!("{what}. Ask again and tick everything, or leave it pending.")
        }
        State::Consented(Consent::WrongAccount { .. }) => {
            let next = authorization::next(&row.result, &row.again).unwrap_or_default();
            format!("{}. To fix it: {next}.", authorization::what(&row.result))
        }
        _ => format!("{}.", authorization::what(&row.result)),
    };
    let mut letters = what.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

fn word(row: &Row) -> (&'static str, &'static str) {
    match &row.result.state {
        State::Consented(Consent::Granted { .. }) => ("\u{2713}", "Authorized"),
        State::Consented(Consent::Partial { .. }) => ("\u{25d0}", "Partly authorized"),
        State::Consented(Consent::WrongAccount { .. }) => ("!", "Wrong account"),
        State::Waiting(_) if row.offer.as_ref().is_some_and(|offer| offer.opened) => {
            ("\u{25cb}", "Opened, waits for your decision")
        }
        State::Waiting(_) => ("\u{25cb}", "Waits for you"),
        State::TimedOut => ("\u{2013}", "Time is up, still pending"),
        State::Skipped => ("\u{2013}", "Skipped, still pending"),
        State::Declined => ("\u{2013}", "Declined or run out"),
        State::Failed(_) => ("!", "Failed"),
        State::Untouched(_) | State::Undeclared(_) => ("\u{2013}", "Left alone"),
    }
}

fn scopes(connector: &ConnectorType, scopes: &Scopes) -> String {
    if scopes.is_empty() {
        return "<p class=\"none\">It asks for no scope in particular; the provider decides.</p>\n"
            .to_owned();
    }
    // A fold for one line would take as much room.
    let all = scopes.len() <= SHOWN + 1;
    let shown = |(index, scope): &(usize, &Scope)| {
        all || *index < SHOWN || FactReport::of(connector, scope).is_grave()
    };
    let (open, folded): (Vec<_>, Vec<_>) = scopes.iter().enumerate().partition(shown);
    let of = |scopes: Vec<(usize, &'_ Scope)>| -> Vec<Scope> {
        scopes.into_iter().map(|(_, scope)| scope.clone()).collect()
    };
    let (open, folded) = (of(open), of(folded));
    let mut html = list(connector, open.iter());
    if !folded.is_empty() {
        let _ = writeln!(
            html,
            "<details><summary>{} more</summary>{}</details>",
            folded.len(),
            list(connector, folded.iter())
        );
    }
    html
}

fn list<'a>(connector: &ConnectorType, scopes: impl Iterator<Item = &'a Scope>) -> String {
    let mut html = String::from("<ul>\n");
    for scope in scopes {
        let fact = FactReport::of(connector, scope);
        let meaning = fact
            .meaning
            .unwrap_or("connplan knows nothing about it; that does not mean that it is safe");
        let grave = if fact.is_grave() { " grave" } else { "" };
        let access = fact.access.and(fact.reach()).map_or_else(
            || "<span class=\"tag unknown\">unknown</span>".to_owned(),
            |access| format!("<span class=\"tag {access}{grave}\">{access}</span>"),
        );
        let class = fact.class.map_or_else(String::new, |class| {
            format!(" <span class=\"tag{grave}\">{}</span>", escape::html(class))
        });
        let name = escape::html(&escape::limited(scope.as_str(), 200));
        let _ = writeln!(
            html,
            "<li><span class=\"meaning\">{} {access}{class}</span><code>{name}</code></li>",
            escape::html(meaning)
        );
    }
    html.push_str("</ul>\n");
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        authorize::{AuthorizationResult, Stage},
        diff::Action,
        model::{ApiUrl, AppId, ExpectedAccount, Link},
    };

    fn row(state: State) -> Row {
        let waits = state.is_waiting();
        Row {
            result: AuthorizationResult {
                connector: ConnectorType::parse("slack").unwrap(),
                action: Action::Create,
                scopes: ["chat:write", "<b>\u{202e}x"].into_iter().collect(),
                values: [("<u>name".to_owned(), "<s>\u{202e}value".to_owned())].into(),
                plan: None,
                expected: ExpectedAccount::parse("<i>@example.com"),
                since: jiff::Timestamp::UNIX_EPOCH,
                state,
                took: None,
                note: None,
            },
            again: authorization::Again::default(),
            offer: waits.then(|| Offer {
                link: Link::parse("https://auth.example.com/canary").unwrap(),
                until: jiff::Timestamp::UNIX_EPOCH,
                again: false,
                opened: false,
                led_to: None,
            }),
            version: 0,
            ran_out: false,
        }
    }

    #[test]
    fn the_page_holds_no_link_and_no_markup_of_others() {
        let app = App {
            id: AppId::parse("a1").unwrap(),
            api_url: ApiUrl::default(),
            environment: Some("<script>".to_owned()),
        };
        let failed = State::Failed("<img src=x>".to_owned().into());
        let moment = Moment {
            rows: vec![row(State::Waiting(Stage::Idle)), row(failed)],
            said: "<u>".to_owned(),
            trouble: Some("<a>".to_owned()),
            ended: false,
        };
        let html = page(&app, "<ins>", &moment);
        for bad in [
            "canary", "<b>", "<i>", "<ins>", "<img", "<a>", "<script>", "\u{202e}",
        ] {
            assert!(!html.contains(bad), "{bad}: {html}");
            assert!(!notice(bad, bad).contains(&format!("<p>{bad}")), "{bad}");
        }
        assert!(html.contains("href=\"open/slack\" target=\"_blank\" rel=\"noopener noreferrer\""));
        assert!(!news(&moment).contains("canary"));
    }

    #[test]
    fn what_is_over_has_no_button() {
        let over = row(State::Waiting(Stage::Idle));
        assert!(!live(&over, true).contains("<a "));
        assert!(live(&over, false).contains("<a "));
        let done = State::Consented(Consent::Granted {
            account: None,
            instead_of: None,
            unasked: Scopes::new(),
            dropped: Scopes::new(),
        });
        assert!(!live(&row(done), false).contains("<a "));
        assert!(live(&row(State::Declined), false).contains("Ask again"));
    }
}
