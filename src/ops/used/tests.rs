//! Which changes of a plan were carried out.

use super::{super::over, *};
use crate::{
    approval::Approval,
    model::{ApiUrl, App, AppId, Scopes},
    receipt::{self, ChangeResult, Receipt},
    store::{AppliedFrom, By, Consented, FilesOf},
};

fn digest(hex: &str) -> Digest {
    Digest::parse(&hex.repeat(32)).unwrap()
}

/// An apply of this plan, and what came of its changes.
fn applied(of: &str, results: &[(&str, Outcome)]) -> What {
    applied_by(of, results, &[])
}

/// The same, by approvals of these seconds.
fn applied_by(of: &str, results: &[(&str, Outcome)], given: &[i64]) -> What {
    let given = given.iter().map(|second| -> Approval {
        let at = Timestamp::from_second(*second).unwrap();
        let (signer, digest) = ("ann", digest(of));
        let given = serde_json::json!({
            "signer": signer, "digest": digest.as_str(), "proof": "signature", "at": at,
        });
        serde_json::from_value(given).unwrap()
    });
    let results = results.iter().map(|(name, outcome)| ChangeResult {
        connector: ConnectorType::parse(*name).unwrap(),
        action: Action::Create,
        outcome: *outcome,
        message: None,
        scopes: Scopes::new(),
        before: None,
        connection_id: None,
        account: None,
        connection_config: BTreeMap::new(),
        mode: None,
        basis: None,
    });
    let receipt = Receipt {
        plan_digest: digest(of),
        app: App {
            id: AppId::parse("a1").unwrap(),
            api_url: ApiUrl::default(),
            environment: None,
        },
        results: results.collect(),
        approvals: given.collect(),
        overrides: Vec::new(),
        origin: None,
    };
    What::Apply(digest(of), receipt::to_toml(&receipt, None).unwrap())
}

/// The same, with how that is known.
fn known(of: &str, results: &[(&str, Outcome)], basis: Basis) -> What {
    let What::Apply(digest, text) = applied(of, results) else {
        unreachable!("it is an apply");
    };
    let mut receipt = receipt::read("in it", &text).unwrap().receipt;
    for result in &mut receipt.results {
        result.basis = Some(basis);
    }
    What::Apply(digest, receipt::to_toml(&receipt, None).unwrap())
}

/// An apply of this plan that found this waiting by an earlier one.
fn found_waiting(of: &str, name: &str) -> What {
    let What::Apply(digest, text) = applied(of, &[(name, Outcome::Pending)]) else {
        unreachable!("it is an apply");
    };
    let mut receipt = receipt::read("in it", &text).unwrap().receipt;
    receipt.results[0].action = Action::NoOp;
    What::Apply(digest, receipt::to_toml(&receipt, None).unwrap())
}

/// What was broken on purpose stays on record, however old it is and whatever came after it.
#[test]
fn an_apply_with_an_override_stays() {
    let [plain, newest] = ["ab", "cd"].map(|of| applied(of, &[("slack", Outcome::Added)]));
    let What::Apply(digest, text) = &plain else {
        unreachable!("it is an apply");
    };
    let mut receipt = receipt::read("in it", text).unwrap().receipt;
    receipt.overrides = vec![crate::plan::Override {
        rule: "denied_types".to_owned(),
        reason: "once".to_owned(),
    }];
    let over = What::Apply(digest.clone(), receipt::to_toml(&receipt, None).unwrap());
    assert!(!proofs(&events(&[&plain, &newest])).contains("1"));
    assert!(proofs(&events(&[&over, &newest])).contains("1"));
}

fn consented(connector: &str, outcome: &str) -> What {
    let connector = ConnectorType::parse(connector).unwrap();
    let outcome = outcome.to_owned();
    What::Consent(vec![Consented { connector, outcome }])
}

fn events(whats: &[&What]) -> Vec<HistoryEvent> {
    let event = |(second, what): (i64, &&What)| HistoryEvent {
        id: second.to_string(),
        at: Timestamp::from_second(second).unwrap(),
        epoch: 1,
        by: By::default(),
        what: (*what).clone(),
        applied_from: None,
        withdrawn: Vec::new(),
    };
    (1..).zip(whats).map(event).collect()
}

/// After which of these events the changes of the plan `ab` were carried out for the last time:
/// those of slack and of wix.
fn used(whats: &[&What]) -> [Option<i64>; 2] {
    let events = events(whats);
    let done = done(&events, &digest("ab")).unwrap();
    ["slack", "wix"].map(|name| {
        let done = done.get(&ConnectorType::parse(name).unwrap());
        done.map(|done| done.at.as_second())
    })
}

#[test]
fn a_change_is_carried_out_once_it_is_in_force() {
    let (slack, wix) = ("slack", "wix");
    let whole = applied("ab", &[(slack, Outcome::Added), (wix, Outcome::Synced)]);
    let waits = applied("ab", &[(slack, Outcome::Pending), (wix, Outcome::Synced)]);
    let half = applied("ab", &[(slack, Outcome::Added), (wix, Outcome::NotRun)]);
    let failed = applied("ab", &[(slack, Outcome::Pending), (wix, Outcome::Failed)]);
    let other = applied("cd", &[(slack, Outcome::Removed)]);
    let same = applied("cd", &[(slack, Outcome::Unchanged)]);
    let still = found_waiting("cd", slack);
    let (yes, part) = (consented(slack, "authorized"), consented(slack, "partial"));
    let elsewhere = consented(wix, "authorized");
    let forgotten = What::Forget(Vec::new());
    let given_up = What::Forget(vec![ConnectorType::parse(slack).unwrap()]);
    let approved = What::Approval(digest("ab"), String::new());
    let begun = What::Plan(digest("ab"));
    let both = [(slack, Outcome::Added), (wix, Outcome::Synced)];
    let found = known("ab", &both, Basis::Found);
    let other_found = known("cd", &[(slack, Outcome::Removed)], Basis::Found);
    let answered = known("ab", &both, Basis::Answered);
    let ahead = applied_by("ab", &[(slack, Outcome::Added)], &[9]);
    let early = applied_by("ab", &[(slack, Outcome::Added)], &[0]);
    for (events, expected) in [
        (&[][..], [None, None]),
        (&[&whole], [Some(1), Some(1)]),
        (&[&whole, &other, &yes, &approved], [Some(1), Some(1)]),
        (&[&whole, &forgotten, &whole], [Some(3), Some(3)]),
        (&[&waits, &part, &elsewhere, &forgotten], [None, Some(1)]),
        (&[&waits, &elsewhere, &yes, &yes], [Some(3), Some(1)]),
        // What failed is not done, and what was done before is.
        (&[&half, &failed, &yes], [Some(3), None]),
        (&[&other, &failed, &whole], [Some(3), Some(3)]),
        // Somebody decided anew on what waits, or on what may have been done.
        (&[&waits, &same], [None, Some(1)]),
        (&[&waits, &still], [None, Some(1)]),
        (&[&waits, &still, &yes], [Some(3), Some(1)]),
        (&[&waits, &other], [Some(2), Some(1)]),
        (&[&waits, &given_up], [Some(2), Some(1)]),
        (&[&given_up, &waits], [None, Some(2)]),
        (&[&begun, &given_up], [Some(2), None]),
        (&[&begun], [None, None]),
        (&[&begun, &same], [None, None]),
        (&[&begun, &other], [Some(2), None]),
        (&[&begun, &yes], [Some(2), None]),
        (&[&begun, &failed, &other], [Some(3), None]),
        (&[&other, &begun, &half], [Some(3), None]),
        // What an apply found so is its word only where nobody knows more, and decides nothing of another plan.
        (&[&found], [Some(1), Some(1)]),
        (&[&half, &other, &found], [Some(1), Some(3)]),
        (&[&waits, &other_found], [None, Some(1)]),
        (&[&begun, &other_found], [None, None]),
        // What nobody could look at may be done still, until somebody decides anew.
        (&[&answered], [None, None]),
        (&[&answered, &whole], [Some(2), Some(2)]),
        (&[&answered, &other], [Some(2), None]),
        // A clock that is behind: it was used after it was given.
        (&[&ahead], [Some(9), None]),
        // Nor was what was given and not used by then given after it.
        (&[&early], [Some(1), None]),
    ] {
        assert_eq!(used(events), expected, "{events:?}");
    }
}

/// A plan that was made between two parts of its own apply is over since the second; one that was made
/// anew, and whose apply failed in a part, is not.
#[test]
fn a_plan_is_over_once_the_last_of_its_changes_is_carried_out() {
    let first = applied("ab", &[("slack", Outcome::Added), ("wix", Outcome::Failed)]);
    let second = applied("ab", &[("slack", Outcome::Synced), ("wix", Outcome::Added)]);
    let rest = applied("ab", &[("wix", Outcome::Added)]);
    let other = applied(
        "cd",
        &[("slack", Outcome::Removed), ("wix", Outcome::Failed)],
    );
    let since = |whats: &[&What], made: i64| {
        let names = ["slack", "wix"].map(|name| ConnectorType::parse(name).unwrap());
        let events = events(whats);
        let done = done(&events, &digest("ab")).unwrap();
        let made = Timestamp::from_second(made).unwrap();
        let is_later = |done: &Done| done.second() > made;
        over::since(&done, &names.iter().collect(), is_later).map(Timestamp::as_second)
    };
    assert_eq!(since(&[&first], 0), None);
    assert_eq!(since(&[&first, &rest], 1), Some(2));
    assert_eq!(since(&[&first, &second, &rest], 2), Some(3));
    assert_eq!(since(&[&second], 1), None);
    assert_eq!(since(&[&second, &other, &first], 0), Some(3));
    assert_eq!(since(&[&second, &other, &first], 2), None);
    assert_eq!(since(&[&second, &other, &first, &rest], 2), Some(4));
    assert_eq!(since(&[&second, &other], 0), Some(1));
}

/// Within the second in which a plan was made, it is over, unless the memory kept it since.
#[test]
fn within_a_second_the_order_of_the_memory_decides() {
    let first = applied("ab", &[("slack", Outcome::Added)]);
    let events = events(&[&first]);
    let done = done(&events, &digest("ab")).unwrap();
    let done = done.values().next().unwrap();
    let is_before = |made, kept| {
        let made = Timestamp::from_second(made).unwrap();
        over::is_before((made, kept), done)
    };
    assert!(is_before(0, Some(1)) && is_before(1, None) && is_before(1, Some(0)));
    assert!(!is_before(1, Some(1)) && !is_before(2, None));
}

/// That somebody takes back the approval of the plan `ab`.
const TAKEN_BACK: &str = "\
    -----BEGIN SSH SIGNATURE-----\n\
    U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgLttzyOwGbzTydqMvZ259HQjIv5\n\
    fnEfQmdeNnAgN2AhsAAAAQY29ubnBsYW4tcmV2b2tlZAAAAAAAAAAGc2hhNTEyAAAAUwAA\n\
    AAtzc2gtZWQyNTUxOQAAAECzurrjP0aXJu1fGl46yBr6VIW2Vm5WU49ogO0gmRTnoYC/8H\n\
    ZLKqyJSPZNuk8FUIhh9Un276fCvd/xqCdTgSkJ\n\
    -----END SSH SIGNATURE-----\n";

/// That somebody approves it.
const GIVEN: &str = "\
    -----BEGIN SSH SIGNATURE-----\n\
    U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgLttzyOwGbzTydqMvZ259HQjIv5\n\
    fnEfQmdeNnAgN2AhsAAAAIY29ubnBsYW4AAAAAAAAABnNoYTUxMgAAAFMAAAALc3NoLWVk\n\
    MjU1MTkAAABAF2uFlVbXnRzB+RuPCF1YF7B8tzhWStQST4UsAlhayYDOw1pGprssA7M0MW\n\
    rTaMTZMiDuQK4EqhPIRLDfkgmMBA==\n\
    -----END SSH SIGNATURE-----\n";

/// The lease tells an order where clocks do not.
#[test]
fn an_approval_is_given_anew_after_the_use_by_its_place_and_by_its_lease() {
    let given = What::Approval(digest("ab"), GIVEN.to_owned());
    let of_another = What::Approval(digest("cd"), GIVEN.to_owned());
    let used = applied("ab", &[("slack", Outcome::Added)]);
    let keys = |whats: &[&What], epoch: u64| {
        let mut events = events(whats);
        events.last_mut().unwrap().epoch = epoch;
        let done = done(&events, &digest("ab")).unwrap();
        let used = done.values().max().unwrap();
        anew(&events, &digest("ab"), used).len()
    };
    for (whats, epoch, found) in [
        ([&used, &given], 1, 1),
        ([&used, &given], 2, 1),
        ([&used, &given], 0, 0),
        ([&used, &of_another], 1, 0),
        ([&given, &used], 1, 0),
    ] {
        assert_eq!(keys(&whats, epoch), found, "{whats:?} {epoch}");
    }
}

#[test]
fn what_proves_a_use_stays() {
    let begun = What::Plan(digest("ab"));
    let waits = applied("ab", &[("slack", Outcome::Pending)]);
    let yes = consented("slack", "authorized");
    let proofs = |whats: &[&What]| -> Vec<String> {
        let ids = proofs(&events(whats));
        ids.into_iter().collect()
    };
    // Nobody approved it: the settings say how long it stays, but for what was decided last of each connector.
    assert_eq!(proofs(&[&begun, &waits, &yes]), ["1", "3"]);
    let slack = vec![ConnectorType::parse("slack").unwrap()];
    let (given_up, other) = (
        What::Forget(slack),
        applied("cd", &[("wix", Outcome::Added)]),
    );
    assert_eq!(proofs(&[&waits, &given_up, &other]), ["2", "3"]);
    let nothing = found_waiting("cd", "slack");
    assert_eq!(proofs(&[&waits, &yes, &given_up, &nothing]), ["3"]);
    // Of what somebody approved, the apply.
    let approved = applied_by("ab", &[("slack", Outcome::Pending)], &[1]);
    assert_eq!(proofs(&[&approved, &given_up, &waits]), ["1", "3"]);
    // Of approvals, those that are taken back.
    let taken_back = What::Approval(digest("ab"), TAKEN_BACK.to_owned());
    let of_another = What::Approval(digest("cd"), TAKEN_BACK.to_owned());
    let given = What::Approval(digest("ab"), String::new());
    assert_eq!(proofs(&[&given, &taken_back, &of_another]), ["2"]);
    // Nobody knows what one proves that cannot be read.
    let newer = What::Apply(digest("cd"), "format_version = \"3.0\"".to_owned());
    assert_eq!(proofs(&[&begun, &given, &newer]), ["1", "2", "3"]);
}

/// Nor is what was applied last of any files.
#[test]
fn what_was_applied_last_of_any_files_stays() {
    let files = |folder: &str| FilesOf {
        folder: folder.to_owned(),
        dir: None,
    };
    let apply = applied("ab", &[("slack", Outcome::Unchanged)]);
    let mut events = events(&[&apply, &apply, &apply, &apply, &apply]);
    let of = |folders: &[&str]| AppliedFrom {
        commit: "c1".to_owned(),
        files: folders.iter().copied().map(files).collect(),
    };
    events[0].applied_from = Some(of(&["one", "two"]));
    events[1].applied_from = Some(of(&["one"]));
    events[2].applied_from = Some(of(&["one"]));
    events[3].applied_from = Some(of(&["three"]));
    assert_eq!(proofs(&events), ["1", "3", "4"].map(String::from).into());
}
