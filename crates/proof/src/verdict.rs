//! What a verification found, step by step, in words for people.

use serde::Serialize;

use crate::Hash;

/// The steps of a verification, in order. The identifiers are part of the format: every
/// independent verifier reports the same ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepId {
    /// The file is a canonical bundle.
    Format,
    /// The record is well formed and can be hashed.
    Envelope,
    /// The record is part of the submission.
    RecordPath,
    /// The submission was signed by the key named.
    SubmissionSignature,
    /// The key was registered and valid at that height.
    KeyRegistry,
    /// The submission is part of the log.
    LogPath,
    /// The header names this chain, log and validators.
    Header,
    /// The validators signed the header.
    Certificate,
    /// The chain is the one the reader trusts.
    Trust,
}

impl StepId {
    /// What the step establishes, in Chinese.
    pub fn title(self) -> &'static str {
        match self {
            Self::Format => "证明文件完整且格式规范",
            Self::Envelope => "记录内容可复算摘要",
            Self::RecordPath => "记录属于该次提交",
            Self::SubmissionSignature => "提交由所示密钥签名",
            Self::KeyRegistry => "密钥在当时已登记且有效",
            Self::LogPath => "提交已收入存证日志",
            Self::Header => "区块头与链、日志、验证人一致",
            Self::Certificate => "验证人已签名确认区块",
            Self::Trust => "属于所信任的链",
        }
    }
}

/// The outcome of one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Which step.
    pub id: StepId,
    /// What it establishes.
    pub title: &'static str,
    /// Whether it holds.
    pub ok: bool,
    /// Particulars for people.
    pub detail: String,
}

/// What the reader trusts without proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustAnchor {
    /// The chain with this identifier, from a source other than the bundle.
    Chain(Hash),
    /// Nothing yet: the reader will compare the fingerprint shown with the published one.
    FromBundle,
}

/// The outcome of all steps. A step that fails ends the verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether every step holds.
    pub ok: bool,
    /// One sentence. It never says that a product is genuine: only that the record is unchanged
    /// since it was anchored.
    pub conclusion: String,
    /// The steps taken.
    pub steps: Vec<Step>,
}

impl Verdict {
    /// The first step that failed.
    pub fn failed(&self) -> Option<StepId> {
        self.steps.iter().find(|step| !step.ok).map(|step| step.id)
    }
}
