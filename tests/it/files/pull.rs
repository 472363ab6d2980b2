//! `connplan pull`: the app's connectors become files, in place.

use serde_json::json;

use crate::support::{Platform, Project, reads};

const SLACK: &str = "\u{feff}// Who may talk\r\n{\r\n\t'type': 'slackbot', // the bot\r\n\t'scopes': [\r\n\
                     \t\t// posting\r\n\t\t'chat:write', // every channel\r\n\t\t'files:read',\r\n\t],\r\n}";

fn shop() -> Platform {
    Platform::seeded(json!({ "apps": { "app-1": {
        "connectors": {
            "slackbot": { "scopes": ["chat:write", "channels:read"], "account": "ada@example.com" },
            "gmail": { "scopes": [
                "https://www.googleapis.com/auth/gmail.send",
                "https://www.googleapis.com/auth/userinfo.email", "openid"
            ], "account": "ada@example.com" },
            "notion": {},
        },
        "stripe": "sandbox",
    }}}))
}

fn agrees(project: &Project) {
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    plan.expect(0).says("No changes");
}

#[test]
fn it_edits_in_place_and_a_plan_then_shows_nothing() {
    let platform = shop();
    let project = Project::new().at(&platform);
    project.write("base44/connectors/team chat.jsonc", SLACK);
    project.write(
        "base44/connectors/mail.toml",
        "# mail\r\ntype = \"gmail\" # us\r\n",
    );

    let dry = project.run(&["pull", "--dry-run"]);
    reads!(dry);
    assert_eq!(project.list("base44/connectors").len(), 2);

    let pull = project.run(&["pull"]);
    pull.expect(0);
    assert_eq!(pull.stdout, dry.stdout, "a dry run shows what happens");
    assert_eq!(
        project.read("base44/connectors/team chat.jsonc"),
        SLACK.replace("'files:read',", "'channels:read',")
    );
    assert_eq!(
        project.read("base44/connectors/mail.toml"),
        "# mail\r\ntype = \"gmail\" # us\r\nscopes = [\r\n  \
         \"https://www.googleapis.com/auth/gmail.send\"\r\n]\r\n"
    );
    assert_eq!(
        project.read("base44/connectors/notion.jsonc"),
        "{\n  \"type\": \"notion\",\n  \"scopes\": []\n}\n"
    );
    assert_eq!(
        project.read("base44/connectors/stripe.jsonc"),
        "{\n  \"type\": \"stripe\"\n}\n"
    );
    agrees(&project);
    // A new file names neither of the two that the provider adds.
    project.run(&["pull", "--dir", "other"]).expect(0);
    let fresh = project.read("other/gmail.jsonc");
    assert!(fresh.contains("gmail.send"), "{fresh}");
    assert!(!fresh.contains("openid"), "{fresh}");

    let again = project.run(&["pull", "--format", "json"]);
    again.expect(0);
    let report = again.json();
    assert_eq!(report["kind"], "pull");
    assert_eq!(report["written"], json!([]));
    assert_eq!(report["unchanged"].as_array().unwrap().len(), 4);
    assert_eq!(report["diff"], "");
}

#[test]
fn files_go_only_when_asked_for() {
    let platform = shop();
    let project = Project::new().at(&platform);
    project.write("base44/connectors/linear.jsonc", "{ type: 'linear' }\n");
    reads!(project.run(&["pull"]));
    reads!(project.run(&["pull", "--prune"]), @"
    exit 1: connplan pull --prune
    --- stderr
    error: removing files must be confirmed, and this run is not interactive
      help: give `--yes`, or run it in a terminal without CI and --no-input
      code: connplan::usage
    ");
    assert!(project.path("base44/connectors/linear.jsonc").exists());
    reads!(project.run(&["pull", "--prune", "--yes"]), @"
    exit 0: connplan pull --prune --yes
    --- a/base44/connectors/linear.jsonc
    +++ /dev/null
    @@ -1 +0,0 @@
    -{ type: 'linear' }
    --- stderr
    Pulled: 0 files written, 1 removed.
    ");
    assert!(!project.path("base44/connectors/linear.jsonc").exists());
    agrees(&project);
}

#[test]
fn what_waits_for_a_person_is_not_pulled_away() {
    let platform = shop();
    let project = Project::new().at(&platform);
    project.run(&["pull"]).expect(0);
    let wider = "{\n  \"type\": \"slackbot\",\n  \"scopes\": [\"chat:write\", \"users:read\"]\n}\n";
    project.write("base44/connectors/slackbot.jsonc", wider);
    project.write("base44/connectors/linear.jsonc", "{ type: 'linear' }\n");
    project.run(&["apply", "--yes"]).expect(0);
    let pull = project
        .run(&["pull", "--prune", "--yes", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(pull["written"], json!([]), "{pull}");
    assert_eq!(pull["removed"], json!([]), "{pull}");
    assert_eq!(pull["kept"][0]["reason"], "pending-authorization", "{pull}");
    assert_eq!(pull["kept"].as_array().unwrap().len(), 2);
    assert_eq!(project.read("base44/connectors/slackbot.jsonc"), wider);
}

#[test]
fn nothing_unrelated_is_written_over() {
    let platform = shop();
    let project = Project::new().at(&platform);
    // Misleading, but theirs.
    let linear = "{ type: 'linear' }\n";
    project.write("base44/connectors/notion.jsonc", linear);
    project.run(&["pull"]).expect(0);
    assert_eq!(project.read("base44/connectors/notion.jsonc"), linear);
    assert_eq!(
        project.read("base44/connectors/notion-2.jsonc"),
        "{\n  \"type\": \"notion\",\n  \"scopes\": []\n}\n"
    );
}

#[cfg(unix)]
#[test]
fn links_that_lead_out_are_refused() {
    let platform = shop();
    let project = Project::new().at(&platform);
    let elsewhere = crate::support::folder();
    let target = elsewhere.path().join("mine.jsonc");
    std::fs::copy(project.path("base44/.app.jsonc"), &target).unwrap();
    let text = "{ \"type\": \"slackbot\", \"scopes\": [\"files:read\"] }";
    {
        use std::io::Write;
        let mut file = std::fs::File::create(&target).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }
    project.write("base44/connectors/keep.txt", "");
    let link = project.path("base44/connectors/slackbot.jsonc");
    std::os::unix::fs::symlink(&target, link).unwrap();
    let refused = project.run(&["pull"]);
    reads!(refused, @"
    exit 1: connplan pull
    --- stderr
    error: base44/connectors/slackbot.jsonc: the file is a link out of the project or into the `.git` folder; it was not read
      help: put the file itself here: connplan reads only files inside the project; a link to one of those is written as a relative path
      code: connplan::config::leads_out
    error: base44/connectors/slackbot.jsonc has 1 error; nothing was planned
      help: fix them; `connplan validate` checks without network and login
      code: connplan::config::invalid
    ");
    assert_eq!(std::fs::read_to_string(&target).unwrap(), text);
    assert_eq!(
        project.list("base44/connectors"),
        ["keep.txt", "slackbot.jsonc"],
        "nothing was written at all"
    );

    let project = Project::new().at(&platform);
    std::os::unix::fs::symlink(elsewhere.path(), project.path("base44/connectors")).unwrap();
    let refused = project.run(&["pull"]);
    reads!(refused, @"
    exit 1: connplan pull
    --- stderr
    error: FOLDER/project/base44/connectors leads out of FOLDER/project
      help: connplan reads and writes only in the project, without git's own folder, and follows no link out of it; put a file there instead
      code: connplan::fs::outside
    ");
}

#[test]
fn types_that_differ_in_case_alone_are_told() {
    let seed = json!({ "apps": { "app-1": { "connectors": { "acme": {} } } } });
    let platform = Platform::seeded(seed);
    let project = Project::new().at(&platform);
    project.write("base44/connectors/a.jsonc", "{ type: 'Acme' }\n");
    reads!(project.run(&["pull"]), @"
    exit 1: connplan pull
    --- stderr
    error: base44/connectors/a.jsonc declares `Acme`, and the app has `acme`: the same except for upper and lower case
      help: write the type in base44/connectors/a.jsonc as the app does, `acme`, and pull again
      code: connplan::pull::type_case
    ");
    assert_eq!(project.list("base44/connectors"), ["a.jsonc"]);
}
