//! How to go on with the same command, and with the document that it was given.

use crate::{
    escape,
    model::ConnectorType,
    plan::Digest,
    view::{NextCommand, shell::shell_word},
};

/// What `connplan authorize` has to be given again: on a machine that did not apply, only the
/// document knows what waits, unless the machines share a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Again {
    next: NextCommand,
    document: Option<String>,
    store: Option<String>,
}

impl Again {
    /// The command alone.
    pub fn new(next: &NextCommand) -> Self {
        Self {
            next: next.clone(),
            ..Self::default()
        }
    }

    /// With this receipt, and the digest that it has to have; what came by standard input has no
    /// name. Where a digest is `needed` and none was given, its place is kept: whoever applied knows it.
    #[must_use]
    pub fn with_receipt(self, file: &str, digest: Option<&Digest>, needed: bool) -> Self {
        let word = if file == "-" {
            "FILE".to_owned()
        } else {
            escape::terminal(&shell_word(file)).into_owned()
        };
        let digest = match digest {
            Some(digest) => Some(digest.as_str()),
            None => needed.then_some("DIGEST"),
        };
        let digest = digest.map(|digest| format!(" --expect-digest {digest}"));
        Self {
            document: Some(format!("--receipt {word}{}", digest.unwrap_or_default())),
            ..self
        }
    }

    /// With what this store knows, where one was read.
    #[must_use]
    pub fn as_known_to(mut self, store: Option<&str>) -> Self {
        self.store = store.map(|store| escape::limited(store, 200));
        self
    }

    /// The store that was read. Escaped.
    pub fn store(&self) -> Option<&str> {
        self.store.as_deref()
    }

    /// Whether a document was given.
    pub fn has_document(&self) -> bool {
        self.document.is_some()
    }

    /// The command for everything.
    pub fn command(&self) -> String {
        self.extended("connplan authorize")
    }

    /// The command for one connector.
    pub fn of(&self, connector: &ConnectorType) -> String {
        self.extended(&format!("connplan authorize {connector}"))
    }

    /// The command for some of them.
    pub fn of_all<'a>(&self, connectors: impl Iterator<Item = &'a ConnectorType>) -> String {
        let names: Vec<_> = connectors.map(ConnectorType::as_str).collect();
        self.extended(&format!("connplan authorize {}", names.join(" ")))
    }

    /// What it has with it, as every command that is printed.
    pub(super) fn surroundings(&self) -> &NextCommand {
        &self.next
    }

    fn extended(&self, command: &str) -> String {
        let mut command = self.next.within(command);
        if let Some(options) = &self.document {
            command.extend([" ", options]);
        }
        command
    }
}
