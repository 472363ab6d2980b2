//! The container image, built and run by an engine.

use std::{path::Path, process::Command};

#[test]
#[ignore = "needs a container engine that runs, and builds for some minutes"]
fn the_image_runs() {
    let engine = ["docker", "podman"].into_iter().find(|engine| {
        let info = Command::new(engine).arg("info").output();
        info.is_ok_and(|info| info.status.success())
    });
    let engine =
        engine.expect("docker or podman runs here (`.ci/run` leaves this out where none does)");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join(".container/Containerfile");
    let build = Command::new(engine)
        .args(["build", "--tag", "connplan-test", "--file"])
        .args([&file, root])
        .status()
        .unwrap();
    assert!(build.success());
    let run = |args: &[&str]| {
        let run = Command::new(engine)
            .args(["run", "--rm", "connplan-test"])
            .args(args)
            .output()
            .unwrap();
        assert!(run.status.success(), "{run:?}");
        String::from_utf8(run.stdout).unwrap()
    };
    let version = concat!("connplan ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(run(&["version"]), version);
    assert!(run(&["demo", "--no-browser"]).contains("No changes."));
}
