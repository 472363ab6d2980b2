//! The law: whatever happens, connplan knows what it did, says so, and the same command finishes
//! the job.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;

use super::{
    model::{Effect, LINK_CANARY, Model},
    run::{Blow, Calm, Case, Ran},
    scenario::Scenario,
    verb::Verb,
};

/// An undisturbed run does all and only what the plan says.
pub fn calm(scenario: &Scenario, verb: Verb, calm: &Calm, model: &Model) -> Vec<String> {
    let mut found = honest(&calm.ran, model, &model.effects, verb);
    let done: BTreeSet<_> = model.effects.iter().cloned().collect();
    // Links are asked for when a person wants one, and so once more by an authorization.
    let wanted = match verb {
        _ if verb.applies() => scenario.allowed(),
        _ if verb.authorizes() => scenario.asked(),
        _ => BTreeSet::new(),
    };
    if done != wanted {
        found.push(format!("it did {done:?}"));
    }
    if verb.authorizes() && !model.waiting.is_empty() {
        found.push(format!("these still wait: {:?}", model.waiting));
    }
    let expected = match verb {
        Verb::Push if !calm.end.waiting.is_empty() => 4,
        _ => 0,
    };
    if calm.ran.code != Some(expected) {
        found.push(format!(
            "it ended with {:?}: {}",
            calm.ran.code, calm.ran.stderr
        ));
    }
    found
}

/// Whether a run went otherwise than the undisturbed one.
pub fn differs(ran: &Ran, calm: &Ran) -> bool {
    ran.code != calm.code || ran.asked.len() != calm.asked.len()
}

/// Nothing is done again that is known to be done.
pub fn repeated(settled: &[Effect], new: &[Effect]) -> Vec<String> {
    let again = new.iter().filter(|effect| settled.contains(effect));
    again
        .map(|effect| format!("done twice: {effect:?}"))
        .collect()
}

/// What a run says is true, and tells no secret.
pub fn honest(ran: &Ran, model: &Model, new: &[Effect], verb: Verb) -> Vec<String> {
    let mut found = Vec::new();
    for text in [&ran.stdout, &ran.stderr] {
        if text.contains(LINK_CANARY) || text.contains("canarykey") {
            found.push(format!("it tells a secret: {text}"));
        }
        if text.contains("panicked") {
            found.push(format!("it panicked: {text}"));
        }
    }
    let Some(code) = ran.code else {
        return found;
    };
    if code != 0 && ran.stderr.trim().is_empty() && ran.stdout.trim().is_empty() {
        found.push(format!("it ended with {code} without a word"));
    }
    let Some(json) = ran.json() else {
        found.push(format!("its output is no JSON document: {}", ran.stdout));
        return found;
    };
    let results = json["apps"][0]["results"].as_array().cloned();
    if verb.authorizes() {
        return found;
    }
    let results = results.unwrap_or_default();
    let outcomes: BTreeMap<_, _> = results.iter().map(|r| (text(r, "connector"), r)).collect();
    // Where the app could not be read back, as the run said, what is done is what the platform answered.
    let unread = ran.stderr.contains("the app could not be read back");
    for (name, result) in &outcomes {
        let done = ["removed", "provisioned", "synced", "added"];
        if unread && done.contains(&text(result, "outcome")) {
            continue;
        }
        if let Some(lie) = lie(name, result, model, new) {
            found.push(format!("{name}: {lie}: {result}"));
        }
    }
    let any = |word| outcomes.values().any(|r| text(r, "outcome") == word);
    if code == 0 && (any("failed") || any("not_run")) {
        found.push(format!("it ended with 0: {json}"));
    }
    if code == 5 && !any("failed") {
        found.push(format!("it ended with 5: {json}"));
    }
    if outcomes.is_empty() && !new.is_empty() && code == 0 {
        found.push(format!("it does not say what it did: {new:?}"));
    }
    // Whatever happened to the remote stands in the receipt, or the receipt says that it is not
    // known.
    for effect in new {
        let (Effect::Put(name, _) | Effect::Remove(name)) = effect else {
            continue;
        };
        let said = outcomes.get(name.as_str()).map(|r| text(r, "outcome"));
        if matches!(said, None | Some("not_run" | "unchanged")) {
            found.push(format!("it hides {effect:?}: {said:?}, {}", ran.stderr));
        }
    }
    found
}

/// A run that a signal ended says so, once.
pub fn interrupted(ran: &Ran, blow: &Blow) -> Vec<String> {
    let mut found = Vec::new();
    let is_announcement = |line: &str| line.starts_with("Interrupted: nothing new");
    let lines = || ran.stderr.lines();
    let announced = lines().filter(|line| is_announcement(line)).count();
    let told = lines()
        .filter(|line| line.starts_with("Interrupted: ") && !is_announcement(line))
        .count();
    let ended_by_it = matches!(ran.code, Some(129 | 130 | 143));
    if !ended_by_it && announced == 0 && told == 0 {
        return found;
    }
    if blow.signal.is_none() {
        found.push("nobody interrupted it".to_owned());
    }
    if matches!(ran.code, Some(0 | 2 | 4)) {
        found.push(format!("it was interrupted and ended with {:?}", ran.code));
    }
    if announced > 1 || told != 1 {
        found.push(format!("it is not said once what was done: {}", ran.stderr));
    }
    found
}

fn lie(name: &str, result: &Value, model: &Model, new: &[Effect]) -> Option<&'static str> {
    let is = model.connectors.get(name);
    let there = if name == "stripe" {
        model.stripe.is_some()
    } else {
        is.is_some()
    };
    // It was so, and has to say that it is so no more.
    if model.touched.contains(name) && new.is_empty() && !text(result, "message").is_empty() {
        return None;
    }
    match text(result, "outcome") {
        "removed" => there.then_some("it is there"),
        "provisioned" => (!there).then_some("it is not there"),
        "synced" | "added" => {
            let in_force = is
                .is_some_and(|is| is.status == "active" && is.scopes == strings(&result["scopes"]));
            (!in_force).then_some("it is not in force")
        }
        "pending" => {
            let id = model.waiting.get(name).map(|waiting| waiting.id.as_str());
            let said = result["connection_id"].as_str();
            (id != said && !model.is_overtaken(said)).then_some("its id is another one")
        }
        "failed" => (text(result, "message").is_empty()).then_some("it does not say why"),
        "not_run" => {
            let done = new.iter().any(|effect| match effect {
                Effect::Put(of, _) | Effect::Remove(of) => of == name,
                Effect::Install | Effect::Uninstall => name == "stripe",
            });
            done.then_some("it was done")
        }
        "unchanged" => None,
        _ => Some("what is that"),
    }
}

/// The last run ends where an undisturbed one ends, and says the same.
pub fn same_end(case: &Case, calm: &Calm, again: &Ran, model: &Model) -> Vec<String> {
    let mut found = Vec::new();
    if model.snapshot() != calm.end {
        found.push(format!(
            "it ends at {:?} and not at {:?}",
            model.snapshot(),
            calm.end
        ));
    }
    if again.code != calm.ran.code {
        found.push(format!(
            "it ends with {:?} and not {:?}",
            again.code, calm.ran.code
        ));
    }
    let allowed = case.scenario.allowed();
    for effect in model
        .effects
        .iter()
        .filter(|effect| !allowed.contains(effect))
    {
        found.push(format!("no plan holds {effect:?}"));
    }
    if !model.redundant.is_empty() {
        // A repetition within one run, because its first answer was lost, is how DELETE is meant.
        let lost = case.blows.iter().any(|blow| !blow.trouble.is_empty());
        // Stripe is asked for its status first; a request given up may still arrive after that.
        let late = case.blows.iter().any(Blow::hangs);
        if !lost || (!late && model.redundant.contains(&Effect::Install)) {
            found.push(format!("done again: {:?}", model.redundant));
        }
    }
    let writes = case.verb.applies() || case.verb.authorizes();
    if !writes && !model.effects.is_empty() {
        found.push(format!("it was to look, and did {:?}", model.effects));
    }
    if case.verb.authorizes() {
        let asked = case.scenario.asked();
        let other = model
            .effects
            .iter()
            .filter(|effect| !asked.contains(effect));
        found.extend(other.map(|effect| format!("nobody waits for {effect:?}")));
    }
    if case.verb == Verb::Saved {
        let (is, was) = (receipt(again), receipt(&calm.ran));
        if is != was {
            found.push(format!("the receipt is {is:#?}\nand not {was:#?}"));
        }
    }
    found
}

/// Of a plan that was cut short nothing more is done once somebody else has changed what it is about.
pub fn refused(case: &Case, again: &Ran, before: &Model, after: &Model) -> Vec<String> {
    let mut found = Vec::new();
    if before.effects != after.effects || before.redundant != after.redundant {
        found.push(format!("it went on to {:?}", after.effects));
    }
    let finished =
        after.effects.iter().cloned().collect::<BTreeSet<_>>() == case.scenario.allowed();
    if again.code != Some(3) && !(finished && again.code == Some(0)) {
        found.push(format!("it ends with {:?}", again.code));
    }
    let name = case.stranger.map(|number| case.scenario.name(number));
    if again.code == Some(3)
        && !name.is_some_and(|name| format!("{}{}", again.stdout, again.stderr).contains(&name))
    {
        found.push(format!("it does not say what moved: {}", again.stderr));
    }
    found
}

const FOUND_DONE: &str = "it was already as the plan wants it";

/// The receipt without what differs from run to run.
fn receipt(ran: &Ran) -> Option<Value> {
    let mut json = ran.json()?;
    for result in json["apps"][0]["results"].as_array_mut()? {
        if let Some(id) = result.get_mut("connection_id") {
            *id = Value::Bool(id.is_string());
        }
        // Done by a run that could not write it down: found done, and said so.
        if result["message"] == FOUND_DONE {
            result["message"] = Value::Null;
        }
    }
    json.as_object_mut()?.remove("digest");
    Some(json)
}

/// What can be known to be done from the files of a run that was cut short.
pub fn on_disk(model: &Model, workspace: &Path) -> Vec<Effect> {
    let mut known = BTreeSet::new();
    if let Ok(text) = fs::read_to_string(workspace.join("pending.toml")) {
        let waiting = model.waiting.iter();
        let stored = waiting.filter(|(_, w)| text.contains(&format!("\"{}\"", w.id)));
        known.extend(stored.map(|(name, _)| name.clone()));
    }
    for journal in fs::read_dir(workspace.join("journal"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let text = fs::read_to_string(journal.path()).expect("a journal");
        // Its last line may be cut off; what is no JSON was not written whole.
        let records = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        let records = records.filter_map(|line| line.split_once(' '));
        for record in records.filter_map(|(_, json)| serde_json::from_str::<Value>(json).ok()) {
            let failed = matches!(self::text(&record, "outcome"), "" | "failed");
            if self::text(&record, "record") == "outcome" && !failed {
                known.insert(self::text(&record, "connector").to_owned());
            }
        }
    }
    let of = |effect: &&Effect| match effect {
        Effect::Put(name, _) | Effect::Remove(name) => known.contains(name),
        Effect::Install | Effect::Uninstall => known.contains("stripe"),
    };
    model.effects.iter().filter(of).cloned().collect()
}

/// The authorizations on disk. None has a link: it would be dead before anybody opened it.
pub fn stored(workspace: &Path) -> (BTreeSet<String>, Vec<String>) {
    let (mut stored, mut found) = (BTreeSet::new(), Vec::new());
    if let Ok(text) = fs::read_to_string(workspace.join("pending.toml")) {
        if text.contains("://") && text.contains("/o?t=") {
            found.push(format!("a link is kept: {text}"));
        }
        let table: toml::Table = text.parse().expect("the store is TOML");
        let entries = table.get("pending").and_then(toml::Value::as_array);
        for entry in entries.into_iter().flatten() {
            let name = entry.get("connector").and_then(toml::Value::as_str);
            stored.insert(name.unwrap_or_default().to_owned());
        }
    }
    (stored, found)
}

/// Each authorization that waits is on disk; nothing else is.
pub fn kept(model: &Model, workspace: &Path) -> Vec<String> {
    let (stored, mut found) = stored(workspace);
    let waiting: BTreeSet<_> = model.waiting.keys().cloned().collect();
    if stored != waiting {
        found.push(format!("kept is {stored:?}, and {waiting:?} waits"));
    }
    found.extend(leftovers(workspace));
    found
}

fn leftovers(workspace: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(workspace) else {
        return found;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().ends_with(".tmp") {
            found.push(format!("left behind: {}", entry.path().display()));
        }
    }
    found
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn strings(value: &Value) -> BTreeSet<String> {
    let items = value.as_array().into_iter().flatten();
    items
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}
