//! A signature that was made, or taken back.

use serde::Serialize;

use super::{
    Medium, NextCommand,
    json::{AppName, pretty},
    report::FORMAT_VERSION,
    shell::shell_word,
};
use crate::{
    approval::{Approval, Missing, Requirement},
    escape,
    model::App,
    plan::Digest,
    term::Terminal,
};

/// What `approve` did.
#[derive(Clone, Debug)]
pub struct ApprovalReport<'a> {
    /// The plan's app.
    pub app: &'a App,
    /// The plan.
    pub digest: &'a Digest,
    /// Where the signature lies, where it is in a file.
    pub file: Option<String>,
    /// The team's store, where that has it.
    pub store: Option<&'a str>,
    /// The key's fingerprint.
    pub key: &'a str,
    /// Who that is, where the project's signers say so.
    pub signer: Option<&'a str>,
    /// Whether the project names a file of signers at all.
    pub has_signers: bool,
    /// Whether an approval was taken back.
    pub revoked: bool,
    /// Why no apply takes the plan all the same, if so.
    pub refused: Option<&'a str>,
    /// What else it needs, where that is known.
    pub missing: Option<&'a Missing>,
}

#[derive(Serialize)]
struct Json<'a> {
    format_version: &'static str,
    kind: &'static str,
    apps: Vec<AppName>,
    digest: &'a Digest,
    file: Option<&'a str>,
    store: Option<&'a str>,
    key: &'a str,
    signer: Option<&'a str>,
    revoked: bool,
}

impl ApprovalReport<'_> {
    /// Prints it: the document, or on standard error what a person reads. `plan` is the plan's file.
    pub fn show(&self, plan: &str, medium: &Medium<'_>, terminal: &Terminal) {
        if medium.is_json() {
            terminal.out(&self.to_json());
        } else {
            terminal.say(&self.text(plan, medium.next));
        }
    }

    /// As JSON, with a line break at its end.
    fn to_json(&self) -> String {
        pretty(&Json {
            format_version: FORMAT_VERSION,
            kind: "approval",
            apps: AppName::list(Some(self.app)),
            digest: self.digest,
            file: self.file.as_deref(),
            store: self.store,
            key: self.key,
            signer: self.signer,
            revoked: self.revoked,
        })
    }

    /// For a person.
    fn text(&self, plan: &str, next: &NextCommand) -> String {
        let did = if self.revoked {
            "Revoked the approval"
        } else {
            "Approved"
        };
        let signer = self.signer.map_or_else(String::new, |signer| {
            format!(" as {}", escape::limited(signer, 200))
        });
        let mut text = format!(
            "{did}{signer}, with the key {}.\nPlan:      {}",
            self.key, self.digest
        );
        for place in self.file.as_deref().into_iter().chain(self.store) {
            text.push_str("\nSignature: ");
            text.push_str(&escape::limited(place, 400));
        }
        text.push_str(&escape_lines(&next.within(&self.next(plan))));
        text
    }

    /// What follows from it.
    fn next(&self, plan: &str) -> String {
        let file = self.file.as_deref().map(shell_word).unwrap_or_default();
        if self.revoked {
            return match self.store {
                Some(_) => {
                    "\n`connplan apply` with this store no longer counts the approval.".to_owned()
                }
                None => format!(
                    "\nGive it to every apply that is given the approval, with `--approved-by {file}`: that \
                     one does not count any more."
                ),
            };
        }
        if let Some(why) = self.refused {
            return format!("\n`connplan apply` refuses this plan all the same: {why}.");
        }
        if let (Some(missing), true) = (self.missing, self.has_signers) {
            let ways = match self.store {
                Some(_) => ways(missing, Some(self.digest.as_str()), "", true),
                None => ways(missing, Some(plan), &format!(" {file}"), false),
            };
            return format!("\nApproval:  {missing}\nTo have it approved: {ways}");
        }
        let plan = shell_word(plan);
        match self.store {
            _ if !self.has_signers => format!(
                "\nIt counts once a file lists your key: name it in connplan.toml (`[approval]`, \
                 `signers = \"allowed_signers\"`), with a line for each signer, an address and the public \
                 key. Then:\n  connplan apply {plan} --approved-by {file}"
            ),
            Some(_) => format!("\nTo apply it:\n  connplan apply {plan}"),
            None => format!("\nTo apply it:\n  connplan apply {plan} --approved-by {file}"),
        }
    }
}

/// How a plan gets the approval that it lacks, and is applied with it. `given` are the signatures that
/// there are, each after a blank; `kept` says that a store keeps them.
pub fn ways(missing: &Missing, plan: Option<&str>, given: &str, kept: bool) -> String {
    let plan = plan.map_or_else(|| "PLAN".to_owned(), shell_word);
    let plan = escape::terminal(&plan);
    let given = escape::terminal(given);
    // A signature that was given does not become another one by being made again.
    let more = if given.is_empty() { "sig" } else { "2.sig" };
    let who = if given.is_empty() && missing.have == 0 {
        "a signer"
    } else {
        "another signer"
    };
    let sign = if kept {
        format!(
            "{who} runs `connplan approve {plan}`, which keeps the signature in the store; then \
             `connplan apply {plan}`"
        )
    } else {
        format!(
            "{who} runs `connplan approve {plan} --out {plan}.{more}`; then \
             `connplan apply {plan} --approved-by{given} {plan}.{more}`"
        )
    };
    let review = format!(
        "have the pull or merge request approved whose comment shows this plan; then \
         `connplan apply {plan} --approved-in-review={}`",
        missing.count
    );
    match missing.require {
        Requirement::Signature => sign,
        Requirement::Review => review,
        Requirement::Either => format!("{review}; or {sign}"),
    }
}

/// `Approved by ann@example.com (signature, SHA256:…).`
pub fn said(approval: &Approval) -> String {
    let signer = escape::limited(&approval.signer, 200);
    let by = approval
        .by
        .as_deref()
        .map_or_else(String::new, |by| format!(", {}", escape::limited(by, 200)));
    format!("Approved by {signer} ({}{by}).", approval.proof)
}

fn escape_lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(escape::terminal).collect();
    lines.join("\n")
}
