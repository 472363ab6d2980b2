//! The law of every writer: a regular file or nothing is written over, all else stays as it was.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![expect(
    clippy::disallowed_methods,
    reason = "what stands there is made by other means than those that are tested"
)]

use std::{
    fs as std_fs,
    os::unix::fs::{FileTypeExt, PermissionsExt, symlink},
    path::Path,
    time::Duration,
};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Node {
    Nothing,
    File(u32),
    Link,
    LinkToProgram,
    LinkToNowhere,
    Folder,
    Pipe,
}

#[derive(Clone, Copy, Debug)]
enum Writer {
    Private,
    Shared,
    New,
    Append,
    Probe,
    Lock,
}

fn make(path: &Path, node: Node) {
    let beside = |name: &str| path.with_file_name(name);
    match node {
        Node::Nothing => {}
        Node::File(mode) => {
            std_fs::write(path, "old").unwrap();
            std_fs::set_permissions(path, std_fs::Permissions::from_mode(mode)).unwrap();
        }
        Node::Link => symlink(beside("target"), path).unwrap(),
        Node::LinkToProgram => symlink(beside("program"), path).unwrap(),
        Node::LinkToNowhere => symlink(beside("nowhere"), path).unwrap(),
        Node::Folder => std_fs::create_dir(path).unwrap(),
        Node::Pipe => rustix::fs::mknodat(
            rustix::fs::CWD,
            path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_bits_truncate(0o644),
            0,
        )
        .unwrap(),
    }
}

fn carry_out(path: &Path, writer: Writer) -> Result<(), String> {
    let text = |e: FsError| e.to_string();
    match writer {
        Writer::Private => write(path, b"new", Visibility::Private).map_err(text),
        Writer::Shared => write(path, b"new", Visibility::Shared).map_err(text),
        Writer::New => write_new(path, b"new").map_err(text),
        Writer::Append => append(path, "new").map_err(text),
        Writer::Probe => probe_writable(path, 10).map_err(text),
        Writer::Lock => Lock::acquire(path, Duration::ZERO, "me")
            .map(drop)
            .map_err(|e| e.to_string()),
    }
}

fn nodes() -> impl Strategy<Value = Node> {
    prop_oneof![
        Just(Node::Nothing),
        (0_u32..0o1000).prop_map(|mode| Node::File(mode | 0o600)),
        Just(Node::Link),
        Just(Node::LinkToProgram),
        Just(Node::LinkToNowhere),
        Just(Node::Folder),
        Just(Node::Pipe),
    ]
}

fn writers() -> impl Strategy<Value = Writer> {
    use Writer::{Append, Lock, New, Private, Probe, Shared};
    prop::sample::select(vec![Private, Shared, New, Append, Probe, Lock])
}

proptest! {
    #[test]
    fn writers_write_files_and_nothing_else(node in nodes(), writer in writers()) {
        let dir = tempfile::tempdir().unwrap();
        for name in ["target", "program"] {
            std_fs::write(dir.path().join(name), "canary").unwrap();
        }
        let program = std_fs::Permissions::from_mode(0o755);
        std_fs::set_permissions(dir.path().join("program"), program.clone()).unwrap();
        let path = dir.path().join("x");
        make(&path, node);
        let before = path.symlink_metadata().ok();
        let ended = carry_out(&path, writer);
        let after = path.symlink_metadata().ok();

        let is_plain = matches!(node, Node::Nothing | Node::File(_));
        let refuses = !is_plain || matches!((node, writer), (Node::File(_), Writer::New));
        prop_assert_eq!(ended.is_err(), refuses, "{:?}", ended);
        if refuses {
            let kinds = [&before, &after].map(|m| m.as_ref().map(std_fs::Metadata::file_type));
            prop_assert_eq!(kinds[0], kinds[1]);
            prop_assert_eq!(
                matches!(node, Node::Pipe),
                after.is_some_and(|meta| meta.file_type().is_fifo())
            );
        } else if !matches!(writer, Writer::Probe) {
            let mode = after.unwrap().permissions().mode() & 0o777;
            let written = matches!(writer, Writer::Private | Writer::Shared | Writer::New);
            prop_assert!(!written || mode & 0o111 == 0, "{mode:o}");
            prop_assert!(!matches!(writer, Writer::Private) || mode == 0o600);
        }
        for name in ["target", "program"] {
            prop_assert_eq!(std_fs::read_to_string(dir.path().join(name)).unwrap(), "canary");
        }
        let mode = std_fs::metadata(dir.path().join("program")).unwrap().permissions();
        prop_assert_eq!(mode.mode() & 0o777, 0o755);
        let names = std_fs::read_dir(dir.path()).unwrap().count();
        let there = usize::from(path.symlink_metadata().is_ok());
        prop_assert_eq!(names, 2 + there, "nothing else stays, nothing is made elsewhere");
    }
}
