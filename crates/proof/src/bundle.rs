//! The proof file `*.yjproof`: everything needed to check one record offline, as one canonical
//! JSON object.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use yj_crypto::{from_hex, to_hex};

use crate::{
    Certificate, Envelope, Genesis, Hash, Header, KeyEntry, KeyUse, Registry, Step, StepId,
    Submission, TrustAnchor, ValidatorSet, Verdict,
    envelope::{entry_digest, short},
    fields::{Field, Salt, field_digest, field_salt, record_digest},
    merkle,
};

/// Position of a record in its submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPath {
    /// From 0.
    pub index: u64,
    /// Sibling hashes, leaf upwards.
    pub path: Vec<Hash>,
}

/// Position of a key in the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryPath {
    /// From 0.
    pub index: u64,
    /// Keys in the register.
    pub size: u64,
    /// Sibling hashes, leaf upwards.
    pub path: Vec<Hash>,
}

/// Position of a submission in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPath {
    /// From 0.
    pub index: u64,
    /// Sibling hashes, leaf upwards; the log's size is in the header.
    pub path: Vec<Hash>,
}

/// The record that is proved.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// All of it, with the salt that opens every field.
    Whole {
        /// The record.
        envelope: Envelope,
        /// Its salt.
        salt: Salt,
    },
    /// Its head and some of its fields (选择性披露).
    Partial {
        /// Everything but the body.
        head: Map<String, Value>,
        /// The salt of the record's entry; it opens no field.
        salt: Salt,
        /// All fields in their order, shown or hidden.
        fields: Vec<Field>,
    },
}

impl Record {
    fn head(&self) -> Map<String, Value> {
        match self {
            Self::Whole { envelope, .. } => envelope.head(),
            Self::Partial { head, .. } => head.clone(),
        }
    }

    fn text(&self, name: &str) -> String {
        self.head().get(name).and_then(Value::as_str).map(String::from).unwrap_or_default()
    }

    fn entry(&self) -> Result<Hash, crate::EnvelopeError> {
        match self {
            Self::Whole { envelope, salt } => envelope.entry(salt),
            Self::Partial { head, salt, fields } => {
                let digests = fields.iter().map(Field::digest).collect::<Result<Vec<_>, _>>()?;
                Ok(entry_digest(salt, &record_digest(head, &digests)?))
            }
        }
    }
}

/// Everything that proves one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The record, whole or in part.
    pub content: Record,
    /// Where it is in the submission.
    pub record: RecordPath,
    /// The submission.
    pub submission: Submission,
    /// The key that signed it.
    pub key: KeyEntry,
    /// Where the key is in the register.
    pub registry: RegistryPath,
    /// Where the submission is in the log.
    pub log: LogPath,
    /// The block that holds it, or a later one.
    pub header: Header,
    /// The validators' signatures under the header.
    pub certificate: Certificate,
    /// Who they are.
    pub validators: ValidatorSet,
    /// The beginning of the chain.
    pub genesis: Genesis,
}

const FORMAT: &str = "yjproof/1";
/// Largest bundle, in bytes.
const SIZE_MAX: usize = 1 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    envelope: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disclosure: Option<Disclosure>,
    salt: String,
    record: Path,
    submission: String,
    key: String,
    registry: SizedPath,
    log: Path,
    header: String,
    certificate: String,
    validators: String,
    genesis: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Disclosure {
    head: Map<String, Value>,
    fields: Vec<Commitment>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Commitment {
    Hidden(String),
    Shown(Opening),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    name: String,
    salt: String,
    value: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Path {
    index: u64,
    path: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SizedPath {
    index: u64,
    size: u64,
    path: Vec<String>,
}

impl Bundle {
    /// The same proof with only the fields shown for which `shown` says so, given their JSON
    /// pointer and value. `None` where the record is already shown in part.
    pub fn disclosing(&self, shown: impl Fn(&str, &Value) -> bool) -> Option<Self> {
        let Record::Whole { envelope, salt } = &self.content else { return None };
        let field = |(name, value): (String, Value)| {
            let own = field_salt(salt, &name);
            if shown(&name, &value) {
                return Some(Field::Shown { name, value, salt: own });
            }
            field_digest(&own, &name, &value).ok().map(Field::Hidden)
        };
        let fields = envelope.fields().into_iter().map(field).collect::<Option<Vec<_>>>()?;
        let content = Record::Partial { head: envelope.head(), salt: field_salt(salt, ""), fields };
        Some(Self { content, ..self.clone() })
    }

    /// The file. Fails only where the envelope cannot be canonical.
    pub fn to_bytes(&self) -> Result<Vec<u8>, crate::EnvelopeError> {
        let path = |path: &[Hash]| path.iter().map(|hash| to_hex(hash)).collect();
        let (envelope, disclosure, salt) = match &self.content {
            Record::Whole { envelope, salt } => (Some(envelope.json()), None, salt),
            Record::Partial { head, salt, fields } => {
                let fields = fields.iter().map(Commitment::of).collect();
                (None, Some(Disclosure { head: head.clone(), fields }), salt)
            }
        };
        let file = File {
            format: String::from(FORMAT),
            envelope,
            disclosure,
            salt: to_hex(salt),
            record: Path { index: self.record.index, path: path(&self.record.path) },
            submission: to_hex(&self.submission.to_bytes()),
            key: to_hex(&self.key.to_bytes()),
            registry: SizedPath {
                index: self.registry.index,
                size: self.registry.size,
                path: path(&self.registry.path),
            },
            log: Path { index: self.log.index, path: path(&self.log.path) },
            header: to_hex(&self.header.to_bytes()),
            certificate: to_hex(&self.certificate.to_bytes()),
            validators: to_hex(&self.validators.to_bytes()),
            genesis: to_hex(&self.genesis.to_bytes()),
        };
        serde_json_canonicalizer::to_vec(&file).map_err(|_| crate::EnvelopeError::Canonical)
    }

    /// Reads a file; the reason for a refusal is a sentence.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > SIZE_MAX {
            return Err(String::from("文件超过 1 MiB，不是存证证明"));
        }
        let file: File = serde_json::from_slice(bytes)
            .map_err(|_| String::from("不是存证证明文件，或内容残缺"))?;
        // One value has one file: whitespace, order and escapes are fixed.
        let canonical = serde_json_canonicalizer::to_vec(&file).unwrap_or_default();
        if canonical != bytes || file.format != FORMAT {
            return Err(String::from("文件不是规范形式，可能被改动过"));
        }
        let wrong = |part: &str| format!("{part}的字节格式不符，可能被改动过");
        let path =
            |path: &[String]| path.iter().map(|hash| from_hex(hash)).collect::<Option<Vec<Hash>>>();
        let field = |text: &str, part| bytes_of(text).ok_or_else(|| wrong(part));
        Ok(Self {
            content: content(file.envelope, file.disclosure, &file.salt)?,
            record: RecordPath {
                index: file.record.index,
                path: path(&file.record.path).ok_or_else(|| wrong("记录路径"))?,
            },
            submission: Submission::from_bytes(&field(&file.submission, "提交")?)
                .map_err(|_| wrong("提交"))?,
            key: KeyEntry::from_bytes(&field(&file.key, "密钥")?).map_err(|_| wrong("密钥"))?,
            registry: RegistryPath {
                index: file.registry.index,
                size: file.registry.size,
                path: path(&file.registry.path).ok_or_else(|| wrong("密钥路径"))?,
            },
            log: LogPath {
                index: file.log.index,
                path: path(&file.log.path).ok_or_else(|| wrong("日志路径"))?,
            },
            header: Header::from_bytes(&field(&file.header, "区块头")?)
                .map_err(|_| wrong("区块头"))?,
            certificate: Certificate::from_bytes(&field(&file.certificate, "证书")?)
                .map_err(|_| wrong("证书"))?,
            validators: ValidatorSet::from_bytes(&field(&file.validators, "验证人集合")?)
                .map_err(|_| wrong("验证人集合"))?,
            genesis: Genesis::from_bytes(&field(&file.genesis, "创世")?)
                .map_err(|_| wrong("创世"))?,
        })
    }
}

impl Commitment {
    fn of(field: &Field) -> Self {
        match field {
            Field::Shown { name, value, salt } => Self::Shown(Opening {
                name: name.clone(),
                salt: to_hex(salt),
                value: value.clone(),
            }),
            Field::Hidden(digest) => Self::Hidden(to_hex(digest)),
        }
    }

    fn read(self) -> Option<Field> {
        match self {
            Self::Hidden(digest) => Some(Field::Hidden(from_hex(&digest)?)),
            Self::Shown(Opening { name, salt, value }) => {
                Some(Field::Shown { name, value, salt: from_hex(&salt)? })
            }
        }
    }
}

/// The record, in the one form that the file chose.
fn content(
    envelope: Option<Value>,
    disclosure: Option<Disclosure>,
    salt: &str,
) -> Result<Record, String> {
    let salt = from_hex(salt).ok_or("盐的字节格式不符，可能被改动过")?;
    match (envelope, disclosure) {
        (Some(envelope), None) => {
            let envelope = Envelope::read(envelope).map_err(|error| error.to_string())?;
            Ok(Record::Whole { envelope, salt })
        }
        (None, Some(Disclosure { head, fields })) => {
            // The head alone must be that of a record.
            let mut whole = head.clone();
            whole.insert(String::from("body"), Value::Object(Map::new()));
            Envelope::read(Value::Object(whole)).map_err(|error| error.to_string())?;
            let fields = fields.into_iter().map(Commitment::read).collect::<Option<Vec<_>>>();
            let fields = fields.ok_or("所披露字段的字节格式不符，可能被改动过")?;
            Ok(Record::Partial { head, salt, fields })
        }
        _ => Err(String::from("证明文件应恰含记录原文或部分披露之一")),
    }
}

/// Lower-case hexadecimal of any even length.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| from_hex::<1>(&text[at..at + 2]).map(|[byte]| byte))
        .collect()
}

/// Checks a proof file against nothing but its own bytes and what the reader trusts.
pub fn verify(bytes: &[u8], trust: TrustAnchor) -> Verdict {
    let mut steps = Vec::new();
    let mut note = |id: StepId, result: Result<String, String>| {
        let ok = result.is_ok();
        let detail = result.unwrap_or_else(|reason| reason);
        steps.push(Step { id, title: id.title(), ok, detail });
        ok
    };
    let bundle = match Bundle::from_bytes(bytes) {
        Ok(bundle) => bundle,
        Err(reason) => {
            note(StepId::Format, Err(reason));
            return concluded(steps, None);
        }
    };
    note(StepId::Format, Ok(String::from("格式 yjproof/1")));
    let checks: [(StepId, fn(&Bundle) -> Result<String, String>); 7] = [
        (StepId::Envelope, check_envelope),
        (StepId::RecordPath, check_record_path),
        (StepId::SubmissionSignature, check_submission),
        (StepId::KeyRegistry, check_key),
        (StepId::LogPath, check_log_path),
        (StepId::Header, check_header),
        (StepId::Certificate, check_certificate),
    ];
    let sound = checks.into_iter().all(|(id, check)| note(id, check(&bundle)));
    let trusted = sound && note(StepId::Trust, check_trust(&bundle, trust));
    concluded(steps, trusted.then_some(&bundle))
}

fn concluded(steps: Vec<Step>, bundle: Option<&Bundle>) -> Verdict {
    let conclusion = match (bundle, steps.iter().find(|step| !step.ok)) {
        (Some(bundle), _) => format!(
            "该记录自存证以来未被改动（区块 {}，提交主体 {}）",
            bundle.header.height, bundle.submission.org
        ),
        (None, Some(step)) => format!("验证未通过：{}", step.detail),
        (None, None) => String::from("验证未完成"),
    };
    Verdict { ok: bundle.is_some(), conclusion, steps }
}

fn entry(bundle: &Bundle) -> Result<Hash, String> {
    bundle.content.entry().map_err(|error| error.to_string())
}

fn check_envelope(bundle: &Bundle) -> Result<String, String> {
    let hidden = match &bundle.content {
        Record::Whole { .. } => String::new(),
        Record::Partial { fields, .. } => {
            let shown = fields.iter().filter(|field| matches!(field, Field::Shown { .. })).count();
            format!("，公开 {shown} 项，{} 项仅有摘要", fields.len() - shown)
        }
    };
    Ok(format!("记录 {}，摘要 {}…{hidden}", bundle.content.text("id"), short(&entry(bundle)?)))
}

fn check_record_path(bundle: &Bundle) -> Result<String, String> {
    let (leaf, count) = (merkle::leaf(&entry(bundle)?), u64::from(bundle.submission.count));
    let root = merkle::root_from_path(leaf, bundle.record.index, count, &bundle.record.path);
    if root != Some(bundle.submission.root) {
        return Err(String::from("记录内容与提交的摘要不符：记录、盐或路径被改动过"));
    }
    Ok(format!("提交含 {count} 条记录，本条为第 {} 条", bundle.record.index + 1))
}

fn check_submission(bundle: &Bundle) -> Result<String, String> {
    let (submission, key) = (&bundle.submission, &bundle.key);
    let usage = match submission.attested_by {
        crate::AttestedBy::Enterprise => (KeyUse::Submission, submission.org.as_str()),
        crate::AttestedBy::Platform => (KeyUse::Platform, "platform"),
    };
    if submission.org != bundle.content.text("org") {
        return Err(String::from("记录的主体与提交的主体不同"));
    }
    if submission.kid != key.kid || (key.usage, key.org.as_str()) != usage {
        return Err(String::from("提交所示密钥与所附密钥不同，或用途不符"));
    }
    if !submission.is_signed_by(&key.key) {
        return Err(String::from("提交的 SM2 签名与内容不符"));
    }
    Ok(match submission.attested_by {
        crate::AttestedBy::Enterprise => {
            format!("由主体 {} 的密钥 {} 签名", submission.org, submission.kid)
        }
        crate::AttestedBy::Platform => {
            format!("由平台密钥 {} 代主体 {} 签名", submission.kid, submission.org)
        }
    })
}

fn check_key(bundle: &Bundle) -> Result<String, String> {
    let RegistryPath { index, size, path } = &bundle.registry;
    let leaf = merkle::leaf(&bundle.key.to_bytes());
    let root =
        merkle::root_from_path(leaf, *index, *size, path).map(|root| Registry::bind(*size, &root));
    if root != Some(bundle.header.registry_root) {
        return Err(String::from("密钥不在该区块的密钥登记中"));
    }
    if !bundle.key.counts_at(bundle.header.height) {
        return Err(format!("密钥在区块 {} 时无效（未启用或已吊销）", bundle.header.height));
    }
    Ok(format!(
        "密钥 {}/{} 自区块 {} 起有效",
        bundle.key.org, bundle.key.kid, bundle.key.valid_from
    ))
}

fn check_log_path(bundle: &Bundle) -> Result<String, String> {
    let leaf = merkle::leaf(&bundle.submission.to_bytes());
    let size = bundle.header.tree_size;
    let root = merkle::root_from_path(leaf, bundle.log.index, size, &bundle.log.path);
    if root != Some(bundle.header.tree_root) {
        return Err(String::from("提交不在该区块的存证日志中"));
    }
    Ok(format!("日志共 {size} 项，本提交为第 {} 项", bundle.log.index + 1))
}

fn check_header(bundle: &Bundle) -> Result<String, String> {
    let (header, chain_id) = (&bundle.header, bundle.genesis.chain_id());
    if header.chain_id != chain_id || bundle.submission.chain_id != chain_id {
        return Err(String::from("区块或提交不属于所附创世文件的链"));
    }
    if header.validators != bundle.validators.hash() {
        return Err(String::from("验证人集合与区块头不符"));
    }
    if bundle.validators != bundle.genesis.validators {
        return Err(String::from("验证人集合变更缺少变更证明"));
    }
    Ok(format!("区块 {}，标识 {}…", header.height, short(&header.block_id())))
}

fn check_certificate(bundle: &Bundle) -> Result<String, String> {
    if !bundle.certificate.commits(&bundle.header, &bundle.validators) {
        return Err(String::from("验证人签名无效，或不足三分之二"));
    }
    Ok(format!("{} 个验证人签名确认", bundle.certificate.votes.len()))
}

fn check_trust(bundle: &Bundle, trust: TrustAnchor) -> Result<String, String> {
    let chain_id = bundle.genesis.chain_id();
    match trust {
        TrustAnchor::Chain(trusted) if trusted == chain_id => {
            Ok(format!("链 {}，指纹与您给出的一致", bundle.genesis.name))
        }
        TrustAnchor::Chain(_) => Err(String::from("证明来自另一条链，与您信任的指纹不一致")),
        TrustAnchor::FromBundle => Ok(format!(
            "信任锚由证明文件自带：链 {}，指纹 {}，请与平台公布的指纹核对",
            bundle.genesis.name,
            to_hex(&chain_id)
        )),
    }
}
