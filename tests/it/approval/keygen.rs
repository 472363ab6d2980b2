//! OpenSSH's `ssh-keygen`, in a folder of its own.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Mutex,
};

use tempfile::TempDir;

/// The keys that were made so far, by how: to copy one is quicker.
static MADE: Mutex<BTreeMap<String, [String; 2]>> = Mutex::new(BTreeMap::new());

/// A folder with keys.
pub(crate) struct Keys {
    folder: TempDir,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self {
            folder: crate::support::folder(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        connplan::fs::write(
            &self.path(name),
            text.as_bytes(),
            connplan::fs::Visibility::Private,
        )
        .unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs ssh-keygen in the folder; its success.
    pub(crate) fn keygen(&self, args: &[&str]) -> bool {
        let out = Command::new("ssh-keygen")
            .args(args)
            .current_dir(self.folder.path())
            .env_remove("SSH_AUTH_SOCK")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        out.status.success()
    }

    /// Whether `check.sig` is this person's over the content of a file, as `signers` has it.
    pub(crate) fn verify(&self, who: &str, file: &str) -> bool {
        self.verify_with(who, file, &[])
    }

    /// The same, with options of its own.
    pub(crate) fn verify_with(&self, who: &str, file: &str, options: &[&str]) -> bool {
        let verify = ["-Y", "verify", "-n", "connplan", "-f", "signers", "-I", who];
        let status = Command::new("ssh-keygen")
            .args(verify)
            .args(["-s", "check.sig"])
            .args(options)
            .current_dir(self.folder.path())
            .stdin(fs::File::open(self.path(file)).unwrap())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.unwrap().success()
    }

    /// A key of this type; the same one for the same name.
    #[track_caller]
    pub(crate) fn key(&self, name: &str, kind: &[&str]) -> &Self {
        let args = [&["-q", "-N", "", "-C", name, "-f", name, "-t"], kind].concat();
        let files = [name.to_owned(), format!("{name}.pub")];
        let mut made = MADE.lock().unwrap();
        let texts = made.entry(args.join(" ")).or_insert_with(|| {
            assert!(self.keygen(&args), "{kind:?}");
            files.each_ref().map(|file| self.read(file))
        });
        for (file, text) in files.iter().zip(texts) {
            self.write(file, text);
        }
        self
    }

    /// The type and the key, without the comment.
    pub(crate) fn public(&self, name: &str) -> String {
        let text = self.read(&format!("{name}.pub"));
        text.split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Signs a text; the signature.
    #[track_caller]
    pub(crate) fn sign(&self, key: &str, namespace: &str, text: &str) -> String {
        self.sign_as(key, namespace, text, &[])
    }

    /// Signs a text as an approval, with options of `ssh-keygen`.
    #[track_caller]
    pub(crate) fn sign_with(&self, key: &str, text: &str, options: &[&str]) -> String {
        self.sign_as(key, "connplan", text, options)
    }

    #[track_caller]
    fn sign_as(&self, key: &str, namespace: &str, text: &str, options: &[&str]) -> String {
        self.write("message", text);
        let _ = fs::remove_file(self.path("message.sig"));
        let sign = ["-q", "-Y", "sign", "-n", namespace, "-f", key];
        assert!(self.keygen(&[&sign, options, &["message"]].concat()));
        self.read("message.sig")
    }

    /// `SHA256:…`, as OpenSSH says it.
    #[track_caller]
    pub(crate) fn fingerprint(&self, key: &str) -> String {
        let out = Command::new("ssh-keygen")
            .args(["-l", "-f", &format!("{key}.pub")])
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        text.split_whitespace().nth(1).unwrap().to_owned()
    }

    /// Vouches for a key.
    #[track_caller]
    pub(crate) fn certify(&self, authority: &str, key: &str, options: &[&str]) {
        let public = format!("{key}.pub");
        let args = [
            &["-q", "-s", authority, "-I", key],
            options,
            &[public.as_str()],
        ]
        .concat();
        assert!(self.keygen(&args), "{options:?}");
    }
}
