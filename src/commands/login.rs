//! `connplan login`, `logout` and `whoami`: the login that the official client has too.

use clap::Args;
use jiff::Timestamp;

use crate::{
    config::environment,
    context::{Context, ExitStatus, Failure, Format, UsageError},
    escape,
    model::{ApiUrl, Vars},
    remote::{
        auth::{Identity, LoginFile},
        login,
    },
    view,
};

/// Arguments of `login`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  connplan login --no-browser   # prints the address and the code"
)]
pub struct LoginArgs {
    /// Print the address, open nothing
    #[arg(long)]
    pub no_browser: bool,
}

/// Arguments of `logout`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  connplan logout")]
pub struct LogoutArgs {}

/// Arguments of `whoami`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  connplan whoami --format json")]
pub struct WhoamiArgs {}

/// Logs in by the device flow.
pub async fn login(args: &LoginArgs, context: &Context) -> Result<ExitStatus, Failure> {
    context.format(&[Format::Text, Format::Json])?;
    let file = file(context)?;
    let (_, url) = surroundings(context)?;
    let platform = context.platform(&url)?;
    let code = platform.device_code().await?;
    // The code alone lets nobody in: it has to be confirmed by whoever is logged in there.
    context.terminal.insist(&format!(
        "Open {} and confirm the code:\n\n    {}\n",
        code.verification_uri.expose(),
        escape::terminal(&code.user_code)
    ));
    if !args.no_browser
        && context.terminal.is_interactive()
        && open::that_detached(code.verification_uri.expose()).is_err()
    {
        context.warn("no browser could be opened; open the address by hand");
    }
    let tokens = login::wait_for_consent(&platform, &code).await?;
    let stored = login::finish(&platform, tokens, &file).await?;
    let identity = Identity::Login {
        email: stored.email.clone(),
        name: stored.name.clone(),
        expires_at: stored.expires_at,
    };
    show(context, &identity, &url);
    Ok(ExitStatus::Done)
}

/// Forgets the login.
pub fn logout(_args: &LogoutArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let format = context.format(&[Format::Text, Format::Json])?;
    let removed = login::logout(&file(context)?)?;
    context.terminal.out(&match format {
        Format::Json => view::identity::logout_json(removed),
        _ if removed => "Logged out.\n".to_owned(),
        _ => "Nobody was logged in.\n".to_owned(),
    });
    Ok(ExitStatus::Done)
}

/// Says who is logged in, and by what.
pub async fn whoami(_args: &WhoamiArgs, context: &Context) -> Result<ExitStatus, Failure> {
    context.format(&[Format::Text, Format::Json])?;
    let (vars, url) = surroundings(context)?;
    let credentials = context.credentials(&vars)?;
    let mut identity = credentials.identity();
    if identity == Identity::Token
        && let Some(token) = vars.get("BASE44_ACCESS_TOKEN")
    {
        let token = crate::model::Secret::new(token);
        let user = context.platform(&url)?.userinfo(&token).await?;
        identity = Identity::Login {
            email: user.email,
            name: user.name,
            expires_at: u64::try_from(Timestamp::MAX.as_millisecond()).unwrap_or(u64::MAX),
        };
    }
    show(context, &identity, &url);
    Ok(ExitStatus::Done)
}

fn show(context: &Context, identity: &Identity, url: &ApiUrl) {
    context.terminal.out(&match context.globals.format {
        Format::Json => view::identity::json(identity, url),
        _ => view::identity::text(identity, url),
    });
}

/// Variables and address: the project's where there is one, the process's elsewhere.
fn surroundings(context: &Context) -> Result<(Vars, ApiUrl), Failure> {
    if let Ok(project) = context.project(None) {
        let url = project.api_url()?;
        return Ok((project.vars, url));
    }
    let vars = environment::merge(&context.vars, Some(&context.start))?;
    let url = match vars.get("BASE44_API_URL") {
        Some(text) => ApiUrl::parse(text)
            .map_err(|source| crate::config::ConfigError::BadApiUrl { source })?,
        None => ApiUrl::default(),
    };
    Ok((vars, url))
}

fn file(context: &Context) -> Result<LoginFile, Failure> {
    context
        .home
        .as_deref()
        .map(LoginFile::in_home)
        .ok_or_else(|| {
            UsageError::with_help(
                "there is no home folder to keep the login in",
                "set HOME, or use BASE44_API_KEY or BASE44_ACCESS_TOKEN",
            )
            .into()
        })
}
