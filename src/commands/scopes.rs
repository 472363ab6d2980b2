//! `connplan scopes`: the catalogue, searched.

use clap::Args;

use crate::{
    catalogue,
    context::{Context, ExitStatus, Failure, Format},
    syntax::type_meant,
    view::{self, Theme, scopes::Found},
};

/// Arguments of `scopes`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  connplan scopes                     # the types, and how many are known\n  \
                  connplan scopes gmail               # those of one type\n  \
                  connplan scopes gmail send          # those that match\n  \
                  connplan scopes calendar events     # of any type"
)]
pub struct ScopesArgs {
    /// A connector's type, then words that must all occur; or words alone
    #[arg(value_name = "TYPE|WORD")]
    pub words: Vec<String>,
}

/// Lists what is known.
pub fn run(args: &ScopesArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let format = context.format(&[Format::Text, Format::Json])?;
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
    let theme = Theme::new(context.terminal.color_stdout());
    let columns = context.terminal.columns();
    context.terminal.out(&match format {
        Format::Json => view::scopes::json(&found),
        _ if args.words.is_empty() => view::scopes::counts(&found, theme, columns),
        _ if found.is_empty() => {
            let meant = args.words.first().and_then(|word| type_meant(word));
            view::scopes::nothing(meant)
        }
        _ => view::scopes::table_of(&found, connector.is_none(), theme, columns),
    });
    Ok(ExitStatus::Done)
}

/// The type of this name, as the catalogue spells it.
fn known(word: &str) -> Option<&'static str> {
    catalogue::connectors().find(|name| name.eq_ignore_ascii_case(word))
}
