//! Which of two settings is weaker.

use super::*;

#[test]
fn of_two_times_the_stricter_one_binds() {
    let time = |text: &str| text.parse::<Lifetime>().ok();
    for (base, here, stricter) in [
        ("1h", "2h", "1h"),
        ("2h", "1h", "1h"),
        ("1h", "60m", "60m"),
        ("1h", "", "1h"),
        ("", "1h", "1h"),
        ("", "", ""),
    ] {
        let found = sooner(time(base), time(here));
        assert_eq!(found, time(stricter), "{base} and {here}");
    }
    // None is for ever.
    for (base, here, kept) in [
        (Some("2d"), Some("1d"), Some("2d")),
        (Some("1d"), Some("2d"), Some("2d")),
        (Some("24h"), Some("1d"), Some("1d")),
        (Some("1d"), None, None),
        (None, Some("1d"), None),
    ] {
        assert_eq!(longer(base, here), kept, "{base:?} and {here:?}");
    }
}

fn project_at(dir: &Path) -> Project {
    let options = crate::config::FindOptions {
        app_id: Some("app-1".to_owned()),
        ..Default::default()
    };
    Project::find(dir, &options, &crate::model::Vars::default()).unwrap()
}

/// Whichever of the commits says it, and the shortest of all.
#[test]
fn each_commit_that_binds_limits_how_long_a_plan_lives() {
    let dir = tempfile::tempdir().unwrap();
    let mut project = project_at(dir.path());
    let settings = |hours: &str| {
        let text = format!("[plan]\nexpires = \"{hours}\"\n");
        crate::syntax::parse_settings("connplan.toml", &text)
            .0
            .unwrap()
    };
    let hours = |project: &Project| longest(project).map(|limit| limit.get().as_hours());
    assert_eq!(hours(&project), None);
    project.line_settings.push(settings("5h"));
    assert_eq!(hours(&project), Some(5));
    project.now_settings.push(settings("4h"));
    assert_eq!(hours(&project), Some(4));
    project.base_settings.push(settings("3h"));
    assert_eq!(hours(&project), Some(3));
    project.base_settings.push(settings("9h"));
    assert_eq!(hours(&project), Some(3));
}

#[test]
fn a_gate_is_told_of_that_opens_further_and_no_other() {
    let opened = |base: &str, here: &str| {
        let [base, here] = [base, here].map(|text| {
            let (settings, problems) = crate::syntax::parse_settings("connplan.toml", text);
            assert!(problems.is_empty(), "{text}: {problems:?}");
            settings.unwrap()
        });
        weaker(&base, (&here, &policy(&here.policy), None))
    };
    let all = "[store]\nurl = \"git:origin\"\nkeep = \"2d\"\n[plan]\nexpires = \"1h\"\n\
               [approval]\nrequire = \"signature\"\nsigners = \"them\"\n[policy]\nmax_removals = 1\n\
               [providers.slack]\nadds = [\"openid\"]\n";
    let rule = Gate::Rule(Rule::MaxRemovals);
    for (was, now, gate) in [
        ("", "", None),
        ("origin", "other", Some(Gate::Store)),
        ("keep = \"2d\"", "keep = \"1d\"", Some(Gate::Keep)),
        ("keep = \"2d\"", "keep = \"3d\"", None),
        ("\"1h\"", "\"2h\"", Some(Gate::Expires)),
        ("\"1h\"", "\"1m\"", None),
        ("\"them\"", "\"others\"", Some(Gate::Approval)),
        ("\"signature\"", "\"either\"", Some(Gate::Approval)),
        ("_removals = 1", "_removals = 2", Some(rule)),
        ("[\"openid\"]", "[\"email\", \"openid\"]", Some(Gate::Adds)),
        ("adds = [\"openid\"]", "adds = []", None),
    ] {
        let found = opened(all, &all.replacen(was, now, 1));
        assert_eq!(found, Vec::from_iter(gate), "{was} becomes {now}");
    }
    let each = [rule, Gate::Approval, Gate::Store, Gate::Expires];
    assert_eq!(opened(all, ""), each);
    assert_eq!(opened("", all), [Gate::Adds]);
}

#[test]
fn a_store_is_the_same_however_it_is_written() {
    let same = |one, other| same_store(one, other);
    assert!(same(None, None) && same(Some("git:origin"), Some("git:origin")));
    assert!(same(Some("s3://bucket/a"), Some("s3://bucket/a/")));
    assert!(!same(Some("git:origin"), None) && !same(None, Some("git:origin")));
    assert!(!same(Some("git:origin"), Some("git:other")));
    assert!(!same(Some("?:"), Some("!:")), "none of them is a place");
}

/// The base's store is this project's where it names none, and what it keeps stays as long.
#[test]
fn the_store_of_the_base_holds() {
    let dir = tempfile::tempdir().unwrap();
    let mut project = project_at(dir.path());
    let store = |url: &str, keep: &str| StoreSettings {
        url: Some(url.to_owned()),
        keep: Some(keep.to_owned()),
    };
    let base = |url: &str, keep: &str| StoreIn {
        root: dir.path().to_owned(),
        settings: store(url, keep),
    };
    let first = base("s3://bucket/a", "2d");
    let others = hold_store(&mut project, [&first].into_iter()).len();
    assert_eq!((others, &project.settings.store), (0, &first.settings));
    // Another one of the base's is asked, too, and the longer time binds.
    let all = [base("s3://bucket/a", "1d"), base("s3://bucket/b", "9d")];
    let others = hold_store(&mut project, all.iter());
    assert_eq!(others, [&all[1]]);
    assert_eq!(project.settings.store, store("s3://bucket/a", "9d"));
}

/// Of a project whose `base44` is a submodule, `git:origin` is a remote of the repository that the project is in.
#[test]
fn a_remote_is_one_of_the_projects_repository() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    crate::fs::ensure_dir(&root.join(".git")).unwrap();
    let url = Some("git:origin".to_owned());
    let settings = StoreSettings { url, keep: None };
    let home = root.join("base44");
    crate::fs::ensure_dir(&home).unwrap();
    crate::fs::write_new(&home.join("config.jsonc"), b"{}").unwrap();
    for (folder, others) in [("", 0), ("base44", 0), ("vendor/other", 1), ("..", 1)] {
        let mut project = project_at(&root);
        let root = root.join(folder).components().collect();
        let settings = settings.clone();
        let base = StoreIn { root, settings };
        assert_eq!(
            hold_store(&mut project, [&base].into_iter()).len(),
            others,
            "{folder}"
        );
    }
}
