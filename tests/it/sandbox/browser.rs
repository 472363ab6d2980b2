//! A headless Chromium, driven over its debugging pipe: JSON messages that end with a NUL byte
//! (Chrome `DevTools` protocol, `--remote-debugging-pipe`). So neither a driver nor a crate is needed.
//!
//! It blocks: use it off the sandbox's thread. `CONNPLAN_CHROMIUM` names another binary than
//! `chromium`; `CONNPLAN_SCREENSHOTS` a folder where pictures are kept to be looked at.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends at the first surprise"
)]

use std::{
    ffi::OsString,
    fs::File,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// One browser with one tab.
pub(crate) struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    last_id: u64,
    session: Value,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub(crate) fn start() -> Self {
        let binary = std::env::var_os("CONNPLAN_CHROMIUM").unwrap_or_else(|| "chromium".into());
        let profile = tempfile::tempdir().unwrap();
        let mut user_data = OsString::from("--user-data-dir=");
        user_data.push(profile.path());
        // Chromium talks on descriptors 3 and 4; the shell moves our pipes there.
        let mut child = Command::new("sh")
            .args([
                "-c",
                r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#,
            ])
            .arg(binary)
            .args([
                "--headless",
                "--remote-debugging-pipe",
                // The pages are our own, and a container's root cannot have Chromium's sandbox.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--no-first-run",
                "--no-default-browser-check",
            ])
            .arg(user_data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, from) = channel();
        thread::spawn(move || {
            let messages = BufReader::new(out).split(0);
            for message in messages.map_while(Result::ok) {
                let message = serde_json::from_slice(&message).unwrap();
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            child,
            to,
            from,
            last_id: 0,
            session: Value::Null,
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        browser.session = browser.call("Target.attachToTarget", &attach)["sessionId"].clone();
        browser.call("Page.enable", &json!({}));
        browser.call("Log.enable", &json!({}));
        browser
    }

    /// Sends a command and waits for its result.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        let id = self.send(method, params);
        loop {
            let message = self.receive();
            if message["id"] == id {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
        }
    }

    fn send(&mut self, method: &str, params: &Value) -> u64 {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": params });
        if !self.session.is_null() {
            message["sessionId"] = self.session.clone();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).unwrap();
        self.last_id
    }

    fn receive(&self) -> Value {
        let message = self.from.recv_timeout(PATIENCE).expect("Chromium answers");
        let complaint = &message["params"]["entry"];
        let blocked = complaint["level"] == "error" && complaint["source"] == "security";
        assert!(
            !blocked,
            "the page's own policy forbids part of it: {message}"
        );
        message
    }

    /// Does something that loads a page, and waits until it is loaded.
    fn until_loaded(&mut self, act: impl FnOnce(&mut Self) -> u64) {
        let id = act(self);
        let (mut answered, mut loaded) = (false, false);
        while !(answered && loaded) {
            let message = self.receive();
            answered |= message["id"] == id;
            loaded |= message["method"] == "Page.loadEventFired";
        }
    }

    /// Opens an address.
    pub(crate) fn open(&mut self, url: &str) {
        self.until_loaded(|b| b.send("Page.navigate", &json!({ "url": url })));
    }

    /// Clicks what a CSS selector finds; `loads` if that leads to another page.
    pub(crate) fn click(&mut self, selector: &str, loads: bool) {
        let selector = json!(selector);
        let click = json!({ "expression": format!("document.querySelector({selector}).click()") });
        if loads {
            self.until_loaded(|b| b.send("Runtime.evaluate", &click));
        } else {
            self.call("Runtime.evaluate", &click);
        }
    }

    /// Follows a link that would open a new tab in this one. In one step: a page that renews itself
    /// between two would open the new tab after all.
    pub(crate) fn follow_here(&mut self, selector: &str) {
        let selector = json!(selector);
        let expression = format!(
            "(link => {{ link.target = '_self'; link.click(); }})(document.querySelector({selector}))"
        );
        self.until_loaded(|b| b.send("Runtime.evaluate", &json!({ "expression": expression })));
    }

    /// Presses keys one after another: `Tab`, `Space`, `Enter`.
    pub(crate) fn press(&mut self, keys: &[&str]) {
        for key in keys {
            let last = self.key(key);
            while self.receive()["id"] != last {}
        }
    }

    /// Presses a key that leads to another page.
    pub(crate) fn press_and_load(&mut self, key: &str) {
        self.until_loaded(|b| b.key(key));
    }

    fn key(&mut self, key: &str) -> u64 {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Space" => (32, " "),
            "Enter" => (13, "\r"),
            other => panic!("no such key: {other}"),
        };
        let down = if text.is_empty() {
            "rawKeyDown"
        } else {
            "keyDown"
        };
        let event = |kind: &str| {
            json!({
                "type": kind,
                "key": if key == "Space" { " " } else { key },
                "code": key,
                "text": if kind == "keyUp" { "" } else { text },
                "windowsVirtualKeyCode": code,
            })
        };
        self.send("Input.dispatchKeyEvent", &event(down));
        self.send("Input.dispatchKeyEvent", &event("keyUp"))
    }

    /// What is to be read on the page.
    pub(crate) fn text(&mut self) -> String {
        self.evaluate("document.body.innerText")
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The value of an expression.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true });
        let result = self.call("Runtime.evaluate", &params);
        assert!(result.get("exceptionDetails").is_none(), "{result}");
        result["result"]["value"].clone()
    }

    /// Role and name of everything that a screen reader finds, in order.
    pub(crate) fn spoken(&mut self) -> Vec<(String, String)> {
        let tree = self.call("Accessibility.getFullAXTree", &json!({}));
        let nodes = tree["nodes"].as_array().unwrap().iter();
        let text = |node: &Value, field: &str| {
            node[field]["value"].as_str().unwrap_or_default().to_owned()
        };
        nodes
            .filter(|node| node["ignored"] == false)
            .map(|node| (text(node, "role"), text(node, "name")))
            .collect()
    }

    /// Sets the size of the window in CSS pixels, and the colours a person prefers.
    pub(crate) fn look(&mut self, width: u32, height: u32, scheme: &str) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.call("Emulation.setDeviceMetricsOverride", &size);
        // As on a phone, and so that pictures do not depend on the theme's scroll bar.
        self.call("Emulation.setScrollbarsHidden", &json!({ "hidden": true }));
        let scheme = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.call(
            "Emulation.setEmulatedMedia",
            &json!({ "features": [scheme] }),
        );
    }

    /// Keeps a picture of the whole page, if someone wants to look at it.
    pub(crate) fn screenshot(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("CONNPLAN_SCREENSHOTS") else {
            return;
        };
        let params = json!({ "captureBeyondViewport": true });
        let picture = self.call("Page.captureScreenshot", &params);
        let bytes = BASE64_STANDARD
            .decode(picture["data"].as_str().unwrap())
            .unwrap();
        let path = PathBuf::from(folder).join(format!("{name}.png"));
        File::create(path).unwrap().write_all(&bytes).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked to, it ends its other processes before itself, and its profile can be removed.
        let close = json!({ "id": self.last_id + 1, "method": "Browser.close" });
        let _ = self.to.write_all(format!("{close}\0").as_bytes());
        for _ in 0..100 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
