//! A repository through fourteen days, on stand-ins of both forges: what each step ends with, and what
//! reviewers see then, as whole texts.
//!
//! The texts are `fixtures/stories/github.md` and `gitlab.md`. Read what changes in them as a reviewer
//! would.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::Stdio,
    thread,
};

use serde_json::json;

use super::{
    forge::{Comments, issues},
    heads::{Shop, sha, shop},
    reviews::Reviews,
};
use crate::support::{Connector, Output, Project, differs};

const GRACE: &str = "grace@example.com";

#[test]
fn fourteen_days_of_a_repository() {
    fourteen_days(true);
}

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn fourteen_days_of_a_repository_on_gitlab() {
    fourteen_days(false);
}

fn fourteen_days(github: bool) {
    let shop = shop(github);
    let name = if github { "github" } else { "gitlab" };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/stories/{name}.md"));
    let wrong = differs(&file, &Days::new(shop).live());
    assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
}

/// What is told so far.
struct Days {
    shop: Shop,
    issues: Comments,
    told: String,
    /// What was done since the last look.
    steps: String,
    seen: Vec<String>,
}

impl Days {
    fn new(mut shop: Shop) -> Self {
        let summary = shop.project.path("../summary.md").display().to_string();
        shop.project = shop
            .project
            .var("GITHUB_STEP_SUMMARY", &summary)
            .connector("notion", &["read"])
            .file(
                "base44/connplan.toml",
                "[policy]\nprotected = [\"notion\"]\n",
            );
        shop.platform.set(&Connector::active("notion", &["read"]));
        let issues = issues(&shop.server, shop.github);
        Self {
            shop,
            issues,
            told: String::new(),
            steps: String::new(),
            seen: Vec::new(),
        }
    }

    fn live(mut self) -> String {
        self.review();
        self.apply();
        self.after();
        format!("{}\n", self.told.trim_end())
    }

    /// Days 1 to 5: a request is opened, pushed to, and approved.
    fn review(&mut self) {
        let project = |days: &Self, scopes: &[&str]| days.shop.project.declare("slack", scopes);
        self.shop.head('a', false);
        self.plan('a', 1, 0);
        self.look("Day 1: a request is opened");

        project(self, &["chat:write", "channels:read"]);
        self.shop.project.declare("linear", &["read"]);
        self.shop.head('b', false);
        self.plan('b', 2, 0);
        self.look("Day 1: a push");

        let notion = self.shop.project.read("base44/connectors/notion.jsonc");
        self.shop.project.undeclare("notion");
        self.shop.head('c', false);
        self.plan('c', 3, 6);
        self.look("Day 2: a push that the policy forbids");
        self.shop
            .project
            .write("base44/connectors/notion.jsonc", &notion);

        self.shop
            .project
            .write("base44/connectors/bad.jsonc", "{ nonsense");
        self.shop.head('d', false);
        self.plan('d', 4, 1);
        self.look("Day 2: a push that does not parse");
        fs::remove_file(self.shop.project.path("base44/connectors/bad.jsonc")).unwrap();

        self.shop
            .platform
            .behave(&json!({ "viewers": ["ada@example.com"] }));
        self.shop.head('e', false);
        self.plan('e', 5, 1);
        self.look("Day 3: the token may no longer look (403)");
        self.shop.platform.behave(&json!({ "viewers": [] }));

        self.shop.head('f', false);
        self.plan('f', 6, 0);
        self.look("Day 3: a push that is well");

        let args = ["comment", "a1.plan"];
        let again = self.shop.run('a', 1, &args);
        self.did(&args, &again, 0);
        self.look("Day 4: the first run again");

        self.shop.review(&Reviews {
            given: &[("bob", "APPROVED", 'f', false)],
            asked: &[],
            committer: Some("ann"),
        });
        self.look("Day 5: bob approves");
    }

    /// Days 6 to 8: the app changes elsewhere, the request is merged, and the apply needs two attempts.
    fn apply(&mut self) {
        self.shop.platform.set(&Connector::active(
            "hubspot",
            &["crm.objects.contacts.read"],
        ));
        self.look("Day 6: somebody adds hubspot in the app");

        self.shop.head('f', true);
        self.shop.platform.behave(&json!({
            "forbidden": { "linear": "Ask an admin." }, "policies_readable": false,
        }));
        self.carry_out("first.receipt", 5);
        self.look("Day 7: merged; linear fails");

        // Nothing of the first runner is left.
        fs::remove_dir_all(self.shop.project.state_folder()).unwrap();
        self.shop
            .platform
            .behave(&json!({ "forbidden": {}, "policies_readable": true }));
        self.carry_out("second.receipt", 0);
        self.look("Day 8: the runner was lost; the same plan on a fresh one");
        self.carry_out("third.receipt", 0);
        self.look("Day 8: once more");
    }

    /// Days 9 to 14: consent, drift, repair.
    fn after(&mut self) {
        self.shop.platform.advance(9 * 3600);
        self.drift(
            "Day 9: the morning look, while two wait",
            &["--receipt", "second.receipt"],
            2,
        );

        self.consent();
        fs::remove_dir_all(self.shop.project.state_folder()).unwrap();
        self.look("Day 9: grace consents at her desk, from the receipt");

        self.shop
            .platform
            .set(&Connector::active("notion", &["read", "write"]));
        self.drift(
            "Day 11: notion was widened in the app too",
            &["--receipt", "second.receipt"],
            2,
        );
        self.drift(
            "Day 12: as the day before",
            &["--receipt", "second.receipt"],
            2,
        );

        let args = ["apply", "--auto-approve", "--receipt", "repair.receipt"];
        let out = self.shop.after_merge('8', &args);
        self.did(&args, &out, 0);
        self.look("Day 13: the files are carried out again");
        self.drift(
            "Day 14: nothing is apart",
            &["--receipt", "repair.receipt"],
            0,
        );
    }

    /// What the plan job does.
    fn plan(&mut self, commit: char, run: u32, code: i32) {
        let file = format!("{commit}{run}.plan");
        let plan = ["plan", "--out", &file, "--format", "json"];
        let planned = self.shop.run(commit, run, &plan);
        self.did(&plan, &planned, code);
        self.shop.project.write("error.json", &planned.stdout);
        let comment: &[&str] = match code {
            0 => &["comment", &file],
            _ => &["comment", "--failed", "error.json"],
        };
        let out = self.shop.run(commit, run, comment);
        self.did(comment, &out, 0);
    }

    /// What the apply job does after the merge.
    fn carry_out(&mut self, receipt: &str, code: i32) {
        let apply = [
            "apply",
            "f6.plan",
            "--approved-in-review",
            "--receipt",
            receipt,
        ];
        let out = self.shop.after_merge('7', &apply);
        self.did(&apply, &out, code);
        let comment = ["comment", receipt];
        let out = self.shop.after_merge('7', &comment);
        self.did(&comment, &out, 0);
    }

    /// What the scheduled job does.
    fn drift(&mut self, title: &str, more: &[&str], code: i32) {
        let args = [&["drift", "--issue", "--pending-after", "24h"], more].concat();
        let out = self.shop.after_merge('7', &args);
        self.did(&args, &out, code);
        self.look(title);
    }

    /// Another person, another machine.
    fn consent(&mut self) {
        let desk = Project::new()
            .at(&self.shop.platform)
            .file("it.receipt", &self.shop.project.read("second.receipt"));
        for name in ["slack", "linear", "notion"] {
            let path = format!("base44/connectors/{name}.jsonc");
            desk.write(&path, &self.shop.project.read(&path));
        }
        let args = [
            "authorize",
            "--receipt",
            "it.receipt",
            "--yes",
            "--no-browser",
        ];
        let mut command = desk.command(&args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(said.any(|line| line.unwrap().starts_with("Waiting for ")));
        let rest = thread::spawn(move || said.for_each(drop));
        for name in ["linear", "slack"] {
            self.shop.platform.consent(name, GRACE);
        }
        let ended = child.wait_with_output().unwrap();
        rest.join().unwrap();
        let out = Output {
            command: args.join(" "),
            code: ended.status.code(),
            stdout: String::from_utf8(ended.stdout).unwrap(),
            stderr: String::new(),
        };
        self.did(&args, &out, 0);
    }

    /// Tells a command, how it ended, and what it printed for a person.
    fn did(&mut self, args: &[&str], out: &Output, code: i32) {
        out.expect(code);
        let _ = writeln!(
            self.steps,
            "$ connplan {}\nends with {code}",
            args.join(" ")
        );
        // What plans and applies print is held elsewhere; here it is what reviewers see.
        if matches!(args.first(), Some(&"plan" | &"apply")) {
            return;
        }
        let text = format!("{}{}", out.stdout, out.stderr);
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let _ = writeln!(self.steps, "    {}", line.trim_end());
        }
    }

    /// Tells what is other than it was: each comment, each issue, and the run's summary.
    fn look(&mut self, title: &str) {
        let mut now: Vec<String> = Vec::new();
        for (at, body) in self.shop.comments.bodies().into_iter().enumerate() {
            now.push(format!("comment {}\n{body}", at + 1));
        }
        for issue in self.issues.all() {
            let text = issue["description"].as_str().or(issue["body"].as_str());
            let remark = issue["remark"].as_str().unwrap_or_default();
            now.push(format!(
                "issue, {}: {}\n{}\n{remark}",
                issue["state"].as_str().unwrap(),
                issue["title"].as_str().unwrap(),
                text.unwrap_or_default()
            ));
        }
        let summary = self.shop.project.path("../summary.md");
        if let Ok(text) = fs::read_to_string(&summary) {
            now.push(format!("summary\n{text}"));
            fs::remove_file(&summary).unwrap();
        }
        let mut out = format!("# {title}\n\n{}", std::mem::take(&mut self.steps));
        for one in now.iter().filter(|one| !self.seen.contains(one)) {
            let (head, body) = one.split_once('\n').unwrap();
            let _ = write!(out, "\n--- {head}\n{}\n", body.trim_end());
        }
        if now.iter().all(|one| self.seen.contains(one)) {
            out.push_str("\n--- nothing else to see\n");
        }
        self.seen = now;
        self.told.push_str(self.plain(out.trim()).as_str());
        self.told.push_str("\n\n\n");
    }

    /// Without what is another each time.
    fn plain(&self, text: &str) -> String {
        let mut text = text.replace(self.shop.platform.url(), "https://app.example");
        for letter in "abcdef78".chars() {
            text = text.replace(&sha(letter), &format!("{}…", letter.to_string().repeat(7)));
        }
        text = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
        for (mark, class, name) in [
            ("sha256:", "0123456789abcdef", "sha256:…"),
            ("(request ", "0123456789abcdef-", "(request ID"),
            ("conn_", "0123456789abcdef", "conn_…"),
            ("since=", "0123456789", "since=TIME"),
            ("planned=", "0123456789", "planned=TIME"),
            (
                "connplan-it-",
                "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
                "FOLDER",
            ),
        ] {
            text = replaced(&text, mark, class, name);
        }
        // How long ago depends on the machine.
        let lines = text
            .split('\n')
            .map(|line| match line.split_once(": asked for ") {
                Some((before, _)) => format!("{before}: asked for TIME"),
                None => line.to_owned(),
            });
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn replaced(text: &str, mark: &str, class: &str, name: &str) -> String {
    let mut parts = text.split(mark);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(name);
        out.push_str(part.trim_start_matches(|c| class.contains(c)));
    }
    out
}
