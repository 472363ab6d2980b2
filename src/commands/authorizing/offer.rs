//! How links come to a person.

use clap::Args;

use crate::{
    context::{Context, Failure, UsageError},
    page::PageHost,
    term::Opener,
};

/// How links come to a person, as the command line says.
#[derive(Clone, Debug, Default, Args)]
pub struct OfferArgs {
    /// Show the links in the terminal, open nothing (the default over SSH)
    ///
    /// If BROWSER is set, connplan uses it over SSH, too.
    #[arg(long)]
    pub no_browser: bool,
    /// Show one connector after another instead of all on one page
    #[arg(long)]
    pub one_by_one: bool,
    /// Show each link as a QR code too, for a phone
    #[arg(long)]
    pub qr: bool,
    /// Print the links on standard output where there is no terminal; whoever has one can connect
    /// an account to the app (not with CI set)
    #[arg(long)]
    pub print_links: bool,
    /// Answer to this host name too, for a forwarded port or a proxy. If NAME is an address of this machine, listen
    /// there
    #[arg(long, value_name = "NAME[:PORT]", hide_short_help = true, conflicts_with_all = ["no_browser", "one_by_one", "qr", "print_links"])]
    pub page_host: Option<PageHost>,
}

/// How links come to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Offer {
    /// On one page in the browser.
    Page {
        /// Whether a browser of this machine is opened.
        launch: bool,
    },
    /// Each in a tab of its own.
    Tabs {
        /// One after another.
        one_by_one: bool,
    },
    /// In the terminal.
    Links {
        one_by_one: bool,
        qr: bool,
        /// Wherever standard error goes.
        print: bool,
        /// Whether the user asked for it or works over SSH, and not only because no browser was found.
        chosen: bool,
    },
}

impl OfferArgs {
    /// What that comes to here.
    pub(in crate::commands) fn offer(&self, context: &Context) -> Result<Offer, Failure> {
        let vars = &context.vars;
        if self.print_links && vars.ci() {
            return Err(UsageError::with_help(
                "`--print-links` would put private links into the log of a CI run",
                "run `connplan authorize --receipt FILE` on your own machine",
            )
            .into());
        }
        let in_terminal = self.no_browser || self.qr || self.print_links;
        let opener = Opener::of(vars);
        if self.page_host.is_some() {
            return Ok(Offer::Page {
                launch: opener.opens(),
            });
        }
        if !in_terminal && context.terminal.is_interactive() {
            match opener {
                Opener::Elsewhere => context.terminal.say(
                    "This is an SSH session: open the links in the browser of your own machine.",
                ),
                Opener::NoDisplay => context.terminal.say(
                    "No display found (DISPLAY is not set): open the links in a browser elsewhere.",
                ),
                Opener::Chosen | Opener::System => {}
            }
        }
        Ok(if in_terminal || !opener.opens() {
            Offer::Links {
                one_by_one: self.one_by_one,
                qr: self.qr,
                print: self.print_links,
                chosen: in_terminal || opener == Opener::Elsewhere,
            }
        } else if self.one_by_one || !context.terminal.is_interactive() {
            // The page goes with a terminal that shows the same; a script wants them opened.
            Offer::Tabs {
                one_by_one: self.one_by_one,
            }
        } else {
            Offer::Page { launch: true }
        })
    }
}

impl Offer {
    /// For when there is no page.
    pub(super) const IN_TERMINAL: Self = Self::Links {
        one_by_one: false,
        qr: false,
        print: false,
        chosen: false,
    };

    pub(super) fn is_one_by_one(self) -> bool {
        match self {
            Self::Page { .. } => false,
            Self::Tabs { one_by_one } | Self::Links { one_by_one, .. } => one_by_one,
        }
    }

    pub(super) fn question(self) -> &'static str {
        match self {
            Self::Links { chosen: true, .. } => "Show the links to authorize now?",
            Self::Page { launch: false } => "Serve the page to authorize now?",
            Self::Page { .. } | Self::Tabs { .. } | Self::Links { .. } => {
                "Open browser to authorize now?"
            }
        }
    }
}
