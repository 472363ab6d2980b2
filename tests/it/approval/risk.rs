//! From which risk on a plan needs approval, the binary.

use crate::support::{Connector, Platform, Project, reads, sample};

const MAIL: &str = "https://mail.google.com/";

/// A project that demands a signature from this risk on.
fn needs(platform: &Platform, from_risk: &str) -> Project {
    let project = Project::new().at(platform);
    let settings = format!("[approval]\nrequire = \"signature\"\nfrom_risk = \"{from_risk}\"\n");
    project.file("connplan.toml", &settings)
}

fn broken<'a>(status: &'a str, name: &'a str, scopes: &'a [&'a str]) -> Connector<'a> {
    Connector {
        status,
        ..Connector::active(name, scopes)
    }
}

/// From which risk on, what the app has, type and scopes of the file, and how `apply` ends.
type Case<'a> = (&'a str, Option<Connector<'a>>, &'a str, &'a [&'a str], i32);

#[test]
fn what_a_reader_is_told_of_as_no_danger_may_need_it_all_the_same() {
    let calendar = "https://www.googleapis.com/auth/calendar";
    let acls = "https://www.googleapis.com/auth/calendar.acls";
    let works = Connector::active("slack", &["chat:write", "users:read"]);
    let whole = [calendar];
    let cases: [Case<'_>; 17] = [
        (
            "danger",
            Some(broken("expired", "gmail", &[MAIL])),
            "gmail",
            &[MAIL],
            3,
        ),
        (
            "danger",
            Some(broken("disconnected", "gmail", &[MAIL])),
            "gmail",
            &[MAIL],
            3,
        ),
        (
            "write",
            Some(broken("expired", "slack", &["users:read"])),
            "slack",
            &["users:read"],
            0,
        ),
        ("danger", None, "googlecalendar", &[calendar, acls], 3),
        ("danger", None, "googlecalendar", &[calendar], 3),
        (
            "danger",
            None,
            "outlook",
            &["https://graph.microsoft.com/.default"],
            3,
        ),
        (
            "danger",
            None,
            "outlook",
            &["https://management.azure.com/.default"],
            3,
        ),
        (
            "danger",
            None,
            "share_point",
            &["https://acme.sharepoint.com/AllSites.FullControl"],
            3,
        ),
        (
            "write",
            None,
            "outlook",
            &["https://outlook.office.com/Mail.Read"],
            0,
        ),
        ("write", None, "dropbox", &[], 3),
        ("write", None, "notion", &[], 3),
        ("write", None, "supabase", &[], 3),
        ("write", Some(works), "slack", &["users:read"], 3),
        ("danger", Some(works), "slack", &["users:read"], 0),
        ("danger", Some(works), "slack", &["emoji:read"], 3),
        ("danger", Some(works), "slack", &[], 3),
        // Less of what it has is no danger, by whichever name.
        (
            "danger",
            Some(Connector::active("googlecalendar", &whole)),
            "googlecalendar",
            &["https://www.googleapis.com/auth/calendar.events"],
            0,
        ),
    ];
    for (from_risk, before, name, scopes, code) in sample(cases, 2) {
        let platform = before.map_or_else(Platform::start, |is| Platform::with(&[is]));
        let project = needs(&platform, from_risk).connector(name, scopes);
        project.run(&["apply", "-y"]).expect(code);
        let asked = !platform.writes().is_empty();
        assert_eq!(asked, code == 0, "{from_risk} {name} {scopes:?}");
    }
}

/// More harm is not less risk.
#[test]
fn a_takeover_needs_it_whatever_else_the_change_does_and_whether_it_works() {
    let had = ["channels:read", "users:read"];
    for status in ["active", "expired", "disconnected"] {
        for scopes in [
            &had[..],
            &["channels:read"],
            &["channels:read", "users:read", "emoji:read"],
        ] {
            let platform = Platform::with(&[broken(status, "slack", &had)]);
            let project = needs(&platform, "danger");
            let file = serde_json::json!({
                "type": "slack", "scopes": scopes, "account": "eve@elsewhere.example",
            });
            project.write("base44/connectors/slack.jsonc", &file.to_string());
            let plan = project.run(&["plan", "--format", "markdown"]);
            plan.expect(0).says("🛑 **Danger:**");
            project.run(&["apply", "-y"]).expect(3);
            assert!(platform.writes().is_empty(), "{status} {scopes:?}");
        }
    }
}

/// Nobody approves what they do not see: it is asked for once a plan was applied.
#[test]
fn what_expired_is_authorized_without_a_plan_where_that_needs_no_approval() {
    let platform = Platform::with(&[
        broken("expired", "gmail", &[MAIL]),
        broken("disconnected", "slack", &["users:read"]),
    ]);
    let project = needs(&platform, "danger")
        .connector("gmail", &[MAIL])
        .connector("slack", &["users:read"]);
    reads!(project.run(&["authorize", "--list"]), @"
    exit 4: connplan authorize --list
    App app-1 at http://HOST
      ! gmail: [approval] in connplan.toml demands an approval for it: make a plan (`connplan plan --out FILE`), have it approved, and apply it
      ~ slack needs a person's consent again

    Next: connplan authorize
    ");
    project.write("connplan.toml", "");
    project.run(&["apply", "-y", "--target", "gmail"]).expect(0);
    needs_again(&project);
    let list = project.run(&["authorize", "--list"]);
    list.expect(4).lacks("! gmail:");
}

fn needs_again(project: &Project) {
    project.write("connplan.toml", "[approval]\nrequire = \"signature\"\n");
}

/// What nobody knows may be what a newer connplan forbids.
#[test]
fn nothing_passes_a_gate_that_is_misspelt() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["users:read"]);
    project.write(
        "connplan.toml",
        "[aproval]\nrequire = \"review\"\n[policy]\nmax_clas = \"none\"\n\
         protected = [\"gmial\"]\n",
    );
    project.run(&["validate"]).expect(0);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    reads!(project.run(&["apply", "x.plan"]), @r#"
    exit 1: connplan apply x.plan
    --- stderr
    error: the project's settings cannot be used
    error: `aproval` is not a setting, so what it forbids or who has to approve is not known; did you mean `approval`?
       ╭─[connplan.toml:1:2]
     1 │ [aproval]
       ·  ───┬───
       ·     ╰── here
     2 │ require = "review"
       ╰────
      code: connplan::config::setting
    error: `max_clas` is not a setting, so what it forbids or who has to approve is not known; did you mean `max_class`?
       ╭─[connplan.toml:4:1]
     3 │ [policy]
     4 │ max_clas = "none"
       · ────┬───
       ·     ╰── here
     5 │ protected = ["gmial"]
       ╰────
      code: connplan::config::setting
    error: `gmial` is not a connector type, so a rule for it forbids nothing; did you mean `gmail`?
       ╭─[connplan.toml:5:14]
     4 │ max_clas = "none"
     5 │ protected = ["gmial"]
       ·              ───┬───
       ·                 ╰── here
       ╰────
      code: connplan::config::setting
      code: connplan::config::invalid
    "#);
    project.run(&["authorize"]).expect(1);
    project.run(&["authorize", "--list"]).expect(0);
    project.write(
        "connplan.toml",
        "[approval]\ncount = 2\nfrom_risk = \"none\"\n",
    );
    project.run(&["apply", "x.plan"]).expect(1);
    assert!(platform.writes().is_empty());
}

/// Nothing of it is in force, so a person's consent gives all of it: a reader sees that, as the gate does.
#[test]
fn what_a_new_consent_brings_into_force_is_shown() {
    let platform = Platform::with(&[broken("disconnected", "gmail", &[MAIL])]);
    let project = Project::new().at(&platform).connector("gmail", &[MAIL]);
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  ! look here

      ! gmail                 base44/connectors/gmail.jsonc
          the remote says disconnected; ada@example.com authorized it
            https://mail.google.com/
              whole mailbox: read, write, send, delete for good; also IMAP/SMTP · write, RESTRICTED
          authorization: required

    Plan: 0 to add, 0 to change, 0 to remove, 1 to authorize.
    ");
    reads!(project.run(&["plan", "--format", "markdown"]), @"
    exit 0: connplan plan --format markdown
    ## connplan plan: app `app-1`
    **Plan: 0 to add, 0 to change, 0 to remove, 1 to authorize.**

    - 🛑 **Danger:** gains access that the provider restricts: `gmail` (`https://mail.google.com/` – whole mailbox: read, write, send, delete for good; also IMAP/SMTP)

    * **Authorize again (1):** `gmail` 🛑

    <details>
    <summary>Details, scope by scope</summary>

    ```diff
    @@ ! gmail: reauthorize, base44/connectors/gmail.jsonc @@
      the remote says disconnected
      https://mail.google.com/  (whole mailbox: read, write, send, delete for good; also IMAP/SMTP · write, RESTRICTED)
      authorization: required
    ```

    </details>

    Digest `sha256:DIGEST`, at `http://HOST`, by connplan VERSION.

    To carry out exactly this plan: `connplan apply FILE --expect-digest sha256:DIGEST`
    ");
    reads!(project.run(&["plan", "--format", "diff"]), @r#"
    exit 0: connplan plan --format diff
    --- a/remote/gmail
    +++ b/base44/connectors/gmail.jsonc
    @@ -1,6 +1,7 @@
     {
       "type": "gmail",
    -  "status": "disconnected",
    +  "status": "active",
       "scopes": [
    +    "https://mail.google.com/",
       ],
     }
    "#);
    let plan = project.run(&["plan", "--format", "json"]).json();
    let change = &plan["apps"][0]["changes"][0];
    assert_eq!(change["action"], "reauthorize");
    assert_eq!(change["scopes"]["kept"], serde_json::json!([MAIL]));
    assert_eq!(change["risks"][0]["kind"], "restricted");
}
