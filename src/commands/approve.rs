//! `connplan approve`: signs a plan's digest with a person's SSH key, or takes that back; looks before whether the files
//! still say the same, and keeps the signature in a file or the store.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use clap::Args;

use super::{listening, printing::file_name};
use crate::{
    approval::{ApprovalError, NAMESPACE, REVOKED, Signatures, Signers, key_of, signatures},
    config::Project,
    context::{Context, ExitStatus, Failure, Format, UsageError},
    fs::{self, Destination},
    model::{App, Vars, ago},
    ops::{self, Team},
    plan::{Digest, Plan, document},
    term::{self, Answer},
    view::{self, approval::ApprovalReport, markdown, report::PlanReport},
};

/// The keys that ssh tries first, too.
const KEYS: [&str; 5] = [
    "id_ed25519",
    "id_ecdsa",
    "id_rsa",
    "id_ed25519_sk",
    "id_ecdsa_sk",
];

/// The last line of a signature.
const END: &str = "-----END SSH SIGNATURE-----";

/// Arguments of `approve`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "The signature is `ssh-keygen -Y sign -n connplan` over the digest: keys in an \
                  agent and on\nsecurity keys work. The file that connplan.toml names \
                  (`[approval]`, `signers`) lists whose\nsignatures count. With a store \
                  (`[store]`) the signature is kept there too, and `apply`\ntakes it from \
                  there.\n\nExamples:\n  connplan approve release.plan        \
                  # writes release.plan.sig\n  connplan apply release.plan --approved-by \
                  release.plan.sig\n  connplan approve release.plan --revoke"
)]
pub struct ApproveArgs {
    /// The saved plan ("-" is standard input), or the digest of one in the store
    #[arg(value_name = "PLAN", value_hint = clap::ValueHint::FilePath)]
    pub plan: PathBuf,
    /// The key to sign with: the private one, or a public key whose private key is in your
    /// SSH agent
    /// [default: the first of ssh's own in ~/.ssh]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub key: Option<PathBuf>,
    /// Where to write the signature [default: PLAN.sig]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Revoke an approval: writes PLAN.revoked. Give it to `--approved-by`, too
    #[arg(long)]
    pub revoke: bool,
}

/// Signs.
pub async fn run(args: &ApproveArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let listening::NamedPlan {
        digest: named,
        name,
        text,
    } = listening::named_plan(context, &args.plan).await?;
    let saved = document::read(&name, &text)?;
    ops::is_expected(&saved.digest, named.as_ref())?;
    let here = context.project_for(&saved.plan.app.app);
    let its = here.as_ref().ok();
    let its = its.and_then(|(project, is_its)| is_its.then_some(project));
    if let (Ok((project, _)), None) = (&here, its) {
        tell_other(context, project, &saved.plan.app.app);
    }
    if !args.revoke {
        compared(context, its, &saved.plan)?;
    }
    let out = out(args, context)?;
    let before = out.as_ref().map(before).transpose()?.unwrap_or_default();
    let key = key(args, context)?;
    // What is approved is shown to who approves it.
    let mut report = PlanReport::new(&saved.plan, &saved.digest).at(medium.now);
    if !args.revoke {
        let (found, why) = ops::forbade(&listening::around(context), &saved.plan).await;
        report.add_dangers(found);
        if let Some(why) = why {
            context.warn(&why);
        }
    }
    let shown = view::plan::show(
        &report,
        &markdown::Options::default(),
        &medium.aside(&context.terminal),
    );
    context.terminal.say(&shown);
    let here = here.map(|(project, _)| project);
    let (teams, missed) = teams(context, here, &saved.plan.app.app).await;
    if !args.revoke && !is_wanted(context, &saved, &teams).await {
        context.terminal.say("Nothing was signed.");
        return Ok(ExitStatus::Error);
    }
    let namespace = if args.revoke { REVOKED } else { NAMESPACE };
    let asks = context.terminal.is_interactive();
    let (digest, signing) = (saved.digest.clone(), key.clone());
    // Credentials for the platform are none of its business, nor of the programs that it starts.
    let ours = context.vars.names();
    let ours = ours.filter(|name| name.starts_with("BASE44_") || name.starts_with("CONNPLAN_"));
    let hidden: Vec<_> = ours.map(str::to_owned).collect();
    let vars = context.vars.clone();
    let sign = move || sign(&digest, &signing, namespace, asks, &hidden, &vars);
    let signature = fs::off_thread(sign).await?;
    let Some(fingerprint) = key_of(&signature, namespace, &saved.digest) else {
        return Err(UsageError::with_help(
            "ssh-keygen made a signature of a kind that connplan cannot check",
            "use a key of the type ed25519, ecdsa (256 or 384), rsa, or a security key",
        )
        .into());
    };
    let signers = signers(context).await;
    let has_signers = !matches!(signers, Some(None));
    let signers = signers.flatten();
    let writing = context.signals.writing();
    if let Some(out) = &out {
        let by = (&saved.digest, fingerprint.as_str());
        loses_nothing(&before, out.path(), by, signers.as_ref(), context)?;
        out.write(signature.as_bytes())?;
    }
    let signer = signers.and_then(|signers| {
        let read = read(&signature, &saved.digest, &signers, context);
        signer(read, args.revoke, context)
    });
    let (kept, untold) = keep(&teams, &saved.digest, &signature).await;
    let untold = missed.or(untold);
    // An apply that asks a store that was not told takes the approval still.
    let fails = untold.is_some() && (args.revoke || kept.is_none() && out.is_none());
    if let Some(failure) = untold {
        let why = match kept {
            None => "the signature is in its file, not in the store",
            Some(_) => "not each store that is named has the signature",
        };
        context.warn(&format!("{why}: {}", failure.told()));
    }
    let mut shown = args.out.clone().or(out.map(|out| out.path().to_owned()));
    if shown.is_none() && kept.is_none() {
        // What this machine alone remembers approves nothing: there has to be a file to hand on.
        let name = PathBuf::from(format!("{}.{}", saved.digest.short(), ending(args)));
        let file = context.output_file("--out", &name)?;
        file.write(signature.as_bytes())?;
        shown = Some(name);
    }
    drop(writing);
    let refused = if saved.plan.speculative {
        Some("it is speculative".to_owned())
    } else {
        let ended = saved.plan.expires_at.filter(|end| *end <= context.now());
        ended.map(|end| format!("it expired at {end}"))
    };
    // A signature that the store keeps is read there.
    let missing = if args.revoke || refused.is_some() || signer.is_none() {
        None
    } else {
        let given = kept.is_none().then_some(signature);
        listening::missing_approval(context, &saved, given).await
    };
    let report = ApprovalReport {
        app: &saved.plan.app.app,
        digest: &saved.digest,
        file: shown.as_ref().map(|file| file.display().to_string()),
        store: kept.as_deref(),
        key: &fingerprint,
        signer: signer.as_deref(),
        has_signers,
        revoked: args.revoke,
        refused: refused.as_deref(),
        missing: missing.as_ref(),
    };
    report.show(&args.plan.display().to_string(), &medium, &context.terminal);
    Ok(if fails {
        ExitStatus::Error
    } else {
        ExitStatus::Done
    })
}

/// Says that this is not a checkout of the plan's app.
fn tell_other(context: &Context, project: &Project, planned: &App) {
    let other = match project.app() {
        Ok(here) => here.takes("plan", planned).err().map(|e| e.to_string()),
        Err(e) => Some(format!("connplan cannot tell which app this is: {e}")),
    };
    if let Some(other) = other {
        context.warn(&format!(
            "{other}; what is signed or taken back is kept for the plan's app"
        ));
    }
}

/// Refuses what the connector files of its app contradict; says so where there are none to compare it with.
fn compared(context: &Context, its: Option<&Project>, plan: &Plan) -> Result<(), Failure> {
    // By a variable an app is known anywhere; files there are in a project only.
    if let Some(project) = its.filter(|project| project.config_file.is_some()) {
        let uncompared = ops::agrees(project, plan)?;
        if !uncompared.is_empty() {
            context.warn(&uncompared.to_string());
        }
        return Ok(());
    }
    let mut wanted = plan.changes().filter_map(|change| change.after.as_ref());
    if wanted.any(|after| after.account.is_some() || !after.connection_config.is_empty()) {
        context.warn(
            "whom the plan has consent, and where it connects to, is as the plan says it: there are no \
             connector files of its app here to compare it with",
        );
    }
    Ok(())
}

/// Whether a plan that was carried out already is to be approved all the same: with that it may be carried out
/// once more. Who cannot be asked is told.
async fn is_wanted(context: &Context, saved: &document::Saved, teams: &[Team]) -> bool {
    let made = ops::made(saved);
    let memories: Vec<_> = teams.iter().map(Team::memory).collect();
    let over = ops::over(&memories, (&saved.plan, &saved.digest), made).await;
    let Some(at) = over.unwrap_or(None) else {
        return true;
    };
    context.warn(&format!(
        "the plan was applied already, {}: with this approval it may be applied once more",
        ago(at, context.now())
    ));
    let terminal = &context.terminal;
    !terminal.is_interactive()
        || term::confirm_yes_no(terminal, "Approve it all the same?", Answer::No).await
            == Answer::Yes
}

/// Where the team of the plan's app keeps what it knows, whatever this checkout is of, and why it is not known of a
/// store that is named, or may be.
async fn teams(
    context: &Context,
    project: Result<Project, Failure>,
    app: &App,
) -> (Vec<Team>, Option<Failure>) {
    let mut project = match project {
        Ok(project) => project,
        Err(failure) => return (Vec::new(), Some(failure)),
    };
    // A branch that is only looked at does not say where the team keeps it.
    let before = ops::teams_before(&listening::around(context), &mut project, app).await;
    let (mut teams, mut missed) = match before {
        Ok(before) => (before, None),
        Err(failure) => (Vec::new(), Some(failure)),
    };
    let own = async {
        project.check()?;
        listening::team(context, &project, app).await
    };
    match own.await {
        Ok(team) => teams.push(team),
        Err(failure) => missed = missed.or(Some(failure)),
    }
    (teams, missed)
}

/// Keeps the signature there; says where, if others have it too, and why one was not told.
async fn keep(
    teams: &[Team],
    digest: &Digest,
    signature: &str,
) -> (Option<String>, Option<Failure>) {
    let (mut kept, mut untold) = (Vec::new(), None);
    for team in teams {
        match team.keep_approval(digest, signature).await {
            Ok(true) => kept.push(team.memory().name().to_owned()),
            Ok(false) => {}
            Err(error) => untold = untold.or(Some(error.into())),
        }
    }
    kept.dedup();
    ((!kept.is_empty()).then(|| kept.join(" and ")), untold)
}

/// Where the signature goes; nowhere but the store for a plan that is there, if others have it too.
fn out(args: &ApproveArgs, context: &Context) -> Result<Option<Destination>, Failure> {
    if let Some(out) = &args.out {
        return Ok(Some(context.output_file("--out", out)?));
    }
    if ops::named(&args.plan)?.is_some() {
        return Ok(None);
    }
    if args.plan == Path::new("-") {
        return Err(UsageError::with_help(
            "a plan from standard input has no file name, so the signature's name is not known",
            "give `--out FILE`",
        )
        .into());
    }
    let mut name = args.plan.clone().into_os_string();
    name.push(format!(".{}", ending(args)));
    Ok(Some(context.output_file("--out", Path::new(&name))?))
}

/// What the file holds so far. Something else than signatures is not written over.
fn before(out: &Destination) -> Result<String, UsageError> {
    let text = out.read_text(document::LIMIT as u64);
    if text
        .as_ref()
        .is_ok_and(|text| text.is_empty() || text.contains(END))
        || text.as_ref().is_err_and(fs::FsError::is_not_found)
    {
        return Ok(text.unwrap_or_default());
    }
    Err(UsageError::with_help(
        format!(
            "{} holds no signature, and `approve` would replace it; nothing was signed",
            file_name(out.path())
        ),
        "give another name with `--out FILE`, or remove that file first",
    ))
}

/// Refuses to write over what another signer gave this plan. Where nobody knows whose it is, it is told.
fn loses_nothing(
    before: &str,
    out: &Path,
    (digest, key): (&Digest, &str),
    signers: Option<&Signers>,
    context: &Context,
) -> Result<(), UsageError> {
    let by = |one| key_of(one, NAMESPACE, digest).or_else(|| key_of(one, REVOKED, digest));
    for one in before.split_inclusive(END) {
        let Some(other) = by(one).filter(|by| by != key) else {
            continue;
        };
        let held = format!(
            "{} holds what the key {other} says to this plan",
            file_name(out)
        );
        match signers {
            Some(signers) if read(one, digest, signers, context).is_ok() => {
                return Err(UsageError::with_help(
                    format!("{held}, and `approve` would replace it; nothing was written"),
                    "give another name with `--out FILE`, and both files to `--approved-by`",
                ));
            }
            Some(_) => {}
            None => context.warn(&format!("{held}: it is replaced")),
        }
    }
    Ok(())
}

/// What a signature's file ends with.
fn ending(args: &ApproveArgs) -> &'static str {
    if args.revoke { "revoked" } else { "sig" }
}

fn key(args: &ApproveArgs, context: &Context) -> Result<PathBuf, Failure> {
    if let Some(named) = &args.key {
        let key = context.input_file(named)?;
        let mut public = named.clone().into_os_string();
        public.push(".pub");
        // The public one will do where an agent has the other.
        if !key.exists() && !context.input_file(Path::new(&public))?.exists() {
            return Err(UsageError::with_help(
                format!("{} does not exist", crate::escape::path(named)),
                "name the file of a key, the private one or the public one where an agent has the other",
            )
            .into());
        }
        return Ok(key);
    }
    let folder = context.home.as_ref().map(|home| home.join(".ssh"));
    let found = folder.and_then(|folder| {
        let mut keys = KEYS.iter().flat_map(|key| {
            // The public one will do where an agent has the other.
            [folder.join(key), folder.join(format!("{key}.pub"))]
        });
        keys.find(|key| key.is_file())
    });
    found.ok_or_else(|| {
        UsageError::with_help(
            "there is no SSH key in ~/.ssh to sign with",
            "name one with `--key FILE`, or make one with `ssh-keygen -t ed25519`",
        )
        .into()
    })
}

/// Runs ssh-keygen, which asks for a passphrase or a touch by itself.
fn sign(
    digest: &Digest,
    key: &Path,
    namespace: &str,
    asks: bool,
    hidden: &[String],
    vars: &Vars,
) -> Result<String, UsageError> {
    let failed = |why: String| {
        UsageError::with_help(
            format!("ssh-keygen did not sign: {why}"),
            "check that `ssh-keygen` (OpenSSH 8.2 or later) is there and that the key is yours; \
             a key with a passphrase needs a terminal or an agent",
        )
    };
    let mut command = fs::program("ssh-keygen", vars).map_err(|e| failed(e.to_string()))?;
    command
        .args(["-q", "-Y", "sign", "-n", namespace, "-f"])
        .arg(key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for name in hidden {
        command.env_remove(name);
    }
    if !asks {
        // Nobody would answer; asked through this, it is told so at once.
        command
            .env("SSH_ASKPASS", "false")
            .env("SSH_ASKPASS_REQUIRE", "force");
    }
    let mut child = command.spawn().map_err(|e| failed(e.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // Should it have ended already, its status says why.
        let _ = stdin.write_all(digest.as_str().as_bytes());
    }
    let ended = child
        .wait_with_output()
        .map_err(|e| failed(e.to_string()))?;
    if !ended.status.success() {
        let said = String::from_utf8_lossy(&ended.stderr);
        let said = said.lines().rfind(|line| !line.trim().is_empty());
        return Err(failed(crate::escape::limited(
            said.unwrap_or("it does not say why"),
            300,
        )));
    }
    Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
}

/// The signers of this checkout's settings, if those name a file of them; nothing where that is not known.
async fn signers(context: &Context) -> Option<Option<Signers>> {
    // Outside a project nothing is known of that.
    let project = context.project(None).ok()?;
    let signers = ops::signers_that_bind(&listening::around(context), &project).await;
    let told = |failure: &Failure| context.warn(&failure.told());
    signers.inspect_err(told).ok()
}

/// A signature as these signers know it.
fn read(
    signature: &str,
    digest: &Digest,
    signers: &Signers,
    context: &Context,
) -> Result<Signatures, ApprovalError> {
    let files = [("it".to_owned(), signature.to_owned())];
    signatures(&files, digest, signers, context.now())
}

/// Who signed. Whoever is not known is told; the one who applies has the last word.
fn signer(
    read: Result<Signatures, ApprovalError>,
    revoke: bool,
    context: &Context,
) -> Option<String> {
    match read {
        Ok(found) if revoke => found.revoked.into_iter().next(),
        Ok(found) => found.approvals.into_iter().next().map(|found| found.signer),
        Err(error) => {
            context.warn(&format!(
                "{error}; `connplan apply` in this project would not accept the signature"
            ));
            None
        }
    }
}
