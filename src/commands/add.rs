//! `connplan add`.

use std::path::PathBuf;

use clap::Args;

use super::{planning, pull::names_in};
use crate::{
    catalogue::{self, ScopeFact},
    config::Project,
    context::{Context, ExitStatus, Failure, Format, UsageError},
    edit, escape, fs,
    model::{self, ConnectorType, Kind, Scope, Scopes},
    ops::Files,
    remote::{AvailableIntegration, RemoteError},
    syntax::{KNOWN_TYPES, known_type_in_other_case, type_meant},
    term,
    view::{
        self,
        add::{Added, Check},
        report::FactReport,
    },
};

/// Arguments of `add`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  connplan add slackbot --scope chat:write --scope channels:read\n  \
                        connplan add                # in a terminal: choose type and scopes"
)]
pub struct AddArgs {
    /// The connector's type, such as slackbot (see list-available)
    #[arg(value_name = "TYPE")]
    pub connector: Option<ConnectorType>,
    /// A scope to ask for (repeatable)
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// Put the file in PATH instead of the project's folder
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// Creates a connector file.
pub async fn run(args: &AddArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let files = planning::read_other_files(context, args.dir.as_deref())?;
    if let Some(connector) = &args.connector {
        not_declared(&files, connector)?;
    }
    if let Some(connector) = &args.connector {
        spelt_right(connector)?;
    }
    let given = given_scopes(args)?;
    let offers = offers(context, &files).await;
    let connector = match &args.connector {
        Some(connector) => connector.clone(),
        None => choose_type(context, &files, offers.as_deref().ok()).await?,
    };
    let check = check(&connector, offers);
    is_known(&connector, &check)?;
    if let Some(warning) = view::add::warning(&connector, &check, context.next()) {
        context.warn(&warning);
    }
    let scopes = match (connector.kind(), given) {
        (Kind::Stripe, None) => Scopes::new(),
        (Kind::Stripe, Some(_)) => {
            return Err(
                UsageError::with_help("Stripe takes no scopes", "leave `--scope` out").into(),
            );
        }
        (Kind::Oauth, Some(scopes)) => {
            no_commas(&connector, &scopes)?;
            let scopes: Result<Scopes, _> = scopes
                .iter()
                .map(|scope| spelt(context, &connector, scope))
                .collect();
            scopes?
        }
        (Kind::Oauth, None) => choose_scopes(context, &connector).await?,
    };
    let writing = context.signals.writing();
    let file = write(&files, &connector, &scopes, &blanks(&check))?;
    drop(writing);
    let app = files.project.app().ok();
    let added = Added {
        app: app.as_ref(),
        connector: &connector,
        file: &file,
        scopes: &scopes,
        check: &check,
    };
    context.terminal.out(&view::add::show(&added, &medium));
    Ok(ExitStatus::Done)
}

fn not_declared(files: &Files, connector: &ConnectorType) -> Result<(), Failure> {
    let lower = connector.as_str().to_lowercase();
    let mut declared = files.declared.connectors.iter();
    match declared.find(|(name, _)| name.as_str().to_lowercase() == lower) {
        None => Ok(()),
        Some((name, found)) => {
            let file = escape::limited(&found.file, 400);
            Err(UsageError::with_help(
                format!("{file} already declares `{name}`; nothing was written"),
                format!("edit {file}: an app has one connector of a type"),
            )
            .into())
        }
    }
}

/// A type in capitals is none that the platform has.
fn spelt_right(connector: &ConnectorType) -> Result<(), Failure> {
    match known_type_in_other_case(connector.as_str()) {
        None => Ok(()),
        Some(meant) => Err(UsageError::with_help(
            format!(
                "types are written in lower case, and `{connector}` is not; nothing was written"
            ),
            format!("did you mean `{meant}`?"),
        )
        .into()),
    }
}

/// A comma where the provider ends a scope: the file would be refused.
fn no_commas(connector: &ConnectorType, scopes: &Scopes) -> Result<(), Failure> {
    if !catalogue::splits_at_commas(connector.as_str()) {
        return Ok(());
    }
    match scopes.iter().find(|scope| scope.as_str().contains(',')) {
        None => Ok(()),
        Some(scope) => Err(UsageError::with_help(
            format!(
                "`--scope {}`: {connector}'s provider takes that for several scopes; nothing was written",
                escape::limited(scope.as_str(), 200)
            ),
            "give `--scope` once for each",
        )
        .into()),
    }
}

fn given_scopes(args: &AddArgs) -> Result<Option<Scopes>, Failure> {
    if args.scopes.is_empty() {
        return Ok(None);
    }
    let odd = |scope: &&String| scope.is_empty() || scope.contains(catalogue::ends_scope);
    if let Some(scope) = args.scopes.iter().find(odd) {
        return Err(UsageError::with_help(
            format!("`--scope '{}'` is not a scope", escape::limited(scope, 200)),
            "a scope has no white space in it; give `--scope` once for each",
        )
        .into());
    }
    Ok(Some(args.scopes.iter().map(Scope::new).collect()))
}

/// What the platform offers, or why that is not known.
async fn offers(context: &Context, files: &Files) -> Result<Vec<AvailableIntegration>, String> {
    let told = |why: String| escape::limited(&why, 300);
    let app = files.project.app().map_err(|e| told(e.to_string()))?;
    let remote = context
        .remote(&files.project, &app)
        .await
        .map_err(|failure| told(failure.report.to_string()))?;
    let asked = async {
        let list = remote.available_integrations();
        let list = view::progress::during(&context.terminal, "Asking the platform", list).await?;
        Ok::<_, RemoteError>(list)
    };
    asked.await.map_err(|e| told(e.to_string()))
}

fn check(connector: &ConnectorType, offers: Result<Vec<AvailableIntegration>, String>) -> Check {
    if connector.kind() == Kind::Stripe {
        return Check::Provisioned;
    }
    let offers = match offers {
        Ok(offers) => offers,
        Err(why) => {
            let near = type_meant(connector.as_str());
            let meant = near.map(|meant| format!(" (did you mean `{meant}`?)"));
            return Check::NotChecked(why + &meant.unwrap_or_default());
        }
    };
    let name = connector.as_str();
    let near = offers
        .iter()
        .map(|offer| offer.connector.as_str())
        .map(|offer| {
            (
                strsim::damerau_levenshtein(&plain(name), &plain(offer)),
                offer,
            )
        })
        .filter(|(distance, _)| *distance <= 2)
        .min();
    let near = near.map(|(_, offer)| offer.to_owned());
    let offer = offers
        .into_iter()
        .find(|offer| offer.connector == *connector);
    match offer {
        Some(offer) => Check::Offered(offer.config_fields),
        None => Check::NotOffered {
            meant: near.or_else(|| type_meant(name).map(str::to_owned)),
        },
    }
}

/// A file for a type that nobody knows would only fail later, in a pipeline.
fn is_known(connector: &ConnectorType, check: &Check) -> Result<(), Failure> {
    let name = connector.as_str();
    let listed = KNOWN_TYPES.contains(&name) || catalogue::facts(name).next().is_some();
    if listed || matches!(check, Check::Offered(_) | Check::Provisioned) {
        return Ok(());
    }
    let meant = match check {
        Check::NotOffered { meant: Some(meant) } => Some(meant.as_str()),
        _ => type_meant(name),
    };
    let (who, more) = match check {
        Check::NotChecked(why) => (
            "connplan does not know the type",
            format!("; the platform was not asked: {why}"),
        ),
        _ => ("the platform does not offer", String::new()),
    };
    let help = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "`connplan list-available` shows what there is".to_owned(),
    };
    Err(UsageError::with_help(format!("{who} `{name}`{more}; nothing was written"), help).into())
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace(['-', '_'], "")
}

async fn choose_type(
    context: &Context,
    files: &Files,
    offers: Option<&[AvailableIntegration]>,
) -> Result<ConnectorType, Failure> {
    let missing = || {
        UsageError::with_help(
            "which connector? No TYPE was given, and this run is not interactive",
            "name it: `connplan add TYPE`; `connplan list-available` shows the types",
        )
    };
    let mut types: Vec<(ConnectorType, String)> = match offers {
        Some(offers) => offers
            .iter()
            .map(|offer| {
                let name = escape::limited(&offer.display_name, 40);
                (offer.connector.clone(), name)
            })
            .collect(),
        None => KNOWN_TYPES
            .iter()
            .filter_map(|name| Some((ConnectorType::parse(*name).ok()?, String::new())))
            .collect(),
    };
    if types.iter().all(|(name, _)| name.kind() != Kind::Stripe) {
        types.push((ConnectorType::stripe(), "Stripe (a sandbox)".to_owned()));
    }
    types.retain(|(name, _)| !files.declared.connectors.contains_key(name));
    model::sort(&mut types, Ord::cmp);
    let items = types
        .iter()
        .map(|(name, shown)| {
            format!("{:<22} {shown}", name.as_str())
                .trim_end()
                .to_owned()
        })
        .collect();
    if !context.terminal.is_interactive() || context.terminal.is_dumb() {
        return Err(missing().into());
    }
    context
        .terminal
        .say("Type a part of the name or move with the arrows; Enter selects, Esc cancels.");
    let chosen = term::choose_one(&context.terminal, "Connector", items).await;
    match chosen.and_then(|n| types.into_iter().nth(n)) {
        Some((connector, _)) => Ok(connector),
        None => Err(UsageError::new("no connector was chosen; nothing was written").into()),
    }
}

/// Scopes to choose from: as the provider spells them, without other names for the same.
fn choices(connector: &ConnectorType) -> Vec<ScopeFact> {
    catalogue::facts(connector.as_str())
        .filter(|fact| fact.alias_of.is_none() && !fact.legacy && !fact.capability)
        .collect()
}

async fn choose_scopes(context: &Context, connector: &ConnectorType) -> Result<Scopes, Failure> {
    let choices = choices(connector);
    if choices.is_empty() || !context.terminal.is_interactive() || context.terminal.is_dumb() {
        return Ok(Scopes::new());
    }
    let risks = choices
        .iter()
        .map(|fact| risk(connector, fact).chars().count());
    let column = risks.max().unwrap_or(0);
    let names = choices.iter().map(|fact| short(fact).chars().count());
    // A list takes six columns for its marks.
    let fits = column + 2 + names.max().unwrap_or(0) + 6 <= context.terminal.width();
    let items: Vec<_> = choices
        .iter()
        .map(|fact| term::Choice {
            shown: shown(connector, fact, fits.then_some(column)),
            name: short(fact).to_owned(),
        })
        .collect();
    context
        .terminal
        .say("Space selects, arrows move (left and right: pages), Enter confirms, also with none selected. Esc cancels.");
    let question = format!("Scopes of {connector}");
    let chosen = term::choose_filtered(&context.terminal, &question, &items).await;
    let Some(chosen) = chosen else {
        return Err(UsageError::new("no scopes were chosen; nothing was written").into());
    };
    let chosen = chosen.into_iter().filter_map(|n| choices.get(n));
    Ok(chosen.map(|fact| Scope::new(fact.scope)).collect())
}

/// The scope without its address.
fn short(fact: &ScopeFact) -> &'static str {
    let name = fact.scope.rsplit_once("/auth/");
    name.map_or(fact.scope, |(_, name)| name)
}

/// How far it reaches, in a column where that has room, then the scope without its address, then what it
/// permits: a narrow terminal cuts at the end.
fn shown(connector: &ConnectorType, fact: &ScopeFact, column: Option<usize>) -> String {
    let (risk, name) = (risk(connector, fact), short(fact));
    match column {
        Some(column) => format!("{risk:<column$}  {name}  {}", fact.meaning),
        None => format!("{risk}\n      {name}"),
    }
}

fn risk(connector: &ConnectorType, fact: &ScopeFact) -> String {
    let line = FactReport::of(connector, &Scope::new(fact.scope)).describe();
    let risk = line.rsplit_once(" · ").map(|(_, risk)| risk.to_owned());
    risk.unwrap_or_default()
}

/// The scope as its provider spells it, with a word where that is not as it was given. One that is a slip away
/// from a known one is refused; one that is merely unknown may be right.
fn spelt(context: &Context, connector: &ConnectorType, scope: &Scope) -> Result<Scope, Failure> {
    let (kind, text) = (connector.as_str(), scope.as_str());
    let shown = escape::limited(text, 200);
    if catalogue::fact(kind, text).is_some() {
        return Ok(scope.clone());
    }
    if let Some(meant) = catalogue::spelt_out(kind, text) {
        context
            .terminal
            .say(&format!("`{shown}` is written as `{meant}`."));
        return Ok(Scope::new(meant));
    }
    if let Some(meant) = catalogue::near(kind, text) {
        return Err(UsageError::with_help(
            format!("`{shown}` is not a known scope of {connector}; nothing was written"),
            format!(
                "did you mean `{meant}`? If it is right as it is, write it into the file yourself"
            ),
        )
        .into());
    }
    if !choices(connector).is_empty() {
        context.warn(&format!("`{shown}` is not a known scope of {connector}"));
    } else if catalogue::facts(kind).next().is_some() {
        context.warn(&format!(
            "{connector} has no scopes: whoever consents chooses what it may do. `{shown}` is \
             written, and means nothing there"
        ));
    }
    Ok(scope.clone())
}

/// The connection values that the platform requires.
fn blanks(check: &Check) -> Vec<edit::Blank> {
    let Check::Offered(fields) = check else {
        return Vec::new();
    };
    let needed = fields.iter().filter(|field| field.required);
    needed
        .map(|field| (field.name.clone(), escape::limited(&field.description, 200)))
        .collect()
}

/// Writes the file, over nothing; returns its name relative to the project root.
fn write(
    files: &Files,
    connector: &ConnectorType,
    scopes: &Scopes,
    blanks: &[edit::Blank],
) -> Result<String, Failure> {
    let project = &files.project;
    let folder = &project.connectors_dir;
    let taken = names_in(folder)?;
    let Some(name) = edit::pull::free_name(connector, &taken) else {
        return Err(edit::pull::PullError::NoName {
            connector: connector.clone(),
            folder: project.shown(folder),
        }
        .into());
    };
    let note = |scope: &str| {
        let fact = catalogue::fact(connector.as_str(), scope)?;
        Some(fact.meaning.to_owned())
    };
    let schema = schema_of(project);
    let head = head(connector, scopes);
    let text = edit::new_file(&head, schema.as_deref(), connector, scopes, blanks, note);
    let open = fs::OpenFolder::make(folder, &project.connectors_at)?;
    let file = open.file(name)?;
    file.write_new(text.as_bytes())?;
    Ok(project.relative(file.path()))
}

/// The schema that `init` wrote, as a file of the connectors folder names it.
fn schema_of(project: &Project) -> Option<String> {
    let file = project.schema_file();
    let folder = project.connectors_dir.strip_prefix(file.parent()?).ok()?;
    let up = "../".repeat(folder.components().count());
    let name = file.file_name()?.to_str()?;
    let there = fs::look(&[&project.root], &file).there?;
    there.is_file().then(|| format!("{up}{name}"))
}

fn head(connector: &ConnectorType, scopes: &Scopes) -> Vec<String> {
    let mut head = vec![format!("The app's {connector} connector.")];
    if connector.kind() == Kind::Stripe {
        head.push("Stripe takes no scopes: a sandbox is provisioned, which you claim.".to_owned());
        return head;
    }
    // A page of its own for each scope is too much for a heading.
    let pages: std::collections::BTreeSet<_> =
        choices(connector).iter().map(|fact| fact.doc).collect();
    let page = pages
        .first()
        .filter(|page| pages.len() == 1 && !page.is_empty());
    match (scopes.is_empty(), page) {
        (true, Some(page)) => head.push(format!("No scopes were given. All scopes: {page}")),
        (false, Some(page)) => head.push(format!("Scopes: {page}")),
        (_, None) => {}
    }
    head
}
