//! `cargo xtask schemathesis`: the running platform against its own description, by a program that
//! makes up requests. Bounded and repeatable; it needs Python and the package `schemathesis`.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    description,
    shell::{Outcome, command, output, root, run},
};

const LISTEN: &str = "127.0.0.1:18930";
const SEED: &str = "7";
/// Seconds for each role.
const SECONDS: &str = "60";
const ROLES: [&str; 6] =
    ["supervisor", "enterprise", "sysadmin", "secadmin", "auditor", "reviewer"];
/// What is broken when it happens.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
     response_headers_conformance,response_schema_conformance,negative_data_rejection,\
     missing_required_header,unsupported_method,ignored_auth";
/// What would end the session, the accounts or the run itself.
const SPARED: &str =
    "^/(api/v1/session|api/v1/me/|oauth|oidc|api/v1/account|api/v1/jobs/.*/events)";

/// A process that goes with us.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn all() -> Outcome {
    let url = format!("http://{LISTEN}/openapi.json");
    let own = ["--checks", CHECKS, "--exclude-path-regex", SPARED];
    held_against(&url, &own, &ROLES)
}

/// Who sends and reads EPCIS events.
const EPCIS_ROLE: [&str; 1] = ["enterprise"];
/// What GS1's description can tell of a server: it leaves out answers that every server gives
/// (`status_code_conformance`), and describes problems more narrowly than the standard.
const EPCIS_CHECKS: &str =
    "not_a_server_error,content_type_conformance,response_schema_conformance,ignored_auth";

/// The interface of EPCIS against GS1's own description of it, which lies in this file: it is GS1's
/// and no part of this repository.
pub(crate) fn epcis(file: &str) -> Outcome {
    let text = description::read(Path::new(file))?;
    let read = root().join("target/epcis-description.yaml");
    std::fs::write(&read, text).map_err(|error| error.to_string())?;
    let base = format!("http://{LISTEN}/epcis/v2");
    let own = ["--url", &base, "--checks", EPCIS_CHECKS];
    held_against(&read.to_string_lossy(), &own, &EPCIS_ROLE)
}

/// Has requests made up from a description, as each of these users.
fn held_against(description: &str, own: &[&str], roles: &[&str]) -> Outcome {
    let program = std::env::var("SCHEMATHESIS").unwrap_or_else(|_| String::from("schemathesis"));
    if output(&program, &["--version"]).is_none() {
        return Err(String::from(
            "没有找到 schemathesis。请执行 pip install schemathesis，或以环境变量 SCHEMATHESIS 写明程序",
        ));
    }
    run(&mut command("", "cargo", &["build", "--locked", "--quiet", "--workspace", "--bins"]))?;
    let data = root().join("target/schemathesis");
    if data.exists() {
        std::fs::remove_dir_all(&data).map_err(|error| error.to_string())?;
    }
    let _server = start(&data)?;
    let text = std::fs::read_to_string(data.join("demo-accounts.json"));
    let accounts: Value = serde_json::from_str(&text.map_err(|error| error.to_string())?)
        .map_err(|error| error.to_string())?;
    let mut failed = Vec::new();
    for role in roles {
        let (cookie, csrf) = log_in(&accounts, role)?;
        println!("== {role}");
        let (cookie, csrf) = (format!("cookie: {cookie}"), format!("x-csrf: {csrf}"));
        let arguments = [
            "run",
            description,
            "-H",
            &cookie,
            "-H",
            &csrf,
            "--phases",
            "coverage,fuzzing",
            "--max-time",
            SECONDS,
            "--seed",
            SEED,
            "--max-examples",
            "15",
            "--continue-on-failure",
            "--warnings",
            "off",
        ];
        // The session's own words are not for the log.
        let status = Command::new(&program).args(arguments).args(own).current_dir(&data).status();
        if !status.map_err(|error| error.to_string())?.success() {
            failed.push(*role);
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("接口与描述不符，见 {}", failed.join("、")))
    }
}

fn start(data: &Path) -> Outcome<Server> {
    let mut command =
        command("", "target/debug/yuanjian", &["demo", "--size", "golden", "--listen"]);
    let child = command.arg(LISTEN).arg("--data").arg(data).stdout(Stdio::piped()).spawn();
    let mut server = Server(child.map_err(|error| error.to_string())?);
    let lines = server.0.stdout.take().map(|output| BufReader::new(output).lines());
    let mut said = lines.into_iter().flatten().map_while(Result::ok);
    let found = said.any(|line| line.starts_with("源鉴已启动"));
    if found { Ok(server) } else { Err(String::from("演示平台没有启动")) }
}

/// Cookie and the word that goes with every change.
fn log_in(accounts: &Value, user: &str) -> Outcome<(String, String)> {
    let known = accounts["accounts"].as_array().into_iter().flatten();
    let mut known = known.filter(|account| account["user"] == user);
    let password = known.next().map(|account| account["password"].clone());
    let password = password.ok_or_else(|| format!("没有账号 {user}"))?;
    let body = json!({ "user": user, "password": password }).to_string();
    let request = format!(
        "POST /api/v1/session HTTP/1.1\r\nhost: {LISTEN}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut answer = String::new();
    let mut stream = TcpStream::connect(LISTEN).map_err(|error| error.to_string())?;
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
    let wrong = || format!("{user} 不能登录");
    let cookie = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("set-cookie").then(|| value.trim().split(';').next())?
    });
    let start = answer.find("\"csrf\":\"").ok_or_else(wrong)? + "\"csrf\":\"".len();
    let csrf = answer[start..].split('"').next().ok_or_else(wrong)?;
    Ok((String::from(cookie.ok_or_else(wrong)?), String::from(csrf)))
}
