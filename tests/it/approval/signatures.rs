//! Signatures that `ssh-keygen -Y sign` makes, held against files of signers: what is accepted, and
//! what is not, is what `ssh-keygen -Y verify` says of them.

use connplan::{
    approval::{
        ApprovalError, FromRisk, NAMESPACE, Need, REVOKED, Requirement, Signatures, Signers,
        key_of, signatures,
    },
    plan::Digest,
};
use jiff::Timestamp;

use super::keygen::Keys;

pub(super) fn digest() -> Digest {
    Digest::parse(&"ab".repeat(32)).unwrap()
}

fn judge(signers: &str, files: &[String]) -> Result<Signatures, ApprovalError> {
    judge_at(signers, files, Timestamp::now())
}

fn judge_at(signers: &str, files: &[String], now: Timestamp) -> Result<Signatures, ApprovalError> {
    let signers = Signers::parse("signers", signers).unwrap();
    let files: Vec<_> = files
        .iter()
        .map(|text| ("plan.sig".to_owned(), text.clone()))
        .collect();
    signatures(&files, &digest(), &signers, now)
}

#[track_caller]
pub(super) fn accepted(signers: &str, file: &str) -> String {
    let found = judge(signers, &[file.to_owned()]).unwrap();
    let [approval] = found.approvals.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(approval.digest, digest());
    approval.signer.clone()
}

#[track_caller]
pub(super) fn refused(signers: &str, file: &str, why: &str) {
    let error = judge(signers, &[file.to_owned()]).unwrap_err();
    assert!(error.to_string().contains(why), "{error}");
}

/// What OpenSSH itself says.
pub(super) fn verifies(keys: &Keys, signers: &str, who: &str, file: &str) -> bool {
    verifies_at(keys, signers, who, file, None)
}

/// The same, of a time.
fn verifies_at(keys: &Keys, signers: &str, who: &str, file: &str, at: Option<Timestamp>) -> bool {
    keys.write("signers", signers);
    keys.write("check.sig", file);
    keys.write("check", digest().as_str());
    let at = at.map(|at| format!("verify-time={}", at.strftime("%Y%m%d%H%M%SZ")));
    let options: Vec<_> = at.iter().flat_map(|at| ["-O", at.as_str()]).collect();
    keys.verify_with(who, "check", &options)
}

#[test]
fn every_kind_of_key_that_is_common_signs() {
    let keys = Keys::new();
    for kind in [
        &["ed25519"][..],
        &["ecdsa", "-b", "256"],
        &["ecdsa", "-b", "384"],
        &["rsa", "-b", "2048"],
    ] {
        let name = kind.concat();
        keys.key(&name, kind);
        let signers = format!("ann@example.com {}", keys.public(&name));
        for text in [digest().to_string(), "another".to_owned()] {
            let made = keys.sign(&name, "connplan", &text);
            if text == digest().as_str() {
                assert_eq!(accepted(&signers, &made), "ann@example.com", "{kind:?}");
                assert!(verifies(&keys, &signers, "ann@example.com", &made));
            } else {
                refused(&signers, &made, "did not sign sha256:abab");
                assert!(!verifies(&keys, &signers, "ann@example.com", &made));
            }
        }
    }
}

#[test]
fn what_signs_something_else_does_not_approve() {
    let keys = Keys::new();
    keys.key("ann", &["ed25519"]).key("eve", &["ed25519"]);
    let signers = format!("ann {}", keys.public("ann"));
    let text = digest().to_string();
    let good = keys.sign("ann", "connplan", &text);
    refused(&signers, &keys.sign("ann", "git", &text), "namespace `git`");
    refused(
        &signers,
        &keys.sign("eve", "connplan", &text),
        "does not belong to a signer",
    );
    let with_line_end = keys.sign("ann", "connplan", &format!("{text}\n"));
    refused(&signers, &with_line_end, "did not sign");
    // Any other bit of it.
    let lines: Vec<_> = good.lines().collect();
    let middle = lines[2];
    for at in [3, 20, 40, 60] {
        let was = middle.as_bytes()[at];
        let other = if was == b'A' { 'B' } else { 'A' };
        let mut line = middle.to_owned();
        line.replace_range(at..=at, &other.to_string());
        let altered = good.replace(middle, &line);
        assert!(judge(&signers, &[altered]).is_err(), "{at}");
    }
    for broken in ["", "hello", "-----BEGIN SSH SIGNATURE-----\nU1NIU0lH"] {
        let error = judge(&signers, &[broken.to_owned()]).unwrap_err();
        assert!(matches!(error, ApprovalError::NotASignature { .. }));
    }
}

#[test]
fn times_and_namespaces_of_a_signer_count() {
    let keys = Keys::new();
    keys.key("ann", &["ed25519"]);
    let key = keys.public("ann");
    let good = keys.sign("ann", "connplan", digest().as_str());
    for (options, why) in [
        ("valid-before=\"20200101Z\"", "could sign only until 2020"),
        ("valid-after=\"21000101Z\"", "may sign only from 2100"),
        ("namespaces=\"git,file\"", "may not sign in the namespace"),
        (
            "namespaces=\"*,!connplan\"",
            "may not sign in the namespace",
        ),
    ] {
        let signers = format!("ann {options} {key}");
        refused(&signers, &good, why);
        assert!(!verifies(&keys, &signers, "ann", &good), "{options}");
    }
    let fine = "valid-after=\"20200101Z\",valid-before=\"21000101Z\",namespaces=\"connplan,git\"";
    let signers = format!("ann {fine} {key}");
    assert_eq!(accepted(&signers, &good), "ann");
    assert!(verifies(&keys, &signers, "ann", &good));
    // Another line lets the key in.
    let two = format!("old valid-before=\"20200101Z\" {key}\nann {key}");
    assert_eq!(accepted(&two, &good), "ann");
}

/// Whether a signature counts in the second before, in the second itself, and in the one after; here and by
/// OpenSSH.
#[track_caller]
fn counts_around(keys: &Keys, signers: &str, good: &String, at: &str, fine: [bool; 3]) {
    let at: Timestamp = at.parse().unwrap();
    for (more, fine) in [-1, 0, 1].into_iter().zip(fine) {
        let now = at + jiff::SignedDuration::from_secs(more);
        let found = judge_at(signers, std::slice::from_ref(good), now);
        assert_eq!(found.is_ok(), fine, "{signers} {now}");
        let there = verifies_at(keys, signers, "ann", good, Some(now));
        assert_eq!(there, fine, "OpenSSH: {signers} {now}");
    }
}

#[test]
fn a_signer_counts_from_the_first_second_to_the_last() {
    let keys = Keys::new();
    keys.key("ann", &["ed25519"]);
    let key = keys.public("ann");
    let good = keys.sign("ann", "connplan", digest().as_str());
    for (option, fine) in [
        ("valid-after", [false, true, true]),
        ("valid-before", [true, true, false]),
    ] {
        let signers = format!("ann {option}=\"20260102030405Z\" {key}");
        counts_around(&keys, &signers, &good, "2026-01-02T03:04:05Z", fine);
    }
}

#[test]
fn a_certificate_counts_from_its_first_second_and_not_in_its_last() {
    let keys = Keys::new();
    keys.key("ca", &["ed25519"]).key("ann", &["ed25519"]);
    let signers = format!("ann cert-authority {}", keys.public("ca"));
    let valid = "20260102030405Z:20260203040506Z";
    keys.certify("ca", "ann", &["-n", "ann", "-V", valid]);
    let good = keys.sign("ann-cert.pub", "connplan", digest().as_str());
    for (at, fine) in [
        ("2026-01-02T03:04:05Z", [false, true, true]),
        ("2026-02-03T04:05:06Z", [true, false, false]),
    ] {
        counts_around(&keys, &signers, &good, at, fine);
    }
}

#[test]
fn both_hashes_of_openssh_are_read() {
    let keys = Keys::new();
    keys.key("ann", &["ed25519"]);
    let signers = format!("ann {}", keys.public("ann"));
    for hash in ["sha256", "sha512"] {
        let option = format!("hashalg={hash}");
        let made = keys.sign_with("ann", digest().as_str(), &["-O", &option]);
        assert_eq!(accepted(&signers, &made), "ann", "{hash}");
        let other = keys.sign_with("ann", "another", &["-O", &option]);
        refused(&signers, &other, "did not sign");
    }
}

#[test]
fn whose_key_signed_is_told_of_one_signature_over_this_plan_only() {
    let keys = Keys::new();
    keys.key("ann", &["ed25519"]);
    let signed = |namespace: &str, text: &str| keys.sign("ann", namespace, text);
    let (plan, key) = (digest().to_string(), keys.fingerprint("ann"));
    let good = signed("connplan", &plan);
    let of = |text: &str, namespace| key_of(text, namespace, &digest());
    assert_eq!(of(&good, NAMESPACE), Some(key.clone()));
    assert_eq!(of(&signed("connplan-revoked", &plan), REVOKED), Some(key));
    for (text, namespace) in [
        (good.as_str(), REVOKED),
        (&signed("git", &plan), NAMESPACE),
        (&signed("connplan", "another"), NAMESPACE),
        (&signed("git", "another"), NAMESPACE),
        (&good.repeat(2), NAMESPACE),
        ("", NAMESPACE),
    ] {
        assert_eq!(of(text, namespace), None);
    }
}

#[test]
fn a_certificate_stands_for_the_names_that_its_authority_gave() {
    let keys = Keys::new();
    keys.key("ca", &["ed25519"])
        .key("other", &["ecdsa"])
        .key("ann", &["ed25519"]);
    let text = digest().to_string();
    let ca = keys.public("ca");
    let authority = format!("*@example.com cert-authority {ca}");
    keys.certify("ca", "ann", &["-n", "root,ann@example.com"]);
    let good = keys.sign("ann-cert.pub", "connplan", &text);
    assert_eq!(accepted(&authority, &good), "ann@example.com");
    assert!(verifies(&keys, &authority, "ann@example.com", &good));
    // The authority's line lets no plain key in, and a key's line no authority.
    refused(
        &format!("*@example.com {ca}"),
        &good,
        "does not belong to a signer",
    );
    let plain = keys.sign("ca", "connplan", &text);
    refused(&authority, &plain, "does not belong to a signer");
    let other = format!("* cert-authority {}", keys.public("other"));
    refused(&other, &good, "does not belong to a signer");
    for (options, why) in [
        (&["-n", "ann@example.org"][..], "names no signer"),
        (&[], "names no signer"),
        (
            &["-n", "ann@example.com", "-V", "20200101:20210101"],
            "not valid any more",
        ),
        (
            &["-n", "ann@example.com", "-V", "20990101:21000101"],
            "not valid yet",
        ),
        (
            &["-n", "ann@example.com", "-O", "source-address=10.0.0.0/8"],
            "restrictions",
        ),
        (&["-h", "-n", "ann@example.com"], "not one for a person"),
    ] {
        keys.certify("ca", "ann", options);
        let made = keys.sign("ann-cert.pub", "connplan", &text);
        refused(&authority, &made, why);
    }
}

/// Whose name stands in a certificate as its authority need not have made it.
#[test]
fn a_certificate_counts_that_its_authority_signed() {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let keys = Keys::new();
    for name in ["ca", "evil", "ann"] {
        keys.key(name, &["ed25519"]);
    }
    let blob = |name: &str| {
        let public = keys.public(name);
        BASE64_STANDARD
            .decode(public.split(' ').nth(1).unwrap())
            .unwrap()
    };
    let authority = format!("ann cert-authority {}", keys.public("ca"));
    keys.certify("evil", "ann", &["-n", "ann"]);
    let made = keys.sign("ann-cert.pub", "connplan", digest().as_str());
    refused(&authority, &made, "does not belong to a signer");
    let lines: Vec<_> = made.lines().collect();
    let inner = lines[1..lines.len() - 1].concat();
    let mut bytes = BASE64_STANDARD.decode(inner).unwrap();
    let (evil, ca) = (blob("evil"), blob("ca"));
    let at = bytes
        .windows(evil.len())
        .position(|part| part == evil)
        .unwrap();
    bytes.splice(at..at + evil.len(), ca);
    let inner = BASE64_STANDARD.encode(bytes);
    let forged = format!("{}\n{inner}\n{}\n", lines[0], lines[lines.len() - 1]);
    assert!(!verifies(&keys, &authority, "ann", &forged));
    assert!(judge(&authority, &[forged]).is_err());
}

#[test]
fn who_took_it_back_does_not_approve() {
    let keys = Keys::new();
    keys.key("ann", &["ed25519"]).key("bob", &["ed25519"]);
    let signers = format!("ann {}\nbob {}", keys.public("ann"), keys.public("bob"));
    let text = digest().to_string();
    let all = [
        keys.sign("ann", "connplan", &text),
        keys.sign("bob", "connplan", &text),
        keys.sign("ann", "connplan-revoked", &text),
    ];
    let found = judge(&signers, &all).unwrap();
    assert_eq!(found.revoked, ["ann"]);
    let [bob] = found.approvals.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(bob.signer, "bob");
    // Several in one file count too.
    let one = judge(&signers, &[all[..2].concat()]).unwrap();
    assert_eq!(one.approvals.len(), 2);
}

/// How many signatures count, and of how many persons they are.
fn persons(signers: &str, files: &[String]) -> (usize, usize) {
    let found = judge(signers, files).unwrap();
    let need = |count| Need {
        require: Requirement::Signature,
        count,
        from_risk: FromRisk::None,
        signers: true,
    };
    let enough = |count: &usize| need(*count).missing(&found.approvals).is_none();
    (found.approvals.len(), (1..9).take_while(enough).count())
}

#[test]
fn whoever_has_a_name_or_a_key_in_common_is_one_person() {
    let keys = Keys::new();
    let text = digest().to_string();
    for name in ["a", "b", "c", "ca"] {
        keys.key(name, &["ed25519"]);
    }
    let (a, b, c) = (keys.public("a"), keys.public("b"), keys.public("c"));
    let ca = keys.public("ca");
    let signed = ["a", "b"].map(|name| keys.sign(name, "connplan", &text));
    let taken = [signed[0].clone(), keys.sign("b", "connplan-revoked", &text)];
    for (signers, one) in [
        (format!("ann {a}\nbob {b}"), false),
        (format!("ann@x {a}\nann@x,ann@y {b}"), true),
        (format!("ann@x {a}\nAnn@X {b}"), true),
        (format!("ann@x {a}\n*@x {b}"), true),
        (format!("ann@x {a}\n*@x,!ann@x {b}"), false),
        (format!("ann@* {a}\n*@x {b}"), true),
        // By a line of a third key, and by one that lets nobody in any more.
        (format!("ann@x {a}\nann@y {b}\nann@x,ann@y {c}"), true),
        (
            format!("ann@x {a}\nann@y {b}\nann@x,ann@y valid-before=\"20200101\" {c}"),
            true,
        ),
        (format!("ann {a}\nbob {b}\nann {b}"), true),
        // Who may be anybody makes nobody else one.
        (format!("ann@x {a}\nbob@x {b}\n*@x {c}"), false),
        (
            format!("ann@x {a}\nbob@x {b}\n*@x cert-authority {ca}"),
            false,
        ),
    ] {
        let found = persons(&signers, &signed);
        assert_eq!(found, (2, if one { 1 } else { 2 }), "{signers}");
        let found = judge(&signers, &taken).unwrap();
        assert_eq!(found.approvals.is_empty(), one, "{signers}");
    }
    // Who has left takes back what another key of theirs gave.
    let left = format!("ann {a}\nann valid-before=\"20200101\" {b}");
    assert_eq!(judge(&left, &taken).unwrap().approvals, []);
    assert!(judge(&left, &signed).is_err());

    // Of one authority there are as many persons as names; its own key may be any of them.
    let lines = format!("*@x cert-authority {ca}\nann@x,ann@y {a}\ncarl@y {ca}\nbob@y {b}");
    keys.certify("ca", "a", &["-n", "ann@x,staff"]);
    let ann = keys.sign("a-cert.pub", "connplan", &text);
    keys.certify("ca", "b", &["-n", "bob@x,staff"]);
    let bob = keys.sign("b-cert.pub", "connplan", &text);
    assert_eq!(persons(&lines, &[ann.clone(), bob]), (2, 2));
    let carl = keys.sign("ca", "connplan", &text);
    assert_eq!(persons(&lines, &[ann.clone(), carl]), (2, 1));
    assert_eq!(persons(&lines, &[ann.clone(), signed[0].clone()]), (2, 1));
    let taken = [ann, keys.sign("a", "connplan-revoked", &text)];
    assert_eq!(judge(&lines, &taken).unwrap().approvals, []);
}
