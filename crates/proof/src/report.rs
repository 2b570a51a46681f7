//! What a reader gives and is told, in words: the same for every program that verifies.

use std::fmt;

use yj_crypto::from_hex;

use crate::{
    AttestedBy, Facts, Trust, Verdict,
    verdict::{AnchorFact, WitnessFact, beijing},
};

impl Trust {
    /// From what a person gives: a fingerprint of 64 digits, and verifier keys of witnesses. The
    /// reason for a refusal is a sentence.
    pub fn from_words(fingerprint: Option<&str>, witnesses: &[String]) -> Result<Self, String> {
        let chain = fingerprint.map(|text| from_hex(text).ok_or("指纹应为 64 位小写十六进制"));
        let witness = |text: &String| {
            text.parse().map_err(|_| format!("{text} 不是见证方公钥：应为 名称+标识+公钥"))
        };
        let witnesses = witnesses.iter().map(witness).collect::<Result<_, _>>()?;
        Ok(Self { chain: chain.transpose()?, witnesses })
    }
}

impl Verdict {
    /// One line of JSON.
    pub fn to_json(&self) -> String {
        // Texts, numbers and lists: nothing that could fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Step by step, then what is established. It never says that a product is genuine.
impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            let outcome = if step.ok { "通过" } else { "未通过" };
            writeln!(formatter, "{outcome} {}：{}", step.title, step.detail)?;
        }
        writeln!(formatter, "结论：{}", self.conclusion)?;
        let Some(facts) = &self.facts else { return Ok(()) };
        write!(formatter, "{facts}")
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signer = match self.attested_by {
            AttestedBy::Enterprise => format!("主体 {} 自己的密钥 {}", self.org, self.kid),
            AttestedBy::Platform => format!("平台密钥 {}，代主体 {}", self.kid, self.org),
        };
        let (height, size) = (self.height, self.tree_size);
        writeln!(formatter, "存证：{}，区块 {height}，日志共 {size} 项", beijing(self.time_ms))?;
        writeln!(formatter, "签名：{signer}")?;
        match self.checkpoint {
            None => writeln!(formatter, "见证：无")?,
            Some(size) => writeln!(formatter, "见证：日志 {size} 项时的检查点")?,
        }
        for WitnessFact { name, time_ms } in &self.witnesses {
            writeln!(formatter, "  {name}，{}", beijing(*time_ms))?;
        }
        if self.anchors.is_empty() {
            writeln!(formatter, "外部锚定：无")?;
        }
        for AnchorFact { network, transaction } in &self.anchors {
            writeln!(
                formatter,
                "外部锚定：平台声明在 {network} 的交易 {transaction}，须在该链上核对"
            )?;
        }
        writeln!(formatter, "以上只说明记录自存证以来未被改动、由谁签名，不说明产品真伪。")
    }
}
