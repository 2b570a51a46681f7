//! Fetching, computing, signing, sending.

use std::{fs, path::PathBuf, thread::sleep, time::Duration};

use clap::Args;
use serde_json::{Value, json};
use yj_crypto::{SigningKey, from_hex, to_hex};
use yj_proof::{AttestedBy, Envelope, Hash, Submission, merkle};
use yuanjian_client::Client;

use crate::key;

/// What and for whom.
#[derive(Args)]
pub(crate) struct Options {
    /// 平台地址
    #[arg(long)]
    url: String,
    /// 对接系统的编号
    #[arg(long)]
    id: String,
    /// 存放对接密钥的文件
    #[arg(long)]
    secret: PathBuf,
    /// 签名密钥文件
    #[arg(long)]
    key: PathBuf,
    /// 主体代码
    #[arg(long)]
    org: String,
    /// 密钥名称
    #[arg(long)]
    kid: String,
    /// 记住链指纹与上次序号的文件
    #[arg(long)]
    state: PathBuf,
    /// 每次提交的记录数，1 至 1000
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    batch: u16,
    /// 两次查询之间的秒数
    #[arg(long, default_value_t = 2)]
    every: u64,
    /// 签完现有的即结束
    #[arg(long)]
    once: bool,
}

/// What must never go back.
struct Memory {
    chain_id: Hash,
    seq: u64,
}

impl Options {
    fn remembered(&self) -> Result<Option<Memory>, String> {
        let Ok(text) = fs::read_to_string(&self.state) else { return Ok(None) };
        let (chain, seq) = text.trim().split_once(' ').unwrap_or_default();
        let memory = from_hex(chain).zip(seq.parse().ok());
        let damaged = || format!("{} 已损坏，请核对后再用", self.state.display());
        memory.map(|(chain_id, seq)| Some(Memory { chain_id, seq })).ok_or_else(damaged)
    }

    fn remember(&self, memory: &Memory) -> Result<(), String> {
        let fresh = self.state.with_extension("new");
        let text = format!("{} {}\n", to_hex(&memory.chain_id), memory.seq);
        let file = |error: std::io::Error| format!("{}：{error}", self.state.display());
        fs::write(&fresh, text).map_err(file)?;
        fs::File::open(&fresh).and_then(|file| file.sync_all()).map_err(file)?;
        fs::rename(&fresh, &self.state).map_err(file)
    }
}

/// Signs until there is nothing left, or for ever.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let signer = key::read(&options.key)?;
    let secret = fs::read_to_string(&options.secret).map_err(|error| error.to_string())?;
    let client = Client::token(&options.url, &options.id, secret.trim());
    loop {
        let done = round(options, &client, &signer);
        match (done, options.once) {
            (Err(reason), true) => return Err(reason),
            (Ok(0), true) => return Ok(()),
            (Ok(0), false) => sleep(Duration::from_secs(options.every)),
            (Ok(count), _) => println!("已签署 {count} 条记录"),
            (Err(reason), false) => {
                println!("{reason}");
                sleep(Duration::from_secs(options.every.max(5)));
            }
        }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    value[name].as_str().ok_or_else(|| format!("平台的答复缺少 {name}"))
}

/// The leaf of one record, computed from the record.
fn leaf(item: &Value, org: &str) -> Result<(String, Hash), String> {
    let record = text(item, "record")?;
    let envelope = serde_json::from_str(text(item, "envelope")?).map_err(|_| "原文无法读取")?;
    let envelope = Envelope::read(envelope).map_err(|error| error.to_string())?;
    if envelope.org() != org {
        return Err(format!("记录 {record} 属于 {}，不以本主体的名义签署", envelope.org()));
    }
    let salt = from_hex(text(item, "salt")?).ok_or("盐无法读取")?;
    let entry = envelope.entry(&salt).map_err(|error| error.to_string())?;
    Ok((String::from(record), merkle::leaf(&entry)))
}

/// One fetch and what it leads to: how many records were signed.
fn round(options: &Options, client: &Client, signer: &SigningKey) -> Result<usize, String> {
    let path = format!("/api/v1/ledger/unsigned?org={}", options.org);
    let found = client.call("GET", &path, None, true).map_err(|error| error.to_string())?;
    let chain_id: Hash = from_hex(text(&found, "chain_id")?).ok_or("链指纹无法读取")?;
    let next = found["next_seq"].as_u64().ok_or("平台的答复缺少 next_seq")?;
    let known = options.remembered()?;
    if let Some(Memory { chain_id: known, seq }) = known {
        if known != chain_id {
            return Err(String::from("平台的链指纹与上次不同：不是原来的存证链，已停止签名"));
        }
        if next <= seq {
            let detail = "存证链被改写或回退，已停止签名";
            return Err(format!("平台的序号 {next} 不大于本机签过的 {seq}：{detail}"));
        }
    }
    let items = found["items"].as_array().ok_or("平台的答复缺少 items")?;
    let leaves =
        items.iter().map(|item| leaf(item, &options.org)).collect::<Result<Vec<_>, _>>()?;
    if leaves.is_empty() {
        return Ok(0);
    }
    let mut submissions = Vec::new();
    for (seq, part) in (next..).zip(leaves.chunks(usize::from(options.batch))) {
        submissions.push(sign((options, signer), (chain_id, seq), part)?);
    }
    let body = json!({ "submissions": submissions });
    let answer = client.call("POST", "/api/v1/ledger/submissions", Some(&body), true);
    let answer = answer.map_err(|error| error.to_string())?;
    let answers = answer["submissions"].as_array().ok_or("平台的答复缺少 submissions")?;
    let accepted = |answer: &&Value| answer["height"].is_u64();
    let last = answers.iter().filter(accepted).filter_map(|answer| answer["seq"].as_u64()).max();
    if let Some(seq) = last {
        options.remember(&Memory { chain_id, seq })?;
    }
    if let Some(problem) = answers.iter().find(|answer| !accepted(answer)) {
        return Err(format!("提交未被接受：{}", problem["problem"]["detail"]));
    }
    Ok(leaves.len())
}

fn sign(
    (options, signer): (&Options, &SigningKey),
    (chain_id, seq): (Hash, u64),
    part: &[(String, Hash)],
) -> Result<Value, String> {
    let leaves: Vec<Hash> = part.iter().map(|(_, leaf)| *leaf).collect();
    let unsigned = Submission {
        chain_id,
        org: options.org.clone(),
        seq,
        count: u32::try_from(part.len()).map_err(|error| error.to_string())?,
        root: merkle::root(&leaves),
        kid: options.kid.clone(),
        attested_by: AttestedBy::Enterprise,
        signature: [0; 64],
    };
    let signed = Submission::sign(unsigned, signer).map_err(|error| error.to_string())?;
    Ok(json!({
        "org": signed.org, "kid": signed.kid, "seq": seq, "signature": to_hex(&signed.signature),
        "records": part.iter().map(|(record, _)| record).collect::<Vec<_>>(),
    }))
}
