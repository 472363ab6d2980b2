//! `connplan sandbox`.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use crate::{
    context::{Context, ExitStatus, Failure, Format},
    fs,
    sandbox::{self, Options, Seed, Settings},
    view,
};

/// Arguments of `sandbox`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  connplan sandbox --state sandbox.json\n  \
                        # then, in another terminal:\n  \
                        export BASE44_API_URL=… BASE44_ACCESS_TOKEN=b44u_…\n  connplan plan --app-id any-id")]
pub struct SandboxArgs {
    /// Listen on this port of 127.0.0.1 [default: the port used last time, or any free one]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// Keep the state in FILE, so that it survives a restart
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub state: Option<PathBuf>,
    /// Start with what FILE describes, unless there is a state already
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub seed: Option<PathBuf>,
    /// Wait this many milliseconds before each answer
    #[arg(
        long,
        value_name = "MS",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub latency: u64,
    /// Start with the state of `connplan demo`: the app `demo-app`
    #[arg(long, conflicts_with = "seed")]
    pub demo: bool,
    /// Refuse the workspace key, as the platform does; personal access tokens and logins work
    #[arg(long)]
    pub strict_keys: bool,
    /// Do not limit requests per minute
    #[arg(long)]
    pub no_limits: bool,
    /// Let its clock run N times as fast [default of N: 60, a minute in a second]
    #[arg(
        long,
        value_name = "N",
        num_args = 0..=1,
        default_missing_value = "60",
        default_value_t = 1,
        hide_default_value = true,
        value_parser = clap::value_parser!(u32).range(1..=86_400)
    )]
    pub fast_clock: u32,
}

/// Serves until it is interrupted.
pub async fn run(args: &SandboxArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let seed = match &args.seed {
        Some(file) => Some(Seed::read(&context.input_file(file)?)?),
        None if args.demo => Some(super::demo::seed()?),
        None => None,
    };
    let state = args.state.as_deref();
    let state = state.map(|file| context.output_place(file)).transpose()?;
    // Its key and the links in it are good for the sandbox alone, and still nobody else's.
    let own = state.as_deref().filter(|file| sandbox::is_state(file));
    let loose = own.and_then(fs::restrict_target);
    context.warn_insecure(loose.as_slice());
    let mut sandbox = sandbox::start(Options {
        port: args.port,
        state,
        seed,
        latency: (args.latency > 0).then(|| Duration::from_millis(args.latency)),
        speed: args.fast_clock,
    })
    .await?;
    let behave = |settings: &mut Settings| {
        settings.strict_keys |= args.strict_keys;
        if args.no_limits {
            settings.limits = None;
        } else {
            settings.limits.get_or_insert_default();
        }
    };
    sandbox.set(behave).await?;
    let tokens = sandbox.tokens();
    let served = view::sandbox::Served {
        url: sandbox.api_url(),
        tokens: &tokens,
        key: sandbox.api_key().expose(),
        demo: args
            .demo
            .then_some((super::demo::APP, "connplan demo --keep DIR")),
    };
    let shown = served.show(&medium);
    if medium.told {
        context.terminal.out(&shown);
    } else {
        context.terminal.verbatim(&shown);
    }
    context.terminal.say(&served.said(&medium));
    context.signals.account("the sandbox has ended".to_owned());
    let cancelled = context.signals.graceful();
    let over = async {
        match context.deadline {
            Some(end) => tokio::time::sleep_until(end.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = sandbox.stopped() => { ended?; }
        () = cancelled.cancelled() => { sandbox.stop().await?; }
        () = over => { sandbox.stop().await?; }
    }
    Ok(context.signals.status().unwrap_or(ExitStatus::Done))
}
