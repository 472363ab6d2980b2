//! What is answered to what.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{
        Html, IntoResponse, Redirect, Response, Sse,
        sse::{Event as ServerEvent, KeepAlive},
    },
    routing::{get, post},
};
use futures_util::stream;
use tokio::sync::mpsc;

use super::{
    board::{Board, Moment},
    guard::{Hosts, Refused, same_secret},
    render,
};
use crate::{
    authorize::Command,
    model::{App, ConnectorType, Secret},
};

/// How long a person waits for a fresh link before being told that there is none.
const PATIENCE: Duration = Duration::from_secs(45);

/// No script, style or connection but our own; nothing is framed, no form goes elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // The address is a secret: no page that is opened from here hears it.
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
];

/// What the answers are made of.
pub(super) struct Site {
    pub(super) hosts: Hosts,
    pub(super) path: Secret,
    pub(super) app: App,
    pub(super) whose: String,
    pub(super) board: Arc<Board>,
    pub(super) commands: mpsc::Sender<Command>,
}

type Shared = State<Arc<Site>>;

pub(super) fn router(site: Site) -> Router {
    let site = Arc::new(site);
    Router::new()
        .route("/{path}/", get(page))
        .route("/{path}/style.css", get(style))
        .route("/{path}/live.js", get(script))
        .route("/{path}/events", get(events))
        .route("/{path}/open/{connector}", get(open))
        .route("/{path}/finish", post(finish))
        .fallback(nothing)
        .layer(middleware::from_fn_with_state(Arc::clone(&site), guard))
        .with_state(site)
}

/// Everybody else learns nothing, not even whether the path exists.
async fn guard(State(site): Shared, request: Request, next: Next) -> Response {
    let mut segments = request.uri().path().split('/').skip(1);
    let path = segments.next().unwrap_or_default();
    let mut response = if let Err(refused) = site.hosts.check(request.headers()) {
        refusal(&refused)
    } else if is_prefetch(&request) {
        // Nobody pressed anything yet.
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    } else if same_secret(path, site.path.expose()) {
        next.run(request).await
    } else {
        StatusCode::NOT_FOUND.into_response()
    };
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

async fn nothing() -> StatusCode {
    StatusCode::NOT_FOUND
}

async fn page(State(site): Shared) -> Html<String> {
    Html(render::page(&site.app, &site.whose, &site.board.now()))
}

async fn style() -> Response {
    let kind = (header::CONTENT_TYPE, "text/css; charset=utf-8");
    ([kind], include_str!("style.css")).into_response()
}

async fn script() -> Response {
    let kind = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
    ([kind], include_str!("live.js")).into_response()
}

/// The page's state, now and after each change, until the end.
async fn events(State(site): Shared) -> Response {
    let mut moments = site.board.watch();
    moments.mark_changed();
    let news = stream::unfold((moments, false), |(mut moments, ended)| async move {
        if ended || moments.changed().await.is_err() {
            return None;
        }
        let (event, ended) = {
            let moment = moments.borrow_and_update();
            (render::news(&moment), moment.ended)
        };
        let event = ServerEvent::default().data(event);
        Some((Ok::<_, Infallible>(event), (moments, ended)))
    });
    Sse::new(news)
        .keep_alive(KeepAlive::default())
        .into_response()
}

/// Leads to the link of the moment, which is asked for when there is none.
async fn open(State(site): Shared, Path((_, connector)): Path<(String, String)>) -> Response {
    let Ok(connector) = ConnectorType::parse(connector) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut moments = site.board.watch();
    let moment = moments.borrow_and_update().clone();
    let Some(row) = moment.row(&connector) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if moment.ended {
        return notice(StatusCode::GONE, "connplan has stopped waiting", ENDED);
    }
    if let Some(offer) = &row.offer {
        site.board.opened(&connector);
        return Redirect::to(offer.link.expose()).into_response();
    }
    if !render::has_button(row) {
        let title = format!("Nothing to do for {connector}");
        return notice(StatusCode::OK, &title, &render::sentence(row));
    }
    let seen = row.version;
    let want = Command::Want(connector.clone());
    if site.commands.send(want).await.is_err() {
        return notice(StatusCode::GONE, "connplan has stopped waiting", ENDED);
    }
    let news = moments.wait_for(|moment| {
        moment.ended || moment.row(&connector).is_some_and(|row| row.version > seen)
    });
    let link = match tokio::time::timeout(PATIENCE, news).await {
        Ok(Ok(moment)) => fresh(&moment, &connector),
        _ => Err("The app did not answer in time. Try again from the page.".to_owned()),
    };
    match link {
        Ok(link) => {
            site.board.opened(&connector);
            Redirect::to(link.expose()).into_response()
        }
        Err(reason) => {
            let title = format!("No link for {connector}");
            notice(StatusCode::BAD_GATEWAY, &title, &reason)
        }
    }
}

/// The link, unless it leads elsewhere than usual: then the page says so, and has another button.
fn fresh(moment: &Moment, connector: &ConnectorType) -> Result<crate::model::Link, String> {
    let row = moment.row(connector).filter(|_| !moment.ended);
    let row = row.ok_or_else(|| ENDED.to_owned())?;
    match &row.offer {
        None => Err(render::sentence(row)),
        Some(offer) if offer.led_to.is_some() => Err(
            "Its link leads to another host than earlier links. Go back to the page: it says where, \
             and you decide there."
                .to_owned(),
        ),
        Some(offer) => Ok(offer.link.clone()),
    }
}

/// A browser that looks ahead asks for pages that nobody has opened.
fn is_prefetch(request: &Request) -> bool {
    let mut names = ["sec-purpose", "purpose", "x-moz"].into_iter();
    names.any(|name| {
        let value = request.headers().get(name);
        value.is_some_and(|v| v.to_str().is_ok_and(|text| text.contains("prefetch")))
    })
}

/// Says to a person why this page does not answer. It tells nothing that is not in the request.
fn refusal(refused: &Refused) -> Response {
    let text = match refused {
        Refused::Host(host) => format!(
            "This page is only served under the names localhost and 127.0.0.1, on any port; this request was \
             for {host}. If you forward its port under another name, run `connplan authorize \
             --page-host NAME[:PORT]` with that name."
        ),
        Refused::Elsewhere => "Another page sent you here. Open the address that the terminal \
                               shows by hand."
            .to_owned(),
    };
    let page = render::plain_notice("connplan does not answer here", &text);
    (StatusCode::FORBIDDEN, Html(page)).into_response()
}

const ENDED: &str = "Run `connplan authorize` again: nothing is lost, what is left is pending.";

fn notice(status: StatusCode, title: &str, text: &str) -> Response {
    (status, Html(render::notice(title, text))).into_response()
}

async fn finish(State(site): Shared) -> Response {
    // If it is over already, that is what was wanted.
    let _ = site.commands.send(Command::Finish).await;
    // With script, the page stays and shows its own end; soon nobody answers any more.
    notice(StatusCode::OK, "connplan has stopped waiting", ENDED)
}
