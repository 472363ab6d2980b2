//! What cannot be written down: found out before the remote is touched, or said whole.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::symlink,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use serde_json::json;

use crate::{
    support::scripted::{Reply, Scripted},
    support::{APP, Connector, Platform, Project, reads, sample},
};

const NAMES: [&str; 6] = ["airtable", "box", "discord", "github", "notion", "wix"];

fn project(platform: &Platform) -> Project {
    let mut project = Project::new().at(platform);
    for name in NAMES {
        project = project.connector(name, &["a"]);
    }
    project.run(&["plan", "--out", "saved.plan"]).expect(0);
    platform.forget();
    project
}

#[test]
fn what_can_be_found_out_before_is_found_out_before() {
    let spoil: [fn(&Project) -> PathBuf; 5] = [
        // A file where the folder should be.
        |project| {
            let _ = fs::remove_dir_all(project.state(""));
            project.write_state("", "");
            project.state("")
        },
        |project| {
            project.write_state("journal", "");
            project.state("journal")
        },
        |project| {
            project.write_state("pending.toml", "garbled");
            project.state("pending.toml")
        },
        // Links that lead elsewhere.
        |project| {
            fs::create_dir(project.path("elsewhere")).unwrap();
            // The plan was kept there.
            fs::remove_dir_all(project.state("")).unwrap();
            symlink(project.path("elsewhere"), project.state("")).unwrap();
            project.state("")
        },
        |project| {
            project.write("precious", "");
            fs::create_dir_all(project.state("")).unwrap();
            symlink("../precious", project.state("pending.toml")).unwrap();
            project.state("pending.toml")
        },
    ];
    let platform = Platform::start();
    for spoil in spoil {
        let project = project(&platform);
        let path = spoil(&project);
        let applied = project.run(&["apply", "saved.plan"]);
        applied.expect(1);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        applied.tells(&name);
        assert_eq!(platform.writes(), [] as [&str; 0], "{applied}");
    }
    let project = project(&platform);
    project
        .run(&["apply", "saved.plan", "--receipt", "no/such/folder/receipt"])
        .expect(1);
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

#[test]
fn a_full_disk_is_found_out_before() {
    for blocks in sample([1, 2, 6, 40, 90], 2) {
        let platform = Platform::start();
        let project = project(&platform);
        let text = project.on_full_disk(blocks, "apply saved.plan").1;
        assert!(
            text.contains("pending.toml") || text.contains("/state"),
            "{text}"
        );
        assert_eq!(platform.writes(), [] as [&str; 0], "{text}");
        project.run(&["apply", "saved.plan"]).expect(0);
        assert_eq!(platform.pending().len(), NAMES.len());
    }
}

#[test]
fn on_a_disk_that_fills_up_the_outcome_is_said_and_the_next_run_goes_on() {
    let server = Scripted::start();
    let route = |method: &str, rest: &str| format!("{method} /api/apps/{APP}/{rest}");
    let (list, stripe) = (
        json!({ "integrations": [] }),
        json!({ "stripe_mode": null }),
    );
    server.on(
        &route("GET", "external-auth/list"),
        [Reply::json(200, &list)],
    );
    server.on(
        &route("GET", "payments/stripe/status"),
        [Reply::json(200, &stripe)],
    );
    // In order, and with scopes of a length that nobody counts with.
    let names: Vec<_> = ('a'..='n').map(|c| format!("box_{c}")).collect();
    let put = |name: &str| route("PUT", &format!("external-auth/integrations/{name}"));
    let mut project = Project::new().at_url(&server.url(), "b44k_key");
    // Longer than the room that is made sure of beforehand for each.
    let scopes: Vec<_> = (0..12).map(|n| format!("{n:s>900}")).collect();
    let scopes: Vec<_> = scopes.iter().map(String::as_str).collect();
    for name in &names {
        project = project.connector(name, &scopes);
        let name = name.clone();
        server.on_each(&put(&name.clone()), move |_| {
            let answer = json!({"redirect_url": "https://example.com/", "already_authorized": false,
                "connection_id": format!("id-{name}")});
            Reply::json(200, &answer)
        });
    }
    // What waits already, for a file that is gone, is long; the next one says how long these are.
    let size = || fs::metadata(project.state("pending.toml")).unwrap().len();
    let long: Vec<_> = (0..120).map(|n| format!("{n:a>900}")).collect();
    let long: Vec<_> = long.iter().map(String::as_str).collect();
    let earlier = [("fil_a", long.as_slice()), ("fil_b", scopes.as_slice())];
    let sizes = earlier.map(|(name, scopes)| {
        let answer = json!({"redirect_url": "https://example.com/", "already_authorized": false,
            "connection_id": format!("id-{name}")});
        server.on(&put(name), [Reply::json(200, &answer)]);
        project.declare(name, scopes);
        let only = ["apply", "--auto-approve", "--target", name];
        project.run(&only).expect(0);
        project.undeclare(name);
        size()
    });
    let each = sizes[1] - sizes[0];
    let blocks = (sizes[1] + 12 * each + each / 2) / 512;
    let apply = "apply --auto-approve --parallelism 1 --receipt my.receipt";
    let text = project
        .on_full_disk(usize::try_from(blocks).unwrap(), apply)
        .1;
    let (_, said) = text.split_once("could not be saved").expect(&text);
    for name in &names[..13] {
        let told = said
            .matches(&format!("connection_id = \"id-{name}\""))
            .count();
        assert_eq!(told, 1, "{name}: {said}");
    }
    assert!(said.contains("apply again"), "{said}");
    assert_eq!(server.hits(&put("box_m")), 1);
    assert_eq!(server.hits(&put("box_n")), 0, "{said}");
    // With room again, the same command finishes the job, and asks for what is lost alone.
    project.run(&["apply", "--auto-approve"]).expect(0);
    let asked: Vec<_> = names.iter().map(|name| server.hits(&put(name))).collect();
    assert_eq!(asked, [[1; 12].as_slice(), &[2, 1]].concat());
    let store = project.read_state("pending.toml");
    let kept = |name: &String| store.contains(&format!("\"id-{name}\""));
    assert!(names.iter().all(kept));
}

#[test]
fn a_folder_that_vanishes_under_way_stops_what_has_not_begun() {
    let server = Scripted::start();
    let route = |method: &str, rest: &str| format!("{method} /api/apps/{APP}/{rest}");
    let list = json!({ "integrations": [] });
    server.on(
        &route("GET", "external-auth/list"),
        [Reply::json(200, &list)],
    );
    let stripe = json!({ "stripe_mode": null });
    server.on(
        &route("GET", "payments/stripe/status"),
        [Reply::json(200, &stripe)],
    );
    let project = Project::new().at_url(&server.url(), "b44k_key");
    let project = project.connector("box", &["a"]).connector("notion", &["b"]);
    let folder = project.state("");
    let put = |name: &str| route("PUT", &format!("external-auth/integrations/{name}"));
    server.on_each(&put("box"), move |_| {
        fs::remove_dir_all(&folder).unwrap();
        let answer =
            json!({"redirect_url": null, "connection_id": null, "already_authorized": true});
        Reply::json(200, &answer)
    });
    reads!(project.run(&["apply", "--auto-approve", "--parallelism", "1"]));
    assert_eq!(server.hits(&put("notion")), 0);
}

/// The same journal as if it were another plan's.
fn journal_of(digest: &str, text: &str, own: &str) -> String {
    use sha2::Digest as _;
    let line = |line: &str| {
        let json = line.split_once(' ').unwrap().1.replace(own, digest);
        let sum = sha2::Sha256::digest(json.as_bytes());
        let sum = u64::from_be_bytes(sum[..8].try_into().unwrap());
        format!("{sum:016x} {json}\n")
    };
    text.lines().map(line).collect()
}

#[test]
fn old_journals_go_once_they_are_not_needed() {
    let platform = Platform::with(&[
        Connector::active("wix", &["a"]),
        Connector::active("notion", &["a"]),
    ]);
    let project = Project::new().at(&platform).connector("slack", &["a"]);
    let folder = project.state("journal");
    let names = || {
        let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap());
        let names = entries.map(|entry| entry.file_name().into_string().unwrap());
        names.collect::<BTreeSet<_>>()
    };
    let apply = |target: &str| {
        let before = if folder.exists() {
            names()
        } else {
            BTreeSet::new()
        };
        let args = ["apply", "--auto-approve", "--target", target];
        project.run(&args).expect(0);
        names().difference(&before).next().cloned()
    };
    let age = |name: &str, minutes: u64| {
        let file = fs::File::options().write(true).open(folder.join(name));
        let then = SystemTime::now() - Duration::from_mins(minutes);
        file.unwrap().set_modified(then).unwrap();
    };
    // Somebody has to consent to this one, and this one is done.
    let waiting = apply("slack").unwrap();
    let done = apply("wix").unwrap();
    let text = project.read_state(&format!("journal/{done}"));
    let own = text.split("sha256:").nth(1).unwrap()[..64].to_owned();
    assert!(own.starts_with(done.trim_end_matches(".log")));
    let mut kept = BTreeSet::from([waiting.clone(), done.clone()]);
    age(&waiting, 1000);
    let mut gone = Vec::new();
    for n in 0..22 {
        let digest = format!("{n:064x}").chars().rev().collect::<String>();
        let name = format!("{}.log", &digest[..done.len() - 4]);
        let path = format!("journal/{name}");
        project.write_state(&path, &journal_of(&digest, &text, &own));
        // The newest first. Two newer ones are there already, and one comes.
        age(&name, 10 + n);
        if n < 18 {
            kept.insert(name);
        } else {
            gone.push(name);
        }
    }
    // What is open, what is garbled, what is another's and what is no journal.
    let open = text.lines().next().unwrap();
    for (name, text) in [
        (
            "eeeeeeeeeeeeeeee.log",
            format!("{}\n", open.replace(&own, &"e".repeat(64))),
        ),
        ("dddddddddddddddd.log", "garbled\n".to_owned()),
        ("cccccccccccccccc.log", text.clone()),
        ("notes.txt", "mine".to_owned()),
    ] {
        project.write_state(&format!("journal/{name}"), &text);
        age(name, 2000);
        kept.insert(name.to_owned());
    }
    let last = apply("notion").unwrap();
    kept.insert(last);
    assert_eq!(names(), kept, "{gone:?}");
    assert_eq!(gone.len(), 4);
}

#[test]
fn what_others_could_read_is_made_private_with_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let platform = Platform::with(&[Connector::active("wix", &["a"])]);
    let project = Project::new().at(&platform).connector("wix", &["a", "b"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    let mode = |path: &str| {
        let meta = fs::metadata(project.state(path)).unwrap();
        meta.permissions().mode() & 0o777
    };
    assert_eq!(mode(""), 0o700);
    assert_eq!(mode("pending.toml"), 0o600);
    for (path, open) in [("", 0o755), ("pending.toml", 0o644)] {
        let loose = fs::Permissions::from_mode(open);
        fs::set_permissions(project.state(path), loose).unwrap();
        project
            .run(&["authorize"])
            .expect(4)
            .tells("could be read by others");
        assert_eq!(mode(path) & 0o077, 0, "{path}");
    }
    let journals = fs::read_dir(project.state("journal")).unwrap();
    for journal in journals {
        let meta = journal.unwrap().metadata().unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    }
}

/// A journal tells what was done, not what is: what somebody undid is done again.
#[test]
fn a_journal_is_no_proof_of_what_the_app_has_now() {
    let platform = Platform::seeded(json!({
        "settings": { "forbidden": { "notion": "not in this workspace" }, "policies_readable": false }
    }));
    let project = Project::new().at(&platform);
    let project = project.connector("box", &["a"]).connector("notion", &["b"]);
    project.run(&["plan", "--out", "saved.plan"]).expect(0);
    project.run(&["apply", "saved.plan"]).expect(5);
    platform.consent("box", "ada@example.com");
    project.run(&["authorize"]).expect(0);
    // Half done: box is there, and the same plan goes on without touching it.
    platform.forget();
    project.run(&["apply", "saved.plan"]).expect(5);
    assert_eq!(platform.writes(), ["PUT external-auth/integrations/notion"]);
    // Somebody removes box: the app is again as the plan saw it. Made anew, it is another decision.
    platform.unset("box");
    project.run(&["plan", "--out", "saved.plan"]).expect(0);
    platform.forget();
    let again = project.run(&["apply", "saved.plan", "--format", "json"]);
    again.expect(5);
    assert!(
        platform
            .writes()
            .contains(&"PUT external-auth/integrations/box".to_owned())
    );
    assert_eq!(platform.pending().len(), 1, "{again}");
    // Somebody makes it otherwise: that is no longer what was approved.
    platform.set(&Connector::active("box", &["a", "admin"]));
    platform.forget();
    reads!(project.run(&["apply", "saved.plan"]), @"
    exit 3: connplan apply saved.plan
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    An earlier run of this plan was interrupted. It did this:
      ! box waiting for authorization
      ? notion was sent; whether it took effect is not known
    error: the plan is stale: the app changed since it was made
      box: connector was not there, is there
      help: nothing was written; run `connplan plan` again and ask for a review
      code: connplan::plan::stale
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

/// A garbled end is dropped with a word; a garbled middle is an error that says what to do.
#[test]
fn a_damaged_journal_is_noticed() {
    let platform = Platform::start();
    let project = project(&platform);
    project.run_vars(
        &[("__CONNPLAN_TEST_CRASH_AT_WRITE", "7")],
        &["apply", "saved.plan", "--parallelism", "1"],
    );
    let journal = fs::read_dir(project.state("journal"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let name = format!("journal/{}", journal.file_name().to_string_lossy());
    let whole = project.read_state(&name);
    assert!(whole.lines().count() > 2, "{whole}");
    project.write_state(
        &name,
        &whole
            .replacen("box", "bax", 1)
            .replacen("airtable", "airtabel", 1),
    );
    platform.forget();
    reads!(project.run(&["apply", "saved.plan"]), @"
    exit 1: connplan apply saved.plan
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: the journal FOLDER/state/apps/APP/journal/DIGEST.log is damaged at line 2
      help: it cannot say any more what this plan did so far. Look at the app with `connplan status`, move the journal aside, and make a new plan
      code: connplan::journal::damaged
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
    project.write_state(&name, whole.get(..whole.len() - 7).unwrap());
    reads!(project.run(&["apply", "saved.plan"]), @"
    exit 0: connplan apply saved.plan
    App app-1 at http://HOST

    Waiting for authorization: airtable, box, discord, github, notion, wix

    Applied, 6 connectors: 6 waiting for authorization.
    Next: connplan authorize
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    warning: the last record of the journal was cut off by a crash; it is dropped
    Continuing where an earlier run of this plan stopped.
      ! airtable waiting for authorization
      ! box waiting for authorization
      ! discord waiting for authorization
      ! github waiting for authorization
      ! notion waiting for authorization
      ! wix waiting for authorization
    ");
    assert_eq!(platform.pending().len(), NAMES.len());
}
