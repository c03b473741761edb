//! A page of the dashboard, as far as the daemon can tell.

use std::io::{Read, Write};
use std::net::TcpStream;

use divisi_testkit::TestEnv;
use serde_json::{Value, json};

use super::service::{Service, keys};

pub struct Page {
    origin: String,
    cookie: String,
    pub device: String,
}

impl Page {
    /// A browser that enters by the link of this command.
    pub fn enter(env: &TestEnv, command: &[&str]) -> Self {
        let printed = env.divisi().args(command).run();
        printed.require_success();
        let (base, code) = printed.stdout.trim().split_once("/enter#").unwrap();
        let port = base.rsplit(':').next().unwrap();
        let origin = format!("http://127.0.0.1:{port}");
        let mut page = Self { origin, cookie: String::new(), device: String::new() };
        let body = json!({ "code": code, "name": "phone" });
        let (head, device) = page.exchange("POST", "/v1/enter", Some(&body));
        let set = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        page.cookie = set.split(';').next().unwrap().to_owned();
        page.device = device["id"].as_str().unwrap().to_owned();
        page
    }

    /// The status and the answer.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let (head, answer) = self.exchange(method, path, body);
        (head.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }

    /// Subscribes at a service, with what it wants to be told.
    pub fn subscribe(&self, service: &Service, choices: Option<Value>) {
        let mut body = subscription(&format!("{}/send/{}", service.base, self.device));
        if let Some(choices) = choices {
            body["choices"] = choices;
        }
        assert_eq!(self.ask("PUT", "/v1/push", Some(&body)), (204, Value::Null));
    }

    pub fn push(&self) -> Value {
        let (status, view) = self.ask("GET", "/v1/push", None);
        assert_eq!(status, 200, "{view}");
        view
    }

    fn exchange(&self, method: &str, path: &str, body: Option<&Value>) -> (String, Value) {
        let host = self.origin.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let text = body.map_or(String::new(), Value::to_string);
        let Self { origin, cookie, .. } = self;
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\norigin: {origin}\r\ncookie: {cookie}\r\n");
        let more = format!("content-type: application/json\r\ncontent-length: {}\r\n", text.len());
        write!(stream, "{head}{more}connection: close\r\n\r\n{text}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_lowercase(), serde_json::from_str(body).unwrap_or(Value::Null))
    }
}

/// What a browser gives for this address.
pub fn subscription(endpoint: &str) -> Value {
    let (p256dh, auth) = keys();
    json!({ "endpoint": endpoint, "p256dh": p256dh, "auth": auth })
}
