//! `connplan scopes`: the catalogue, searched.

use clap::Args;

use crate::{
    catalogue,
    context::{Context, ExitStatus, Failure, Format},
    syntax::type_meant,
    view::{
        self,
        scopes::{Asked, Found},
    },
};

/// Arguments of `scopes`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  connplan scopes                     # the types, and how many are known\n  \
                  connplan scopes gmail               # those of one type\n  \
                  connplan scopes gmail send          # those that match\n  \
                  connplan scopes calendar events     # of any type\n\n\
                  It ends with 0 even if nothing matches: that is an answer, not an error."
)]
pub struct ScopesArgs {
    /// A connector's type, then words that must all occur; or words alone
    #[arg(value_name = "TYPE|WORD")]
    pub words: Vec<String>,
}

/// Lists what is known.
pub fn run(args: &ScopesArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let (connector, words) = match args.words.split_first() {
        Some((first, rest)) => match known(first) {
            Some(connector) => (Some(connector), rest),
            None => (None, args.words.as_slice()),
        },
        None => (None, args.words.as_slice()),
    };
    let words: Vec<_> = words.iter().map(|word| word.to_lowercase()).collect();
    let types: Vec<_> = match connector {
        Some(connector) => vec![connector],
        None => view::scopes::types().collect(),
    };
    let found: Vec<_> = types
        .into_iter()
        .flat_map(|connector| {
            catalogue::facts(connector).map(move |fact| Found { connector, fact })
        })
        .filter(|found| words.iter().all(|word| found.matches(word)))
        .collect();
    let asked = match args.words.first() {
        None => Asked::Nothing,
        Some(first) => Asked::Words {
            one_type: connector.is_some(),
            meant: type_meant(first),
        },
    };
    context
        .terminal
        .out(&view::scopes::show(&found, &asked, &medium));
    Ok(ExitStatus::Done)
}

/// The type of this name, as the catalogue spells it.
fn known(word: &str) -> Option<&'static str> {
    catalogue::connectors().find(|name| name.eq_ignore_ascii_case(word))
}
