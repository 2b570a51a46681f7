//! 单点登录 from the outside: the real platform, the sample application as it is shipped, a browser
//! that only follows redirections.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![expect(clippy::disallowed_methods, reason = "other processes tell nobody when they are done")]

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// A process that goes with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program and waits for the line that tells its address.
fn start(command: &mut Command, mark: &str) -> (Process, String) {
    let mut process = Process(command.stdout(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
    let found =
        lines.map_while(Result::ok).find_map(|line| Some(line.strip_prefix(mark)?.to_owned()));
    (process, found.unwrap())
}

/// Keeps cookies of each host, follows redirections, runs no script.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<String, BTreeMap<String, String>>,
    csrf: String,
}

impl Browser {
    fn host(address: &str) -> String {
        address.split('/').nth(2).unwrap().to_owned()
    }

    fn send(
        &mut self,
        method: &str,
        address: &str,
        body: Option<Value>,
    ) -> (u16, String, Option<String>) {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(10)))
            .build()
            .into();
        let jar = self.cookies.entry(Self::host(address)).or_default();
        let cookies: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(address)
            .header("cookie", cookies.join("; "))
            .header("x-csrf", &self.csrf)
            .header("content-type", "application/json");
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let mut answer = agent.run(request.body(body).unwrap()).unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            let (name, value) = pair.split_once('=').unwrap();
            jar.insert(name.to_owned(), value.to_owned());
        }
        let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap(), to)
    }

    /// Opens a page, wherever that leads.
    fn open(&mut self, address: &str) -> (String, String) {
        let mut address = address.to_owned();
        for _ in 0..10 {
            let (_, text, to) = self.send("GET", &address, None);
            let Some(to) = to else { return (address, text) };
            address = if to.starts_with('/') {
                format!("http://{}{to}", Self::host(&address))
            } else {
                to
            };
        }
        panic!("round and round: {address}");
    }

    fn call(&mut self, method: &str, address: &str, body: Value) -> Value {
        let (status, text, _) = self.send(method, address, Some(body));
        assert!(status < 300, "{method} {address}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn log_in(&mut self, platform: &str, (user, password): (&str, &str)) {
        let body = json!({ "user": user, "password": password });
        let answer = self.call("POST", &format!("{platform}/api/v1/session"), body);
        self.csrf = String::from(answer["csrf"].as_str().unwrap());
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits for something that happens soon.
fn soon(what: &str, within: Duration, mut happened: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < within, "{what} did not happen within {within:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn g_5_4_2b_the_sample_application_shares_log_in_log_out_and_users() {
    let folder = tempfile::tempdir().unwrap();
    let (port, own) = (free_port(), free_port());
    let mut command = Command::new(env!("CARGO_BIN_EXE_yuanjian"));
    let data = folder.path().join("data");
    command
        .args(["demo", "--size", "golden", "--listen", &format!("127.0.0.1:{port}"), "--data"])
        .arg(&data);
    let (_platform, platform) = start(&mut command, "源鉴已启动：");
    let text = std::fs::read_to_string(data.join("demo-accounts.json")).unwrap();
    let accounts: Value = serde_json::from_str(&text).unwrap();
    let password = |user: &str| {
        let found = accounts["accounts"].as_array().unwrap().iter();
        let found = found.clone().find(|account| account["user"] == user).unwrap();
        found["password"].as_str().unwrap().to_owned()
    };
    let (mut system, mut security) = (Browser::default(), Browser::default());
    system.log_in(&platform, ("sysadmin", &password("sysadmin")));
    security.log_in(&platform, ("secadmin", &password("secadmin")));
    let api = |path: &str| format!("{platform}/api/v1/{path}");
    let home = format!("http://127.0.0.1:{own}");
    let application = json!({
        "client_id": "sample-app", "name": "示例接入应用", "redirect_uris": format!("{home}/callback"),
        "backchannel_logout_uri": format!("{home}/backchannel"),
    });
    let made = system.call("POST", &api("application"), application);
    let path = api(&format!("application/{}/secret", made["id"].as_str().unwrap()));
    let secret = system.call("POST", &path, json!({}))["secret"].as_str().unwrap().to_owned();
    // The application also follows users, with a right of its own.
    let first = |found: Value| found["items"][0]["id"].clone();
    let top = first(system.call("GET", &api("organization?code=YJ-DEMO"), Value::Null));
    let service = first(system.call("GET", &api("account?user_name=gateway"), Value::Null));
    let all = first(security.call("GET", &api("role?code=business"), Value::Null));
    let role = json!({ "code": "directory", "name": "示例用户同步", "parent_id": all, "permissions": ["scim:read"] });
    let role = security.call("POST", &api("role"), role)["id"].clone();
    let grant =
        json!({ "account_id": service, "role_id": role, "organization_id": top, "clearance": 2 });
    security.call("POST", &api("assignment"), grant);

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/sso-app/server.mjs");
    let mut command = Command::new("node");
    command.arg(script).env("ISSUER", &platform).env("PORT", own.to_string());
    command.env("CLIENT_ID", "sample-app").env("CLIENT_SECRET", secret);
    command.env("SCIM_CLIENT_ID", "gateway").env("SCIM_CLIENT_SECRET", password("gateway"));
    let (_application, _) = start(&mut command, "示例接入应用：");

    let mut person = Browser::default();
    let (at, _) = person.open(&home);
    assert!(at.contains("/console/login?to="), "a stranger is asked to log in: {at}");
    person.log_in(&platform, ("supervisor", &password("supervisor")));
    let (at, page) = person.open(&home);
    assert!(
        at.starts_with(&home) && page.contains("示例省监管员"),
        "no second log-in: {at} {page}"
    );
    // Log-out at the platform ends the application's session within seconds.
    person.call("DELETE", &api("session"), Value::Null);
    soon("single log-out", Duration::from_secs(5), || {
        let (_, page, _) = person.send("GET", &format!("{home}/"), None);
        !page.contains("示例省监管员")
    });
    // A change of a user is there within five seconds.
    let person = json!({
        "user_name": "seen-by-app", "name": "示例新人", "organization_id": top, "kind": "person", "clearance": 2,
    });
    let made = system.call("POST", &api("account"), person);
    let known = |state: bool| {
        let (_, text, _) = Browser::default().send("GET", &format!("{home}/users"), None);
        let users: Value = serde_json::from_str(&text).unwrap();
        let found = users.as_array().unwrap().iter().find(|user| user["userName"] == "seen-by-app");
        found.is_some_and(|user| user["active"] == state)
    };
    soon("the new user", Duration::from_secs(5), || known(true));
    let disable = api(&format!("account/{}/disable", made["id"].as_str().unwrap()));
    system.call("POST", &disable, json!({ "reason": "示例" }));
    soon("the user's end", Duration::from_secs(5), || known(false));
}
