//! What VS Code makes of the connector schema, by its own JSON service.
//!
//! Needs Node and `CONNPLAN_NPM_TOOLS=…/node_modules/.bin`, with vscode-json-languageservice beside it.

use std::{fs, path::Path, process::Command};

use crate::support::Project;

const ASK: &str = r#"
const { getLanguageService, TextDocument } = require("vscode-json-languageservice");
const schema = JSON.parse(require("node:fs").readFileSync(process.argv[2], "utf8"));
const service = getLanguageService({});
service.configure({ schemas: [{ uri: "file:///connector", fileMatch: ["*"], schema }], allowComments: true });
async function at(text) {
  const offset = text.indexOf("|");
  const document = TextDocument.create("file:///a.jsonc", "jsonc", 1, text.replace("|", ""));
  const json = service.parseJSONDocument(document);
  const position = document.positionAt(offset);
  const complete = await service.doComplete(document, position, json);
  const hover = await service.doHover(document, position, json);
  const wrong = await service.doValidation(document, json);
  const items = complete.items.map((item) => [item.label, item.documentation?.value ?? item.documentation ?? ""]);
  return { items, hover: JSON.stringify(hover?.contents ?? ""), wrong: wrong.map((w) => w.message) };
}
(async () => console.log(JSON.stringify([
  await at('{ "type": "|" }'),
  await at('{ "type": "gmail", "scopes": ["|"] }'),
  await at('{ "type": "gmail", "scopes": ["https://www.googleapis.com/auth/gmail.rea|donly"] }'),
  await at('// mine\n{ "type": "my_own", "scopes": ["any|thing"] }'),
])))();
"#;

#[test]
#[ignore = "needs Node and vscode-json-languageservice"]
fn an_editor_completes_types_and_scopes_and_says_what_they_permit() {
    let tools = std::env::var("CONNPLAN_NPM_TOOLS").expect("CONNPLAN_NPM_TOOLS (see .ci/run)");
    let project = Project::nowhere();
    let schema = project
        .run(&["schema", "connector"])
        .expect(0)
        .stdout
        .clone();
    project.write("schema.json", &schema);
    project.write("ask.js", ASK);
    let run = Command::new("node")
        .args(["ask.js", "schema.json"])
        .current_dir(project.root())
        .env("NODE_PATH", Path::new(&tools).parent().unwrap())
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    let said: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let offers = |n: usize, label: &str| {
        let items = said[n]["items"].as_array().unwrap();
        items
            .iter()
            .find(|item| item[0].as_str().unwrap().contains(label))
            .map_or_else(
                || panic!("no {label}: {items:?}"),
                |item| item[1].as_str().unwrap().to_owned(),
            )
    };
    offers(0, "googlecalendar");
    let told = offers(1, "gmail.readonly");
    assert!(told.contains("RESTRICTED"), "{told}");
    let items = said[1]["items"].as_array().unwrap();
    assert!(
        !items
            .iter()
            .any(|item| item[0].as_str().unwrap().contains("chat:write"))
    );
    let hover = said[2]["hover"].as_str().unwrap();
    assert!(
        hover.contains("read all messages") && hover.contains("RESTRICTED"),
        "{hover}"
    );
    // What nobody knows is allowed.
    assert_eq!(said[3]["wrong"], serde_json::json!([]));
    let _ = fs::remove_file(project.path("ask.js"));
}
