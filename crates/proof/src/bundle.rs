//! The proof file `*.yjproof`: everything needed to check one record offline, as one canonical
//! JSON object.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use yj_crypto::{from_hex, to_hex};

use crate::{
    AnchorStatement, Certificate, Envelope, Genesis, Hash, Header, KeyEntry, Note, NoteKey,
    Submission, ValidatorSet,
    envelope::entry_digest,
    fields::{Field, Salt, field_digest, field_salt, record_digest},
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

/// A block at which the validators changed, signed by those who went before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetChange {
    /// The last block of the old set.
    pub header: Header,
    /// Their signatures under it.
    pub certificate: Certificate,
    /// Who signs from the next block on.
    pub validators: ValidatorSet,
}

/// 见证: a checkpoint at or after the block, with the signatures of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    /// The checkpoint and its signatures, the log's own first.
    pub note: Note,
    /// The keys of the signatures, in their order.
    pub keys: Vec<NoteKey>,
    /// Consistency from the block's log to the checkpoint's; empty when they are the same.
    pub path: Vec<Hash>,
}

/// 外部锚定: a state of the log at or after the block that stands on another chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchored {
    /// What the platform states.
    pub statement: AnchorStatement,
    /// Consistency from the block's log to the one anchored; empty when they are the same.
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

    pub(crate) fn text(&self, name: &str) -> String {
        self.head().get(name).and_then(Value::as_str).map(String::from).unwrap_or_default()
    }

    pub(crate) fn entry(&self) -> Result<Hash, crate::EnvelopeError> {
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
    /// Every change of the validators between the two.
    pub changes: Vec<SetChange>,
    /// Who countersigned the log, if anybody did.
    pub witness: Option<Witnessed>,
    /// Where else the log stands, if anywhere.
    pub anchors: Vec<Anchored>,
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Change>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    witness: Option<Countersigned>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    anchors: Vec<Outside>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    header: String,
    certificate: String,
    validators: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Countersigned {
    checkpoint: String,
    keys: Vec<String>,
    path: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outside {
    statement: String,
    path: Vec<String>,
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
        let path = hex_path;
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
            changes: self.changes.iter().map(Change::of).collect(),
            witness: self.witness.as_ref().map(Countersigned::of),
            anchors: self.anchors.iter().map(Outside::of).collect(),
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
        let path = path_of;
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
            changes: read_all(file.changes, Change::read).ok_or_else(|| wrong("验证人变更"))?,
            witness: match file.witness {
                None => None,
                Some(witness) => Some(witness.read().ok_or_else(|| wrong("见证"))?),
            },
            anchors: read_all(file.anchors, Outside::read).ok_or_else(|| wrong("外部锚定"))?,
        })
    }
}

/// Members of a list in a file at most.
const LIST_MAX: usize = 1_000;

fn wrong(part: &str) -> String {
    format!("{part}的字节格式不符，可能被改动过")
}

fn hex_path(path: &[Hash]) -> Vec<String> {
    path.iter().map(|hash| to_hex(hash)).collect()
}

fn path_of(path: &[String]) -> Option<Vec<Hash>> {
    path.iter().map(|hash| from_hex(hash)).collect()
}

fn read_all<F, T>(items: Vec<F>, read: impl Fn(F) -> Option<T>) -> Option<Vec<T>> {
    if items.len() > LIST_MAX { None } else { items.into_iter().map(read).collect() }
}

impl Change {
    fn of(change: &SetChange) -> Self {
        Self {
            header: to_hex(&change.header.to_bytes()),
            certificate: to_hex(&change.certificate.to_bytes()),
            validators: to_hex(&change.validators.to_bytes()),
        }
    }

    fn read(self) -> Option<SetChange> {
        Some(SetChange {
            header: Header::from_bytes(&bytes_of(&self.header)?).ok()?,
            certificate: Certificate::from_bytes(&bytes_of(&self.certificate)?).ok()?,
            validators: ValidatorSet::from_bytes(&bytes_of(&self.validators)?).ok()?,
        })
    }
}

impl Countersigned {
    fn of(witnessed: &Witnessed) -> Self {
        Self {
            checkpoint: witnessed.note.to_text(),
            keys: witnessed.keys.iter().map(ToString::to_string).collect(),
            path: hex_path(&witnessed.path),
        }
    }

    fn read(self) -> Option<Witnessed> {
        Some(Witnessed {
            note: Note::read(&self.checkpoint).ok()?,
            keys: read_all(self.keys, |key| key.parse().ok())?,
            path: path_of(&self.path)?,
        })
    }
}

impl Outside {
    fn of(anchored: &Anchored) -> Self {
        let statement = to_hex(&anchored.statement.to_bytes());
        Self { statement, path: hex_path(&anchored.path) }
    }

    fn read(self) -> Option<Anchored> {
        Some(Anchored {
            statement: AnchorStatement::from_bytes(&bytes_of(&self.statement)?).ok()?,
            path: path_of(&self.path)?,
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
