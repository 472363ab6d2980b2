//! What a store says that a consent left out.

use std::fs;

use super::{approvals::SigningTeam, once::forged};
use crate::support::{Connector, reads};

const MAIL: &str = "https://mail.google.com/";
const SEND: &str = "https://www.googleapis.com/auth/gmail.send";

/// Whoever may write the store can say that a consent left anything out: it is shown with its dangers, and
/// believed of a plan that asked for it only.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn what_a_consent_is_said_to_have_left_out_is_shown_with_its_dangers() {
    let team = SigningTeam::with("[store]\nurl = \"git:origin\"\n");
    team.platform.set(&Connector {
        name: "gmail",
        status: "active",
        scopes: &[SEND],
        account: Some("ada@example.com"),
    });
    for clone in [&team.one, &team.two] {
        clone.undeclare("slack");
        clone.declare("gmail", &[SEND, MAIL]);
    }
    team.one.run(&["apply", "--auto-approve"]).expect(0);
    let say = |more: &str, of: Option<&str>| {
        forged(&team, |folder| {
            let file = folder.join("waits.toml");
            let text = fs::read_to_string(&file).unwrap();
            let lines = text.lines().map(|line| match of {
                Some(digest) if line.starts_with("plan_digest") => {
                    format!("plan_digest = \"{digest}\"\n")
                }
                _ if line.starts_with("scopes = ") => format!("{line}\n{more}\n"),
                _ => format!("{line}\n"),
            });
            let text: String = lines.collect();
            fs::write(&file, text).unwrap();
        });
    };
    say(&format!("missing = [\"{MAIL}\"]\nsettled = true"), None);
    reads!(team.two.run(&["plan", "--detailed-exitcode"]), @"
    exit 0: connplan plan --detailed-exitcode
    App app-1 at http://HOST

    Without what the last consent left out (nothing is written again):
        gmail                 base44/connectors/gmail.jsonc
            https://mail.google.com/
              whole mailbox: read, write, send, delete for good; also IMAP/SMTP · write, RESTRICTED
            https://www.googleapis.com/auth/gmail.send
              send mail as the user; cannot read the mailbox · write, sensitive

    note: gmail: the last consent did not grant https://mail.google.com/. If somebody unticked it, `connplan authorize gmail` asks again. If the platform does not grant it, nothing can be done; after `connplan authorize --forget gmail` the plan shows it as a change again

    No changes to make. The app lacks what the last consent left out.
    --- stderr
    gmail waits for a person; requested just now by one.
    ");
    let plan = team.two.run(&["plan", "--format", "markdown"]);
    plan.expect(0).says("🛑 **Danger:**");
    say("", Some(&format!("sha256:{}", "0".repeat(64))));
    let plan = team.two.run(&["plan", "--detailed-exitcode"]);
    plan.expect(0).says("Waiting for authorization (nothing");
    plan.lacks("left out").lacks("did not grant");
}
