//! `connplan trust`: the addresses and stores that a project file may name for this user's credentials, and the
//! user's own variables that an app may have.

use clap::Args;

use crate::{
    context::{Context, ExitStatus, Failure, Format, UsageError},
    git::Checkout,
    model::{ApiUrl, App, RunRepository},
    state::{AppState, StateFolder, Trust},
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
                       no trust, unless this machine has used another one for the app: the one that you trust \
                       (`connplan trust git:origin`) takes its place, and is also told what was waiting on this \
                       machine before the project named it. `--list` shows it, and `--remove` ends it. A connector \
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
    /// List what is trusted, and which store this machine has used for the app
    #[arg(long)]
    pub list: bool,
    /// Stop trusting this, or using this store for the app
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    pub remove: Option<String>,
}

/// Trusts, or shows what is trusted.
pub async fn run(args: &TrustArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let state = &context.state;
    let here = Here::of(context).await?;
    let used = here.as_ref().map_or(&[][..], |here| &here.used);
    let before = Trust::load(state)?;
    let is_listed = |text: &str| {
        let mut trusted = before.stores();
        used.iter().any(|used| used == text) || trusted.any(|(trusted, _)| trusted == text)
    };
    let store = match args.url.as_ref().or(args.remove.as_ref()) {
        // As `--list` shows it: no remote may lead there any more.
        Some(text) if args.remove.is_some() && is_listed(text) => Some(text.clone()),
        Some(text) => store(context, text).await?,
        None => None,
    };
    let writing = context.signals.writing();
    let mut is_plain = false;
    let done = if let Some(store) = &store {
        if args.url.is_some() {
            trust_store(store, here.as_ref(), context)?
        } else {
            end_store(store, here.as_ref(), state)?
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
    let used = match &here {
        Some(here) => Some((&here.app, here.state.stores()?)),
        None => None,
    };
    view::trust::show(&trust, used.as_ref(), args.list, &medium, &context.terminal);
    Ok(ExitStatus::Done)
}

/// The app of the project that this runs in, and the stores that this machine has used for it. A pipeline remembers
/// none.
struct Here {
    app: App,
    state: AppState,
    used: Vec<String>,
    /// The one that the settings name.
    named: Option<String>,
}

impl Here {
    async fn of(context: &Context) -> Result<Option<Self>, Failure> {
        let project = context.project(None).ok();
        let app = project.as_ref().and_then(|project| project.app().ok());
        let (Some(project), Some(app), false) = (project, app, context.vars.ci()) else {
            return Ok(None);
        };
        let state = context.state.app(&app);
        if state.dir().is_none() {
            return Ok(None);
        }
        let named = match &project.settings.store.url {
            Some(url) => store(context, url).await.unwrap_or_default(),
            None => None,
        };
        let used = state.stores()?;
        Ok(Some(Self {
            app,
            state,
            used,
            named,
        }))
    }
}

/// Trusts a store. Where the project uses it, it is the app's on this machine, and no other is.
fn trust_store(store: &str, here: Option<&Here>, context: &Context) -> Result<String, Failure> {
    let done = if Trust::add_store(&context.state, store, context.now())? {
        format!("Project files may name the store {store} from now on.")
    } else {
        format!("The store {store} was trusted already.")
    };
    let trust = Trust::load(&context.state)?;
    if let Some(Here {
        app,
        state,
        named: Some(named),
        ..
    }) = here
        && trust.contains_store(named)
        && state.choose_store(named)?
    {
        let app = &app.id;
        return Ok(format!(
            "{done} This machine takes {named} for the store of app {app}, and no other."
        ));
    }
    Ok(done)
}

/// Trusts a store no longer, and takes it no longer for the app's.
fn end_store(store: &str, here: Option<&Here>, folder: &StateFolder) -> Result<String, Failure> {
    let is_trusted = Trust::remove_store(folder, store)?;
    let mut done = Vec::new();
    if is_trusted {
        done.push(format!("The store {store} is not trusted any more."));
    }
    if let Some(Here { app, state, .. }) = here
        && state.forget_store(store)?
    {
        let app = &app.id;
        done.push(format!(
            "This machine does not take {store} for the store of app {app} any more."
        ));
    }
    if done.is_empty() {
        return Ok(format!("The store {store} was not trusted."));
    }
    Ok(done.join(" "))
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
