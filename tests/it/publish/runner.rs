//! What runs an action as a runner does: each step's script in order, by bash, with the variables that
//! it is given.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::support::Project;

pub(crate) fn yaml(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

pub(crate) fn yaml_text(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// What stands for a machine that runs jobs.
pub(crate) struct Runner {
    pub(crate) project: Project,
    /// Kept files by the artifact's name.
    pub(crate) artifacts: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) summary: String,
    /// Programs that stand in for a runner's own.
    pub(crate) tools: Option<PathBuf>,
}

/// What a job came to.
pub(crate) struct Job {
    pub(crate) failed: bool,
    pub(crate) log: String,
    pub(crate) outputs: BTreeMap<String, String>,
}

/// The contexts that expressions look into, as `inputs.name`.
pub(crate) type Names = BTreeMap<String, String>;

impl Runner {
    pub(crate) fn new(project: Project) -> Self {
        Self {
            project,
            artifacts: BTreeMap::new(),
            summary: String::new(),
            tools: None,
        }
    }

    /// Runs a composite action on a fresh machine.
    pub(crate) fn run(&mut self, action: &str, with: &[(&str, &str)]) -> Job {
        let file = format!(".github/actions/{action}/action.yml");
        let action = yaml(&file);
        let temp = crate::support::folder();
        let mut names = Names::new();
        names.insert("runner.temp".into(), temp.path().display().to_string());
        names.insert("github.token".into(), "ghs_canary".into());
        for (name, input) in action["inputs"].as_object().unwrap() {
            let default = expand(input["default"].as_str().unwrap_or_default(), &names);
            names.insert(format!("inputs.{name}"), default);
        }
        let path = ("path", env!("CARGO_BIN_EXE_connplan"));
        for (name, value) in with.iter().chain([&path]) {
            let known = names.insert(format!("inputs.{name}"), (*value).to_owned());
            assert!(known.is_some(), "{file} has no input `{name}`");
        }
        let mut job = Job {
            failed: false,
            log: String::new(),
            outputs: BTreeMap::new(),
        };
        for step in action["runs"]["steps"].as_array().unwrap() {
            if is_due(step, &names, job.failed) {
                self.step(step, &mut names, temp.path(), &mut job);
            }
        }
        for (name, output) in action["outputs"].as_object().unwrap() {
            let value = expand(output["value"].as_str().unwrap(), &names);
            job.outputs.insert(name.clone(), value);
        }
        job
    }

    /// Runs a job of an example on a fresh machine, connplan being installed already: what its other
    /// steps run, and the outputs that it has.
    pub(crate) fn job(&mut self, file: &str, job: &str, given: &[(&str, &str)]) -> Job {
        let workflow = yaml(file);
        let steps = workflow["jobs"][job]["steps"].as_array().unwrap();
        let temp = crate::support::folder();
        let mut names = Names::new();
        names.insert("runner.temp".into(), temp.path().display().to_string());
        names.insert("github.token".into(), "ghs_canary".into());
        for name in ["secrets.BASE44_READ_TOKEN", "secrets.BASE44_WRITE_TOKEN"] {
            names.insert(name.into(), String::new());
        }
        names.insert("vars.BASE44_APP_ID".into(), String::new());
        for (name, value) in given {
            names.insert((*name).to_owned(), (*value).to_owned());
        }
        let mut ran = Job {
            failed: false,
            log: String::new(),
            outputs: BTreeMap::new(),
        };
        for step in steps {
            let checkout = step["uses"]
                .as_str()
                .is_some_and(|uses| uses.starts_with("actions/checkout@"));
            if !checkout && !is_install(step) && is_due(step, &names, ran.failed) {
                self.step(step, &mut names, temp.path(), &mut ran);
            }
        }
        for (name, output) in workflow["jobs"][job]["outputs"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let value = expand(output.as_str().unwrap(), &names);
            ran.outputs.insert(name.clone(), value);
        }
        ran
    }

    pub(crate) fn step(&mut self, step: &Value, names: &mut Names, temp: &Path, job: &mut Job) {
        let Some(script) = step["run"].as_str() else {
            return self.artifact(step, names);
        };
        assert!(step["shell"].is_null() || step["shell"] == "bash");
        assert!(
            !script.contains("${{"),
            "text from outside within a script: {script}"
        );
        let files = ["summary", "output"].map(|name| temp.join(name));
        for file in &files {
            let _ = fs::remove_file(file);
        }
        let [summary, output] = files;
        let script_file = temp.join("script.sh");
        write(&script_file, script);
        let folder = expand(step["working-directory"].as_str().unwrap_or("."), names);
        let own = step["env"].as_object().into_iter().flatten();
        let run = Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail"])
            .arg(&script_file)
            .current_dir(self.project.path(&folder))
            .env_clear()
            .envs(self.project.environment())
            .env("PATH", self.path())
            .env("RUNNER_TEMP", temp)
            .env("GITHUB_STEP_SUMMARY", &summary)
            .env("GITHUB_OUTPUT", &output)
            .envs(own.map(|(name, value)| (name, expand(value.as_str().unwrap(), names))))
            .output()
            .unwrap();
        job.failed |= !run.status.success();
        job.log.push_str(&String::from_utf8_lossy(&run.stdout));
        job.log.push_str(&String::from_utf8_lossy(&run.stderr));
        self.summary += &fs::read_to_string(summary).unwrap_or_default();
        let id = step["id"].as_str().unwrap_or_default();
        for line in fs::read_to_string(output).unwrap_or_default().lines() {
            let (name, value) = line.split_once('=').unwrap();
            names.insert(format!("steps.{id}.outputs.{name}"), value.to_owned());
        }
    }

    /// The process's, with our connplan first.
    fn path(&self) -> String {
        let binary = Path::new(env!("CARGO_BIN_EXE_connplan")).parent().unwrap();
        let tools = self
            .tools
            .as_ref()
            .map(|tools| format!("{}:", tools.display()));
        let tools = tools.unwrap_or_default();
        format!(
            "{tools}{}:{}",
            binary.display(),
            std::env::var("PATH").unwrap()
        )
    }

    /// The two actions that keep and fetch files.
    pub(crate) fn artifact(&mut self, step: &Value, names: &Names) {
        let with = |name: &str| expand(step["with"][name].as_str().unwrap(), names);
        let uses = step["uses"].as_str().unwrap();
        let path = PathBuf::from(with("path"));
        let name = with("name");
        if uses.starts_with("actions/upload-artifact@") {
            match fs::read_to_string(&path) {
                Ok(text) => {
                    let file = path.file_name().unwrap().to_str().unwrap().to_owned();
                    self.artifacts.insert(name, [(file, text)].into());
                }
                Err(_) => assert_eq!(step["with"]["if-no-files-found"], "ignore"),
            }
        } else {
            assert!(uses.starts_with("actions/download-artifact@"), "{uses}");
            fs::create_dir_all(&path).unwrap();
            for (file, text) in &self.artifacts[&name] {
                write(&path.join(file), text);
            }
        }
    }
}

/// Whether a step installs connplan.
pub(crate) fn is_install(step: &Value) -> bool {
    step["run"]
        .as_str()
        .is_some_and(|script| script.contains("npm install"))
}

pub(crate) fn is_due(step: &Value, names: &Names, failed: bool) -> bool {
    match step["if"].as_str() {
        None => !failed,
        Some("${{ !cancelled() }}") => true,
        Some(condition) => !failed && !evaluate(condition, names).is_empty(),
    }
}

pub(crate) fn write(path: &Path, text: &str) {
    connplan::fs::write(path, text.as_bytes(), connplan::fs::Visibility::Shared).unwrap();
}

/// Replaces each `${{ … }}`.
pub(crate) fn expand(text: &str, names: &Names) -> String {
    let Some((before, rest)) = text.split_once("${{") else {
        return text.to_owned();
    };
    let (expression, after) = rest.split_once("}}").unwrap();
    format!(
        "{before}{}{}",
        evaluate(expression, names),
        expand(after, names)
    )
}

/// As much of the runner's expressions as the actions use: `a.b.c`, `'text'`, `x == y`, `x || y`.
/// False is empty.
pub(crate) fn evaluate(expression: &str, names: &Names) -> String {
    if let Some((one, other)) = expression.split_once("||") {
        let one = evaluate(one, names);
        return if one.is_empty() {
            evaluate(other, names)
        } else {
            one
        };
    }
    if let Some((one, other)) = expression.split_once("==") {
        let equal = evaluate(one, names) == evaluate(other, names);
        return if equal {
            "true".to_owned()
        } else {
            String::new()
        };
    }
    let word = expression.trim();
    match word.strip_prefix('\'') {
        Some(text) => text.trim_end_matches('\'').to_owned(),
        None => match names.get(word) {
            Some(value) => value.clone(),
            // An output of a step that had none.
            None if word.starts_with("steps.") => String::new(),
            None if word == "github.action_path" => panic!("nothing is built here"),
            None => panic!("`{word}` is not known"),
        },
    }
}
