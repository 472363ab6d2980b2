//! `connplan trust`: the addresses and stores that a project file may name for this user's credentials.

use clap::Args;

use crate::{
    context::{Context, ExitStatus, Failure, Format, UsageError},
    model::ApiUrl,
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
                       connplan trust --list\n  connplan trust --remove https://base44.example.com",
    after_long_help = "A file of a checkout (.env, .env.local, connplan.toml) may name another address \
                       of the platform. Your login, and what BASE44_API_KEY and BASE44_ACCESS_TOKEN of \
                       your environment hold, go there only if the login was made for it, if \
                       BASE44_API_URL of your environment names it, or if you trust it here. The same \
                       goes for a store in object storage (`[store]` of connplan.toml) and your \
                       credentials there; a store is trusted with all that lies in it.\n\n\
                       Examples:\n  connplan trust https://base44.example.com   # a project file may name it\n  \
                       connplan trust s3://bucket/prefix           # a team's store\n  \
                       connplan trust --list\n  connplan trust --remove https://base44.example.com"
)]
pub struct TrustArgs {
    /// The address to trust, as the file names it
    #[arg(value_name = "URL", value_hint = clap::ValueHint::Url)]
    pub url: Option<String>,
    /// List the trusted addresses
    #[arg(long)]
    pub list: bool,
    /// Trust this address no longer
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    pub remove: Option<String>,
}

/// Trusts, or shows what is trusted.
pub fn run(args: &TrustArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let (state, say) = (&context.state, |text: String| context.terminal.say(&text));
    if let Some(text) = &args.url
        && let Some(store) = store(text)?
    {
        if Trust::add_store(state, &store, context.now())? {
            say(format!(
                "Project files may name the store {store} from now on."
            ));
        } else {
            say(format!("The store {store} was trusted already."));
        }
    } else if let Some(text) = &args.remove
        && let Some(store) = store(text)?
    {
        if Trust::remove_store(state, &store)? {
            say(format!("The store {store} is not trusted any more."));
        } else {
            say(format!("The store {store} was not trusted."));
        }
    } else if let Some(text) = &args.url {
        let url = parse(text)?;
        if Trust::add(state, &url, context.now())? {
            say(format!("Project files may name {url} from now on."));
            if !url.is_private() {
                context.warn(
                    "it is plain http: everybody on the way can read what is sent there, so \
                     credentials go there only with `--allow-http`",
                );
            }
        } else {
            say(format!("{url} was trusted already."));
        }
    } else if let Some(text) = &args.remove {
        let url = parse(text)?;
        if Trust::remove(state, &url)? {
            say(format!("{url} is not trusted any more."));
        } else {
            say(format!("{url} was not trusted."));
        }
    }
    let trust = Trust::load(state)?;
    view::trust::show(&trust, args.list, &medium, &context.terminal);
    Ok(ExitStatus::Done)
}

/// A store, if the text names one and not an address. A remote of a repository needs no trust: its
/// credentials are those of the clone.
fn store(text: &str) -> Result<Option<String>, Failure> {
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
        place @ Place::Object(_) => Ok(Some(place.to_string())),
        Place::Git(remote) => Err(UsageError::with_help(
            format!("`git:{remote}` needs no trust"),
            "a remote of the repository is reached as git itself reaches it",
        )
        .into()),
    }
}

fn parse(text: &str) -> Result<ApiUrl, Failure> {
    ApiUrl::parse(text).map_err(|why| {
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
