//! `connplan login`, `logout` and `whoami`: the login that the official client has too.

use clap::Args;

use crate::{
    context::{Context, ExitStatus, Failure, Format, UsageError, hides_login},
    escape,
    model::ApiUrl,
    remote::{
        RemoteError, UserInfo,
        auth::{CredentialOrigin, Identity, LoginFile, Who},
        login::{self, LoginError},
    },
    term::{self, Opener},
    view::{self, Medium},
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
    let medium = context.medium(&[Format::Text, Format::Json])?;
    if context.vars.ci() || context.globals.no_input {
        return Err(UsageError::with_help(
            "a login needs a person to confirm a code, and this run is not interactive (CI is \
             set, or --no-input was given)",
            "set BASE44_ACCESS_TOKEN to a personal access token",
        )
        .into());
    }
    let file = file(context)?;
    let (vars, address) = context.surroundings()?;
    context.login_address(&address).await?;
    // Before anybody is asked to confirm a login that has no place.
    file.check_writable()?;
    let url = address.url;
    let platform = context.platform(&url)?;
    let code = platform.device_code().await.map_err(LoginError::from)?;
    // The code alone lets nobody in: it has to be confirmed by whoever is logged in there.
    context.terminal.insist(&format!(
        "Open {} and confirm the code:\n\n    {}\n",
        code.verification_uri.expose(),
        escape::terminal(&code.user_code)
    ));
    // Over SSH the system's own would open where nobody sits.
    let far = Opener::of(&context.vars) == Opener::Elsewhere;
    if !args.no_browser
        && !far
        && context.terminal.is_interactive()
        && term::open_browser(&context.vars, code.verification_uri.expose()).is_err()
    {
        context.warn("no browser could be opened; open the address by hand");
    }
    let tokens = login::wait_for_consent(&platform, &code).await?;
    let writing = context.signals.writing();
    let stored = login::finish(&platform, tokens, &file).await?;
    drop(writing);
    let who = Who {
        identity: Identity::Login {
            email: stored.email.clone(),
            name: stored.name.clone(),
            expires_at: stored.expires_at,
        },
        origin: Some(CredentialOrigin::LoginFile(file.path().to_owned())),
        hides: None,
    };
    show(context, &who, None, &url, &medium);
    if let Some(variable) = hides_login(&vars) {
        context.warn(&format!(
            "{variable} is used instead of this login as long as it is set"
        ));
    }
    Ok(ExitStatus::Done)
}

/// Forgets the login.
pub fn logout(_args: &LogoutArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let file = file(context)?;
    let writing = context.signals.writing();
    let removed = login::logout(&file)?;
    drop(writing);
    context
        .terminal
        .out(&view::identity::logged_out(removed, &medium));
    if let Ok((vars, _)) = context.surroundings()
        && let Some(variable) = hides_login(&vars)
    {
        context.warn(&format!("{variable} is still set, and is used"));
    }
    Ok(ExitStatus::Done)
}

/// Says who is logged in, and by what.
pub async fn whoami(_args: &WhoamiArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let (vars, address) = context.surroundings()?;
    let credentials = context.credentials(&vars, &address).await?;
    let url = address.url;
    let who = credentials.who().clone();
    let user = match &who.identity {
        Identity::Token | Identity::PersonalToken => {
            let platform = context.platform(&url)?;
            match login::owner(&platform, credentials).await {
                Ok(user) => Some(user),
                // It may be good for everything but this question.
                Err(error) if who.identity == Identity::PersonalToken && !is_refusal(&error) => {
                    None
                }
                Err(error) => return Err(error.into()),
            }
        }
        Identity::ApiKey | Identity::Login { .. } => None,
    };
    show(context, &who, user.as_ref(), &url, &medium);
    if let Who {
        origin: Some(by),
        hides: Some(CredentialOrigin::LoginFile(path)),
        ..
    } = &who
    {
        context.warn(&format!(
            "{by} is used instead of the login in {}",
            escape::path(path)
        ));
    }
    Ok(ExitStatus::Done)
}

fn is_refusal(error: &RemoteError) -> bool {
    matches!(error, RemoteError::Unauthorized { .. })
}

fn show(context: &Context, who: &Who, user: Option<&UserInfo>, url: &ApiUrl, medium: &Medium<'_>) {
    context
        .terminal
        .out(&view::identity::show(who, user, url, medium));
}

fn file(context: &Context) -> Result<LoginFile, Failure> {
    context.login_file().ok_or_else(|| {
        UsageError::with_help(
            "there is no home folder to keep the login in",
            "set HOME, or use BASE44_ACCESS_TOKEN",
        )
        .into()
    })
}
