//! A checkout's links lead nobody anywhere: not a writer, not a reader.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::{FileTypeExt, PermissionsExt, symlink},
    thread,
};

use crate::support::{Connector, Platform, Project, reads};

const CANARY: &str = "canary-5e1f";

/// A project whose home holds a file that nobody may touch or show.
fn project(platform: &Platform) -> Project {
    let project = Project::new().at(platform).connector("wix", &["a"]);
    project.write("../home/.bashrc", CANARY);
    project
}

#[test]
fn a_plan_is_not_written_through_a_link_nor_over_an_odd_node() {
    let platform = Platform::start();
    let project = project(&platform);
    let out = project.path("connplan.plan");
    symlink("../home/.bashrc", &out).unwrap();
    let refused = project.run(&["plan", "--out", "connplan.plan"]);
    reads!(refused, @"
    exit 1: connplan plan --out connplan.plan
    --- stderr
    error: connplan.plan is a symbolic link
      help: connplan does not write through links; remove the link, or name a file
      code: connplan::fs::linked
    ");
    assert_eq!(project.read("../home/.bashrc"), CANARY);
    fs::remove_file(&out).unwrap();

    rustix::fs::mknodat(
        rustix::fs::CWD,
        &out,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_bits_truncate(0o644),
        0,
    )
    .unwrap();
    let refused = project.run(&["plan", "--out", "connplan.plan"]);
    reads!(refused, @"
    exit 1: connplan plan --out connplan.plan
    --- stderr
    error: connplan.plan is not a regular file
      help: give the path of a file
      code: connplan::fs::not_a_file
    ");
    assert!(out.symlink_metadata().unwrap().file_type().is_fifo());
    fs::remove_file(&out).unwrap();

    // A folder that is a link, to where a file of that name means something.
    symlink("../home", project.path("artifacts")).unwrap();
    let refused = project.run(&["plan", "--out", "artifacts/.bashrc"]);
    reads!(refused, @"
    exit 1: connplan plan --out artifacts/.bashrc
    --- stderr
    error: artifacts leads out of .
      help: connplan reads and writes only in the project, without git's own folder, and follows no link out of it; put a file there instead
      code: connplan::fs::outside
    ");
    assert_eq!(project.read("../home/.bashrc"), CANARY);

    // A program that is written over is a program no more.
    project.write("connplan.plan", "#!/bin/sh\n");
    fs::set_permissions(&out, fs::Permissions::from_mode(0o755)).unwrap();
    project.run(&["plan", "--out", "connplan.plan"]).expect(0);
    assert_eq!(out.metadata().unwrap().permissions().mode() & 0o777, 0o644);
}

/// Whoever may rename in a checkout does so while the platform is asked.
#[test]
fn a_folder_that_is_swapped_meanwhile_leads_no_plan_elsewhere() {
    let platform = Platform::start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let project = Project::new()
        .at_url(&url, platform.key())
        .connector("wix", &["a"]);
    project.write("../home/x.plan", CANARY);
    project.write("out/here", "");
    let (out, away) = (project.path("out"), project.path("away"));
    let to = platform.url().trim_start_matches("http://").to_owned();
    thread::spawn(move || {
        for client in listener.incoming() {
            if !away.exists() {
                fs::rename(&out, &away).unwrap();
                symlink("../home", &out).unwrap();
            }
            let (client, server) = (client.unwrap(), TcpStream::connect(&to).unwrap());
            let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
            for (mut from, mut to) in [(client, server), back] {
                thread::spawn(move || std::io::copy(&mut from, &mut to));
            }
        }
    });
    project.run(&["plan", "--out", "out/x.plan"]).expect(0);
    assert_eq!(project.read("../home/x.plan"), CANARY);
    assert!(project.read("away/x.plan").contains("wix"));
}

#[test]
fn a_receipt_is_refused_before_anything_is_done() {
    let platform = Platform::start();
    let project = project(&platform);
    symlink("../home/.bashrc", project.path("receipt.toml")).unwrap();
    reads!(project.run(&["apply", "--auto-approve", "--receipt", "receipt.toml"]), @"
    exit 1: connplan apply --auto-approve --receipt receipt.toml
    App app-1 at http://HOST

    Symbols:  + add

      + wix                   base44/connectors/wix.jsonc
          + a  unknown, which does not mean safe
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: receipt.toml is a symbolic link
      help: connplan does not write through links; remove the link, or name a file
      code: connplan::fs::linked
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
    assert_eq!(project.read("../home/.bashrc"), CANARY);
}

#[test]
fn what_lies_outside_the_project_is_named_and_not_shown() {
    let platform = Platform::start();
    for (link, target) in [
        ("base44/connectors/x.jsonc", "../../../home/.bashrc"),
        ("base44/connectors/x.toml", "/proc/self/environ"),
        ("base44/connplan.toml", "../../home/.bashrc"),
        ("connplan.toml", "../home/.bashrc"),
    ] {
        let project = project(&platform).var("TOKEN_OF_OTHERS", CANARY);
        symlink(target, project.path(link)).unwrap();
        for args in [
            &["validate"][..],
            &["plan"],
            &["status"],
            &["plan", "--format", "json"],
        ] {
            let refused = project.run(args);
            refused.expect(1).lacks(CANARY).tells(link);
            refused.tells("out of the project");
        }
    }
    let project = project(&platform);
    symlink("../home/.bashrc", project.path(".env")).unwrap();
    reads!(project.run(&["plan"]).lacks(CANARY), @"
    exit 1: connplan plan
    --- stderr
    error: FOLDER/project/.env leads out of FOLDER/project
      help: connplan reads and writes only in the project, without git's own folder, and follows no link out of it; put a file there instead
      code: connplan::fs::outside
    ");
}

/// To look where such a link leads can be to ask another host: whatever is there, it is a link out.
#[test]
fn a_link_out_of_the_project_is_one_wherever_it_leads() {
    let platform = Platform::start();
    let plan = |name: &str| {
        let project = Project::new().at(&platform).connector("wix", &["a"]);
        super::loosening::git(&project, &["init", "-q"]);
        let path = project.path(name);
        let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
        symlink("/net/host.example/x", &path).unwrap();
        project.run(&["plan"])
    };
    reads!(plan("base44"), @"
    exit 1: connplan plan
    --- stderr
    error: FOLDER/project/base44 leads out of FOLDER/project
      help: connplan reads and writes only in the project, without git's own folder, and follows no link out of it; put a file there instead
      code: connplan::fs::outside
    ");
    reads!(plan("base44/config.jsonc"), @"
    exit 1: connplan plan
    --- stderr
    error: base44/config.jsonc: the file is a link out of the project or into the `.git` folder; it was not read
      help: put the file itself here: connplan reads only files inside the project; a link to one of those is written as a relative path
      code: connplan::config::leads_out
    error: base44/config.jsonc has 1 error; nothing was planned
      help: fix them; `connplan validate` checks without network and login
      code: connplan::config::invalid
    ");
    reads!(plan("base44/.app.jsonc"), @"
    exit 1: connplan plan
    --- stderr
    error: the project's settings cannot be used
    error: base44/.app.jsonc: the file is a link out of the project or into the `.git` folder; it was not read
      help: put the file itself here: connplan reads only files inside the project; a link to one of those is written as a relative path
      code: connplan::config::leads_out
      code: connplan::config::invalid
    ");
    reads!(plan("base44/connectors"), @"
    exit 1: connplan plan
    --- stderr
    error: FOLDER/project/base44/connectors leads out of FOLDER/project
      help: connplan reads and writes only in the project, without git's own folder, and follows no link out of it; put a file there instead
      code: connplan::fs::outside
    ");
    reads!(plan("base44/connectors/wix.jsonc"), @"
    exit 1: connplan plan
    --- stderr
    error: base44/connectors/wix.jsonc: the file is a link out of the project or into the `.git` folder; it was not read
      help: put the file itself here: connplan reads only files inside the project; a link to one of those is written as a relative path
      code: connplan::config::leads_out
    error: base44/connectors/wix.jsonc has 1 error; nothing was planned
      help: fix them; `connplan validate` checks without network and login
      code: connplan::config::invalid
    ");
    reads!(plan("base44/connplan.toml"), @"
    exit 1: connplan plan
    --- stderr
    error: base44/connplan.toml: the file is a link out of the project or into the `.git` folder; it was not read
      help: put the file itself here: connplan reads only files inside the project; a link to one of those is written as a relative path
      code: connplan::config::leads_out
    error: base44/connplan.toml has 1 error; nothing was planned
      help: fix them; `connplan validate` checks without network and login
      code: connplan::config::invalid
    ");
    reads!(plan(".env"), @"
    exit 1: connplan plan
    --- stderr
    error: FOLDER/project/.env leads out of FOLDER/project
      help: connplan reads and writes only in the project, without git's own folder, and follows no link out of it; put a file there instead
      code: connplan::fs::outside
    ");
    assert_eq!(platform.requests(), [] as [&str; 0]);
}

/// Who names a folder of the checkout does not choose where a link of the checkout leads from there.
#[test]
fn a_folder_of_connectors_that_is_named_leads_out_by_no_link_of_the_checkout() {
    let platform = Platform::start();
    let project = project(&platform);
    let mail = "{ type: 'gmail', scopes: ['email'] }";
    for file in ["repo/common/own/gmail.jsonc", "elsewhere/gmail.jsonc"] {
        project.write(&format!("../{file}"), mail);
    }
    for file in ["config.jsonc", ".app.jsonc"] {
        let text = fs::read_to_string(project.path(&format!("base44/{file}"))).unwrap();
        project.write(&format!("../repo/app/base44/{file}"), &text);
    }
    fs::create_dir(project.path("../repo/.git")).unwrap();
    for (target, link) in [
        ("../../elsewhere", "common/out"),
        ("own", "common/within"),
        ("../../common/own", "app/base44/inner"),
        ("../elsewhere", "out"),
    ] {
        let link = project.path("../repo").join(link);
        symlink(target, link).unwrap();
    }
    let app = |args: &[&str]| project.run(&[&["-C", "../repo/app"], args].concat());
    for dir in ["../common/within", "base44/inner"] {
        app(&["validate", "--dir", dir]).expect(0);
        app(&["add", "slack", "--dir", dir]).expect(0);
        fs::remove_file(project.path("../repo/common/own/slack.jsonc")).unwrap();
    }
    for command in [
        &["validate"][..],
        &["plan"],
        &["add", "slack"],
        &["pull", "--prune", "--yes"],
        &["push", "--yes"],
        &["authorize", "--list"],
    ] {
        for dir in ["../common/out", "../out/new", "base44/inner/../../../out"] {
            let args = [command, &["--dir", dir]].concat();
            app(&args).expect(1).tells("leads out of");
        }
    }
    reads!(app(&["pull", "--prune", "--yes", "--dir", "../common/out"]), @"
    exit 1: connplan -C ../repo/app pull --prune --yes --dir ../common/out
    --- stderr
    error: FOLDER/repo/common/out leads out of FOLDER/repo
      help: connplan reads and writes only in the project, without git's own folder, and follows no link out of it; put a file there instead
      code: connplan::fs::outside
    ");
    let left = fs::read_dir(project.path("../elsewhere")).unwrap().count();
    assert_eq!((left, platform.writes().len()), (1, 0));
}

#[test]
fn the_connectors_folder_stays_in_the_repository() {
    let platform = Platform::start();
    let project = project(&platform);
    let config = |dir: &str| {
        let text = format!("{{ \"name\": \"Test\", \"connectorsDir\": \"{dir}\" }}");
        project.write("base44/config.jsonc", &text);
    };
    project.write("../home/.base44/auth/auth.json", CANARY);
    config("../../home/.base44/auth");
    for args in [&["validate"][..], &["plan"], &["pull"], &["add", "slack"]] {
        let refused = project.run(args);
        refused.expect(1).lacks(CANARY).tells("out of");
    }
    // Named by the user it may lie anywhere.
    project.write("../elsewhere/wix.jsonc", "{ type: 'wix', scopes: ['b'] }");
    project
        .run(&["validate", "--dir", "../elsewhere"])
        .expect(0);
    // In a larger repository it may lie beside the project.
    config("../../elsewhere");
    project.run(&["validate"]).expect(1);
    fs::create_dir(project.path("../.git")).unwrap();
    let outside = tempfile::tempdir().unwrap();
    let home = outside.path().display().to_string();
    project
        .run_vars(&[("HOME", &home)], &["validate"])
        .expect(0);
    // Not where that is the user's own, with the home in it (dotfiles).
    reads!(project.run(&["validate"]), @"
    exit 1: connplan validate
    --- stderr
    error: FOLDER/elsewhere leads out of FOLDER/project
      help: connplan reads and writes only in the project, without git's own folder, and follows no link out of it; put a file there instead
      code: connplan::fs::outside
    ");
}

#[test]
fn two_settings_files_are_an_error() {
    let project = Project::new()
        .file("connplan.toml", "[policy]\nprotected = [\"stripe\"]\n")
        .file("base44/connplan.toml", "");
    reads!(project.run(&["validate"]), @"
    exit 1: connplan validate
    Not valid: 1 error and 1 warning found.
    --- stderr
    error: connplan.toml: there is a second `connplan.toml`: another lies beside the Base44 config
      help: keep one of the two: connplan must not guess which policy applies
      code: connplan::config::two_settings

    warning: base44/connectors: the connectors folder does not exist
      help: check the branch and the folder: `connplan plan` would remove every connector of the app, and refuses that without `--allow-remove-all`; `connplan pull` writes the app's connectors to files
      code: connplan::config::no_files
    ");
}

/// What lies there is nobody's proposal: credentials of the checkout step, and programs that git starts.
#[test]
fn gits_own_folder_is_no_part_of_the_project() {
    let platform = Platform::start();
    let project = project(&platform);
    let header = format!("[http]\n\textraheader = AUTHORIZATION: basic {CANARY}\n");
    project.write(".git/config", &header);
    fs::create_dir_all(project.path(".git/hooks")).unwrap();
    let link = project.path("base44/connectors/x.toml");
    symlink("../../.git/config", &link).unwrap();
    for command in [&["validate"][..], &["plan"], &["status"]] {
        project
            .run(command)
            .expect(1)
            .tells("the `.git` folder")
            .lacks(CANARY);
    }
    fs::remove_file(&link).unwrap();
    symlink("../.git/config", project.path("base44/connplan.toml")).unwrap();
    project.run(&["plan"]).expect(1).lacks(CANARY);
    fs::remove_file(project.path("base44/connplan.toml")).unwrap();
    symlink(".git/config", project.path(".env")).unwrap();
    project.run(&["plan"]).expect(1).lacks(CANARY);
    fs::remove_file(project.path(".env")).unwrap();

    for folder in [
        "../.git/hooks",
        "../.git/new",
        "../deeper/.git/hooks",
        "../.GIT/hooks",
    ] {
        let config = format!("{{ \"name\": \"Test\", \"connectorsDir\": \"{folder}\" }}\n");
        project.write("base44/config.jsonc", &config);
        for command in [&["add", "slack"][..], &["pull", "--yes"], &["validate"]] {
            project.run(command).expect(1).tells("out of");
        }
    }
    let hooks = fs::read_dir(project.path(".git/hooks")).unwrap();
    assert_eq!(hooks.count(), 0);
    assert!(!project.path(".git/new").exists() && !project.path("deeper").exists());
}

/// Such a file may be one that this machine alone has, and the link somebody else's.
#[test]
fn what_a_link_leads_to_is_read_and_its_lines_are_not_shown() {
    let platform = Platform::start();
    let project = project(&platform);
    project.write(
        ".env.production",
        &format!("DATABASE_URL={CANARY}\nx = {{\n"),
    );
    let link = project.path("base44/connectors/x.toml");
    symlink("../../.env.production", &link).unwrap();
    let told = project.run(&["validate"]);
    reads!(told.lacks(CANARY), @"
    exit 1: connplan validate
    Not valid: 2 errors and 1 warning found.
    --- stderr
    error: base44/connectors/x.toml:1: string values must be quoted, expected literal string
      code: connplan::config::syntax

    error: base44/connectors/x.toml:2: unclosed inline table, expected `}`
      code: connplan::config::syntax

    warning: base44/connectors/x.toml: the official client does not see TOML files
      help: its `connectors push` would remove this connector; if anybody uses that command, write this file as .jsonc
      code: connplan::config::toml_file
    ");
    fs::remove_file(&link).unwrap();
    // The same where the folder is one of another purpose.
    project.write(
        "keys/account.json",
        &format!("{{ \"type\": \"{CANARY}\" \"x\" }}\n"),
    );
    project.write(
        "base44/config.jsonc",
        "{ \"name\": \"Test\", \"connectorsDir\": \"../keys\" }\n",
    );
    let told = project.run(&["validate"]);
    reads!(told.lacks(CANARY), @r#"
    exit 1: connplan validate
    Not valid: 1 error found.
    --- stderr
    error: keys/account.json:1: expected `,` or `}`
      help: a comma may be missing before it
      code: connplan::config::syntax
    "#);

    // Whatever words of a connector's stand in it.
    let token = format!(
        "{{ \"token\": \"{CANARY}\", \"scopes\": [\"a\"],\n  \"client_secret\": \"{CANARY}\" }}\n"
    );
    project.write("keys/account.json", &token);
    project.write("keys/broken.json", &format!("[\"scopes\" \"{CANARY}\"]"));
    project.write("keys/list.json", &format!("[\"scopes\", \"{CANARY}\"]"));
    project.write("keys/bare.json", CANARY);
    // What has a connector's keys alone is one.
    project.write(
        "keys/slip.jsonc",
        "{ \"type\": \"slackk\", \"scopes\": \"a\" }",
    );
    let told = project.run(&["validate"]);
    reads!(told.lacks(CANARY), @r#"
    exit 1: connplan validate
    Not valid: 5 errors and 3 warnings found.
    --- stderr
    error: keys/account.json:1: the connector has no `type`
      help: add `"type": "account"`
      code: connplan::config::no_type

    warning: keys/account.json:1: `...` is not a key of a connector file
      help: known are `type`, `scopes`, `account`, `connection_config` and `$schema`
      code: connplan::config::unknown_key

    warning: keys/account.json:2: `...` is not a key of a connector file
      help: known are `type`, `scopes`, `account`, `connection_config` and `$schema`
      code: connplan::config::unknown_key

    error: keys/bare.json:1: what stands here is not a value
      help: a string needs quotes around it
      code: connplan::config::syntax

    error: keys/broken.json:1: expected `,` or `]`
      help: a comma may be missing before it
      code: connplan::config::syntax

    error: keys/list.json:1: the file holds a list, not an object
      help: put the keys between `{` and `}`
      code: connplan::config::not_an_object

    error: `scopes` is a string, not a list of strings
       ╭─[keys/slip.jsonc:1:31]
     1 │ { "type": "slackk", "scopes": "a" }
       ·                               ─┬─
       ·                                ╰── a list is expected
       ╰────
      help: write a list, for example ["chat:write", "users:read"], or leave `scopes` out
      code: connplan::config::scopes_not_a_list

    warning: the type `slackk` is unknown
       ╭─[keys/slip.jsonc:1:11]
     1 │ { "type": "slackk", "scopes": "a" }
       ·           ────┬───
       ·               ╰── this type
       ╰────
      help: did you mean `slack`? `connplan list-available` lists the types of the platform
      code: connplan::config::type_slip
    "#);

    // A link to a file that is in order declares what the file declares.
    let project = self::project(&platform);
    project.write(
        "common/slack.jsonc",
        "{ \"type\": \"slack\", \"scopes\": [\"a\"] }\n",
    );
    let link = project.path("base44/connectors/slack.jsonc");
    symlink("../../common/slack.jsonc", &link).unwrap();
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + a  unknown, which does not mean safe
          authorization: required

      + wix                   base44/connectors/wix.jsonc
          + a  unknown, which does not mean safe
          authorization: required

    Plan: 2 to add, 0 to change, 0 to remove, 2 to authorize.
    ");
}

/// Nor in the diff of a pull, where the app has none of it, or has it otherwise.
#[test]
fn no_line_of_a_connector_file_is_pulled_into_view_that_a_link_led_to() {
    let platform = Platform::start();
    platform.set(&Connector::active("slack", &["chat:write"]));
    let project = project(&platform);
    let file = |name: &str| {
        format!("{{\n  \"type\": \"{name}\",\n  \"note\": \"{CANARY}\",\n  \"scopes\": []\n}}\n")
    };
    // What is edited lies in the folder, what is removed anywhere.
    for (name, target) in [("slack", ".key"), ("gcp", "../../key.json")] {
        let link = project.path(&format!("base44/connectors/{name}.json"));
        fs::write(link.parent().unwrap().join(target), file(name)).unwrap();
        symlink(target, link).unwrap();
    }
    let told = project.run(&["pull", "--dry-run", "--prune"]);
    reads!(told.lacks(CANARY), @r#"
    exit 0: connplan pull --dry-run --prune
    --- a/base44/connectors/gcp.json
    +++ /dev/null
    @@ 5 lines, not shown: a link leads to it, or it need not be meant for connplan @@
    --- a/base44/connectors/slack.json
    +++ b/base44/connectors/slack.json
    @@ 5 lines, not shown: a link leads to it, or it need not be meant for connplan @@
    --- a/base44/connectors/wix.jsonc
    +++ /dev/null
    @@ -1 +0,0 @@
    -{"scopes":["a"],"type":"wix"}
    \ No newline at end of file
    --- stderr
    warning: base44/connectors/.key: it looks like a connector file, and is not read because of its name
      help: connector files end in .jsonc, .json or .toml, and do not begin with a dot
      code: connplan::config::ignored_file

    warning: base44/connectors/gcp.json:3: `...` is not a key of a connector file
      help: known are `type`, `scopes`, `account`, `connection_config` and `$schema`
      code: connplan::config::unknown_key

    warning: base44/connectors/slack.json:3: `...` is not a key of a connector file
      help: known are `type`, `scopes`, `account`, `connection_config` and `$schema`
      code: connplan::config::unknown_key
    Would pull: 1 file written, 2 removed. Nothing was written.
    "#);
    let told = project.run(&["pull", "--dry-run", "--prune", "--format", "json"]);
    told.expect(0).lacks(CANARY);
    // A folder of another purpose.
    project.write("keys/account.json", &file("gcp"));
    project.write(
        "base44/config.jsonc",
        "{ \"name\": \"Test\", \"connectorsDir\": \"../keys\" }\n",
    );
    let told = project.run(&["pull", "--dry-run", "--prune"]);
    reads!(told.lacks(CANARY), @r#"
    exit 0: connplan pull --dry-run --prune
    --- a/keys/account.json
    +++ /dev/null
    @@ 5 lines, not shown: a link leads to it, or it need not be meant for connplan @@
    --- /dev/null
    +++ b/keys/slack.jsonc
    @@ -0,0 +1,6 @@
    +{
    +  "type": "slack",
    +  "scopes": [
    +    "chat:write"
    +  ]
    +}
    --- stderr
    warning: keys/account.json:3: `...` is not a key of a connector file
      help: known are `type`, `scopes`, `account`, `connection_config` and `$schema`
      code: connplan::config::unknown_key
    Would pull: 1 file written, 1 removed. Nothing was written.
    "#);
}

/// Whatever a file is called: who only looks removes nothing, and who writes only what it wrote itself.
#[test]
fn a_look_removes_no_file() {
    let platform = Platform::start();
    let project = project(&platform);
    let (notes, left) = (".connplan-notes.tmp", ".connplan-0123456789abcdef.tmp");
    for folder in ["base44/connectors", "../outside"] {
        project.write(&format!("{folder}/{notes}"), "mine");
        project.write(&format!("{folder}/{left}"), "{");
    }
    let outside = project.path("../outside").display().to_string();
    project.run(&["validate"]).expect(0);
    project.run(&["plan"]).expect(0);
    project
        .run(&["plan", "--dir", &outside, "--allow-remove-all"])
        .expect(0);
    for folder in ["base44/connectors", "../outside"] {
        for name in [notes, left] {
            assert!(
                project.path(&format!("{folder}/{name}")).exists(),
                "{folder}/{name}"
            );
        }
    }
    project.run(&["pull", "--yes"]).expect(0);
    assert!(project.path(&format!("base44/connectors/{notes}")).exists());
    assert!(!project.path(&format!("base44/connectors/{left}")).exists());
}

/// The words of what reads JSON quote a value that it did not expect.
#[test]
fn no_value_of_a_document_is_shown_that_a_link_led_to() {
    let project = project(&Platform::start());
    project.write("tests/private", &format!("\"{CANARY}\""));
    project.write("tests/a.json", "{}");
    for link in ["state.json", "tests/a.expected.json"] {
        symlink(project.path("tests/private"), project.path(link)).unwrap();
    }
    let told = project.run(&["plan", "--remote-state", "state.json"]);
    reads!(told.lacks(CANARY), @"
    exit 1: connplan plan --remote-state state.json
    --- stderr
    error: state.json is not a remote state that can be read: a link leads there, so what is wrong is not shown
      help: make it with `connplan remote-state > FILE`
      code: connplan::remote_state::unreadable
    ");
    let told = project.run(&["policy", "test", "tests"]);
    reads!(told.lacks(CANARY), @"
    exit 1: connplan policy test tests
    FAILED  a: tests/a.expected.json: a link leads there, so what is wrong is not shown
    0 passed, 1 failed
    ");
    let private = format!("{{ \"kind\": \"plan\", \"apps\": \"{CANARY}\" }}");
    project.write("tests/private", &private);
    let told = project.run(&["policy", "explain", "state.json"]);
    reads!(told.lacks(CANARY), @"
    exit 1: connplan policy explain state.json
    --- stderr
    error: state.json is not a plan as JSON: a link leads there, so what is wrong is not shown
      help: make one with `connplan plan --format json`
      code: connplan::usage
    ");
}

/// A seed is named by its path, and a checkout's link says what lies there.
#[test]
fn no_line_of_a_seed_is_shown_that_a_link_led_to() {
    let platform = Platform::start();
    let project = project(&platform);
    project.write("seed.json", "{ \"canary\": 1 }");
    let sandbox = |seed: &str| project.run(&["sandbox", "--seed", seed]);
    reads!(sandbox("seed.json"), @r#"
    exit 1: connplan sandbox --seed seed.json
    --- stderr
    error: seed.json is not a sandbox seed: unknown field `canary`, expected one of `api_key`, `tokens`, `settings`, `apps` at line 1 column 10
       ╭─[seed.json:1:10]
     1 │ { "canary": 1 }
       ·          ▲
       ·          ╰── here
       ╰────
      help: see `fixtures/sandbox/seed.json` of connplan for every key
      code: connplan::sandbox::malformed
    "#);
    let secret = format!("{{ \"{CANARY}\": 1,\n\"{CANARY}\" }}");
    for (place, says) in [("private", "line 1"), ("../home", "leads out of")] {
        project.write(&format!("{place}/secret.json"), &secret);
        let (file, folder) = (project.path("link.json"), project.path("links"));
        let _ = (fs::remove_file(&file), fs::remove_file(&folder));
        symlink(format!("{place}/secret.json"), file).unwrap();
        symlink(place, folder).unwrap();
        for seed in ["link.json", "links/secret.json"] {
            sandbox(seed).expect(1).tells(says).lacks(CANARY);
        }
    }
}

/// What a command makes stays in the folder that the user named, and not where a link of it leads.
#[test]
fn nothing_is_made_through_a_folder_that_is_a_link() {
    let platform = Platform::start();
    let project = project(&platform);
    project.write("../home/bin/open", CANARY);
    let open = project.path("../home/bin/open");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    symlink("../home/bin", project.path("man1")).unwrap();
    symlink("../home/bin/open", project.path("state.json")).unwrap();
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    for command in [
        &["man", "man1"][..],
        &["man", "man1/new"],
        &["man", ".git/hooks"],
        &["demo", "--no-browser", "--keep", "man1/new"],
        &["sandbox", "--state", "man1/sandbox.json"],
        &["sandbox", "--state", "state.json"],
    ] {
        project.run(command).expect(1).tells("out of");
    }
    let left: Vec<_> = fs::read_dir(project.path("../home/bin")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(open.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    project.run(&["man", "pages"]).expect(0);
}

/// A link of the checkout leads nothing out of it, from wherever and however a path is written.
#[test]
fn no_way_of_writing_a_path_leads_through_a_link_of_the_checkout() {
    let platform = Platform::start();
    let project = project(&platform);
    symlink("../home", project.path("out")).unwrap();
    let whole = project.path("out/x").display().to_string();
    for git in [false, true] {
        if git {
            crate::git::repository::git(&project.root(), &["init", "-q"]);
        }
        for (folder, path) in [(".", whole.as_str()), ("base44", "../out/x")] {
            for command in [
                &["plan", "--out", path][..],
                &["man", path],
                &["sandbox", "--state", path],
                &["demo", "--no-browser", "--keep", path],
                &["apply", "--auto-approve", "--receipt", path],
            ] {
                let refused = project.run_in(folder, command);
                refused.expect(1).tells("out of");
            }
        }
    }
    assert!(!project.path("../home/x").exists());
    assert_eq!(platform.writes(), [] as [&str; 0]);
    // Where the user leads it, it goes.
    fs::remove_dir_all(project.path(".git")).unwrap();
    let elsewhere = project.path("../x.plan").display().to_string();
    for path in [elsewhere.as_str(), "../y.plan"] {
        project.run(&["plan", "--out", path]).expect(0);
    }
}

#[test]
fn a_sandbox_leaves_as_it_is_what_is_not_its_own() {
    let project = Project::new();
    project.write("notes.json", "{\"version\": \"of mine\"}");
    let notes = project.path("notes.json");
    fs::set_permissions(&notes, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = project.run(&["sandbox", "--state", "notes.json"]);
    reads!(refused.lacks("private"), @"
    exit 1: connplan sandbox --state notes.json
    --- stderr
    error: notes.json is not a sandbox state: line 1 is not as connplan writes it
      help: move the file away to start empty, or name another one with `--state`
      code: connplan::sandbox::state
    ");
    assert_eq!(
        notes.metadata().unwrap().permissions().mode() & 0o777,
        0o644
    );
    project.write("Cargo.lock", CANARY);
    let refused = project.run(&["sandbox", "--state", "Cargo"]);
    reads!(refused, @"
    exit 1: connplan sandbox --state Cargo
    --- stderr
    error: Cargo.lock is another program's file, and a sandbox would keep its lock in it
      help: give `--state` another name; the lock file is STATE.lock
      code: connplan::sandbox::lock
    ");
    assert_eq!(project.read("Cargo.lock"), CANARY);
}

/// Whoever made a checkout chose the names in it, and somebody else's shell completes them.
#[test]
fn the_name_of_a_file_is_shown_as_text() {
    let project = Project::new();
    let name = "x\u{1b}]0;evil\u{7}\n::error::evil";
    let folder = format!("f{name}");
    project.write("../elsewhere/there", "garbage");
    fs::create_dir(project.path("../elsewhere").join(&folder)).unwrap();
    for there in [false, true] {
        if there {
            project.write(name, "garbage");
        }
        let mut runs: Vec<_> = [
            &["show", name][..],
            &["apply", name],
            &["approve", name],
            &["comment", "--dry-run", name],
            &["plan", "--remote-state", name],
            &["authorize", "--receipt", name],
            &["sandbox", "--seed", name],
            &["validate", name],
            &["schema", name],
            &["show", "--format", "json", name],
            &["validate", "--format", "json", name],
        ]
        .map(|args| project.run(args))
        .into();
        if there {
            // Without a state it would serve.
            runs.push(project.run(&["sandbox", "--state", name]));
        }
        runs.push(project.run_in(&format!("../elsewhere/{folder}"), &["plan"]));
        for run in runs {
            let shown = format!("{}\n{}", run.stdout, run.stderr);
            let plain = |c: char| c == '\n' || !c.is_control();
            assert!(shown.chars().all(plain), "{run}");
            assert!(!shown.lines().any(|line| line.starts_with("::")), "{run}");
        }
    }
}

/// A program that signs has no use for the platform's credentials, nor have those that it starts.
#[test]
fn a_signing_program_inherits_no_credential() {
    let platform = Platform::start();
    let project = project(&platform);
    project.write(
        "../tools/ssh-keygen",
        "#!/bin/sh\n/usr/bin/env > \"$HOME/seen\"\nexit 1\n",
    );
    let tool = project.path("../tools/ssh-keygen");
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    project.write("key", "a key");
    let path = format!("{}:/usr/bin:/bin", project.path("../tools").display());
    project
        .run_vars(&[("PATH", &path)], &["approve", "x.plan", "--key", "key"])
        .expect(1)
        .tells("ssh-keygen did not sign");
    let seen = project.read("../home/seen");
    assert!(seen.contains("HOME="), "{seen}");
    assert!(!seen.contains("BASE44_"), "{seen}");
}

/// Each part of a way is a look at the disk, for each file: links of some thousand parts would hold a run for minutes.
#[test]
fn a_way_of_very_many_parts_is_not_gone() {
    let platform = Platform::start();
    let project = project(&platform);
    let way = |times: usize| {
        let link = project.path("base44/connectors/notion.jsonc");
        let _ = fs::remove_file(&link);
        let text = format!("{}../real.jsonc", "../c/".repeat(times));
        symlink(text, link).unwrap();
        project.run(&["validate"])
    };
    project.write("base44/real.jsonc", r#"{ "type": "notion", "scopes": [] }"#);
    fs::create_dir(project.path("base44/c")).unwrap();
    way(100).expect(0);
    way(800)
        .expect(1)
        .tells("links make the way to it too long");
}

#[test]
fn no_line_of_a_linked_settings_file_is_shown() {
    let project = project(&Platform::start());
    let text = format!("[store]\nurl = \"{CANARY}\" # a word of its own\n");
    project.write("other.toml", &text);
    symlink("../other.toml", project.path("base44/connplan.toml")).unwrap();
    let told = project.run(&["plan"]);
    reads!(told.lacks(CANARY), @"
    exit 1: connplan plan
    --- stderr
    error: base44/connplan.toml:2: a setting is not as it has to be: a link leads there, so what is wrong is not shown
      code: connplan::config::setting
    error: base44/connplan.toml has 1 error; nothing was planned
      help: fix them; `connplan validate` checks without network and login
      code: connplan::config::invalid
    ");
}
