//! `connplan trust`: the addresses and stores that a project file may name for this user's credentials, and the
//! user's own variables that an app may have.

use clap::Args;
use futures_util::future::OptionFuture;

use crate::{
    context::{Context, ExitStatus, Failure, Format, UsageError},
    git::Checkout,
    model::{ApiUrl, RunRepository},
    state::Trust,
    store::Place,
    view,
};

/// Arguments of `trust`.
#[derive(Clone, Debug, Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).args(["url", "list", "remove"]),
    after_help = "Examples:\n  connplan trust https://base44.example.com   # a project file may name it\n  \
                  connplan trust s3://bucket/prefix           # a team's store\n  \
                       connplan trust TENANT                       # `${TENANT}` of a connector file\n  \
                       connplan trust --list\n  connplan trust --remove https://base44.example.com",
    after_long_help = "A file of a checkout (.env, .env.local, connplan.toml) may name another address \
                       of the platform. Your login, and what BASE44_API_KEY and BASE44_ACCESS_TOKEN of \
                       your environment hold, go there only if the login was made for it, if \
                       BASE44_API_URL of your environment names it, or if you trust it here. The same \
                       goes for a store in object storage (`[store]` of connplan.toml) and your \
                       credentials there; a store is trusted with all that lies in it. A store in git needs \
                       no trust, unless this machine has used another one for the app; one that you trust \
                       (`connplan trust git:origin`) is also told what was waiting on this machine before the \
                       project named it. A connector \
                       file may fill a connection value with a variable of yours, `${TENANT}`: \
                       `connplan trust TENANT` lets the project's app have it.\n\n\
                       Examples:\n  connplan trust https://base44.example.com   # a project file may name it\n  \
                       connplan trust s3://bucket/prefix           # a team's store\n  \
                       connplan trust TENANT                       # `${TENANT}` of a connector file\n  \
                       connplan trust --list\n  connplan trust --remove https://base44.example.com"
)]
pub struct TrustArgs {
    /// The address or store to trust, as the file names it; or an environment variable that this app may read
    #[arg(value_name = "URL", value_hint = clap::ValueHint::Url)]
    pub url: Option<String>,
    /// List what is trusted
    #[arg(long)]
    pub list: bool,
    /// Stop trusting this
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    pub remove: Option<String>,
}

/// Trusts, or shows what is trusted.
pub async fn run(args: &TrustArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let state = &context.state;
    let text = args.url.as_ref().or(args.remove.as_ref());
    let store = OptionFuture::from(text.map(|text| store(context, text)));
    let store = store.await.transpose()?.flatten();
    let writing = context.signals.writing();
    let mut is_plain = false;
    let done = if let Some(store) = &store {
        if args.url.is_some() {
            if Trust::add_store(state, store, context.now())? {
                format!("Project files may name the store {store} from now on.")
            } else {
                format!("The store {store} was trusted already.")
            }
        } else if Trust::remove_store(state, store)? {
            format!("The store {store} is not trusted any more.")
        } else {
            format!("The store {store} was not trusted.")
        }
    } else if let Some(name) = args.url.as_deref().filter(|text| is_variable(text)) {
        is_set(name, context)?;
        let app = context.project(None)?.app()?;
        let now = context.now();
        if Trust::add_variables(state, &app, [name.to_owned()], now)? {
            format!("App {} may have your variable {name} from now on.", app.id)
        } else {
            format!(
                "App {} was allowed to have your variable {name} already.",
                app.id
            )
        }
    } else if let Some(name) = args.remove.as_deref().filter(|text| is_variable(text)) {
        let app = context.project(None)?.app()?;
        if Trust::remove_variable(state, &app, name)? {
            format!("App {} may not have your variable {name} any more.", app.id)
        } else {
            format!(
                "App {} was not allowed to have your variable {name}.",
                app.id
            )
        }
    } else if let Some(text) = &args.url {
        let url = parse(text)?;
        if Trust::add(state, &url, context.now())? {
            is_plain = !url.is_private();
            format!("Project files may name {url} from now on.")
        } else {
            format!("{url} was trusted already.")
        }
    } else if let Some(text) = &args.remove {
        let url = parse(text)?;
        if Trust::remove(state, &url)? {
            format!("{url} is not trusted any more.")
        } else {
            format!("{url} was not trusted.")
        }
    } else {
        String::new()
    };
    drop(writing);
    if !done.is_empty() {
        context.terminal.say(&done);
    }
    if is_plain {
        context.warn(
            "it is plain http: everybody on the way can read what is sent there, so credentials go there \
             only with `--allow-http`",
        );
    }
    let trust = Trust::load(state)?;
    view::trust::show(&trust, args.list, &medium, &context.terminal);
    Ok(ExitStatus::Done)
}

/// A store, if the text names one and not an address. A remote of this repository is trusted wherever it is
/// cloned, under any name.
async fn store(context: &Context, text: &str) -> Result<Option<String>, Failure> {
    let wrong = |why: String| {
        UsageError::with_help(
            why,
            "a store in object storage is `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`",
        )
    };
    if !Place::is_meant_by(text) {
        return Ok(None);
    }
    match Place::parse(text).map_err(|e| wrong(e.to_string()))? {
        place @ (Place::Object(_) | Place::Repository(_)) => Ok(Some(place.to_string())),
        Place::Git(remote) => {
            let root = context.project(None)?.root;
            let checkout = Checkout::of(&root, context.git())?;
            let run = RunRepository::of(&context.vars);
            let remote = checkout.remote(run.as_ref(), &remote).await?;
            Ok(Some(remote.store_name()))
        }
    }
}

/// A word is a variable only if there is one: else it is a slip.
fn is_set(name: &str, context: &Context) -> Result<(), Failure> {
    if context.vars.get(name).is_some() {
        return Ok(());
    }
    let name = crate::escape::limited(name, 200);
    Err(UsageError::with_help(
        format!(
            "`{name}` cannot be trusted: it is not an address, and you have no variable of that name"
        ),
        "an address looks like https://base44.example.com, a store like s3://bucket/prefix or \
         git:origin; a variable has to be set",
    )
    .into())
}

/// Whether the text names a variable, as `${NAME}` of a connector file does: no address is one.
fn is_variable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn parse(text: &str) -> Result<ApiUrl, Failure> {
    // Of `https:/host` a parser makes `https://host`: what is trusted is what was meant.
    let url = if text.contains("://") {
        ApiUrl::parse(text).map_err(|why| why.to_string())
    } else {
        Err("it is not an address: `://` is missing".to_owned())
    };
    url.map_err(|why| {
        UsageError::with_help(
            format!(
                "`{}` cannot be trusted: {why}",
                crate::escape::limited(text, 200)
            ),
            "give the address as the message shows it, for example https://base44.example.com",
        )
        .into()
    })
}
