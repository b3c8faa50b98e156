//! Headless Chromium, driven over WebDriver.

use crate::web::until;
use base64::Engine;
use serde_json::{Value, json};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub const LONG: Duration = Duration::from_secs(60);

/// Where WebDriver keeps an element's id in an answer.
pub const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Chromium, and the driver that it hangs on.
pub struct Browser {
    pub driver: Child,
    pub client: reqwest::Client,
    pub session: String,
}

impl Drop for Browser {
    fn drop(&mut self) {
        // With its Chromium, which is of its group and would outlive it.
        let _ = Command::new("kill")
            .args(["-KILL", "--", &format!("-{}", self.driver.id())])
            .status();
        let _ = self.driver.wait();
    }
}

impl Browser {
    /// None where there is no driver.
    pub async fn start(with_script: bool, dark: bool) -> Option<Browser> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut driver = Command::new("chromedriver");
        let driver = driver
            .arg(format!("--port={port}"))
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(driver) = driver else {
            assert!(
                std::env::var("CLASSY_SYNC_TEST_REQUIRE_SERVERS").is_err(),
                "chromedriver is not there, and servers are required"
            );
            eprintln!("skipped: chromedriver is not there");
            return None;
        };
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let base = format!("http://127.0.0.1:{port}");
        let mut browser = Browser {
            driver,
            client,
            session: base.clone(),
        };
        until("the driver answers", LONG, async || {
            browser
                .client
                .get(format!("{base}/status"))
                .send()
                .await
                .is_ok()
        })
        .await;
        let mut arguments = vec![
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
        ];
        if dark {
            arguments.push("--force-dark-mode");
        }
        let script = if with_script { 1 } else { 2 };
        let preferences = json!({ "profile.managed_default_content_settings.javascript": script });
        let options = json!({ "args": arguments, "prefs": preferences });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "browserName": "chrome", "goog:chromeOptions": options } } });
        let made = browser.call("", "session", Some(wanted)).await;
        browser.session = format!("{base}/session/{}", made["sessionId"].as_str().unwrap());
        // Right after a click the next page may not be there yet; a person would wait for it, too.
        browser
            .call("", "timeouts", Some(json!({ "implicit": 10_000 })))
            .await;
        Some(browser)
    }

    pub async fn call(&self, prefix: &str, path: &str, body: Option<Value>) -> Value {
        let answer = self.send(prefix, path, body).await;
        assert!(answer["error"].is_null(), "{path}: {answer}");
        answer
    }

    pub async fn send(&self, prefix: &str, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}{prefix}/{path}", self.session);
        let request = match body {
            Some(body) => self.client.post(url).body(body.to_string()),
            None => self.client.get(url),
        };
        let answer: Value =
            serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
        answer["value"].clone()
    }

    pub async fn go(&self, url: &str) {
        self.call("", "url", Some(json!({ "url": url }))).await;
    }

    /// The element's id; by CSS, or by the text of a link.
    pub async fn find(&self, using: &str, value: &str) -> String {
        let found = self
            .call(
                "",
                "element",
                Some(json!({ "using": using, "value": value })),
            )
            .await;
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// A page that is live may swap an element between the look and the click; then it is looked
    /// for again, as a person would.
    pub async fn click(&self, using: &str, value: &str) {
        for _ in 0..5 {
            let id = self.find(using, value).await;
            let answer = self
                .send("", &format!("element/{id}/click"), Some(json!({})))
                .await;
            if answer["error"] != "stale element reference" {
                assert!(answer["error"].is_null(), "{value}: {answer}");
                return;
            }
        }
        panic!("{value} is swapped again and again");
    }

    pub async fn text(&self, css: &str) -> String {
        let id = self.find("css selector", css).await;
        // One that was just swapped is read at the next try.
        self.send("", &format!("element/{id}/text"), None)
            .await
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    pub async fn run(&self, script: &str) -> Value {
        self.call(
            "",
            "execute/sync",
            Some(json!({ "script": script, "args": [] })),
        )
        .await
    }

    /// A window narrower than a desktop's smallest is only pretended to be there.
    pub async fn size(&self, width: u32, height: u64) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call(
            "",
            "goog/cdp/execute",
            Some(json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": size })),
        )
        .await;
    }

    /// Keeps a picture where `CLASSY_SYNC_TEST_PICTURES` says; else only makes sure that one can be
    /// made.
    pub async fn picture(&self, name: &str, width: u32) {
        self.size(width, 1_000).await;
        let height = self
            .run("return document.documentElement.scrollHeight")
            .await
            .as_u64()
            .unwrap()
            .clamp(600, 2_600);
        self.size(width, height).await;
        let picture = self.call("", "screenshot", None).await;
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(picture.as_str().unwrap())
            .unwrap();
        assert!(bytes.starts_with(b"\x89PNG"));
        if let Ok(folder) = std::env::var("CLASSY_SYNC_TEST_PICTURES") {
            std::fs::write(format!("{folder}/{name}.png"), bytes).unwrap();
        }
    }
}
