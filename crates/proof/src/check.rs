//! The steps of a verification.

use yj_crypto::to_hex;

use crate::{
    AnchorStatement, Anchored, AttestedBy, Bundle, Checkpoint, Facts, Hash, KeyUse, NoteKind,
    Record, Registry, RegistryPath, Step, StepId, Trust, ValidatorSet, Verdict, Witnessed,
    envelope::short,
    fields::Field,
    merkle,
    verdict::{AnchorFact, WitnessFact},
};

/// Checks a proof file against nothing but its own bytes and what the reader trusts.
pub fn verify(bytes: &[u8], trust: &Trust) -> Verdict {
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
    let holds = checks.into_iter().all(|(id, check)| note(id, check(&bundle)))
        && note(StepId::Witness, check_witness(&bundle, trust))
        && note(StepId::Anchor, check_anchors(&bundle))
        && note(StepId::Trust, check_trust(&bundle, trust));
    concluded(steps, holds.then_some(&bundle))
}

fn concluded(steps: Vec<Step>, bundle: Option<&Bundle>) -> Verdict {
    let facts = bundle.map(facts);
    let conclusion = match (&facts, steps.iter().find(|step| !step.ok)) {
        (Some(facts), _) => facts.sentence(),
        (None, Some(step)) => format!("验证未通过：{}", step.detail),
        (None, None) => String::from("验证未完成"),
    };
    Verdict { ok: facts.is_some(), conclusion, steps, facts }
}

fn facts(bundle: &Bundle) -> Facts {
    let lines = bundle.witness.iter().flat_map(|witness| &witness.note.lines);
    let witness = |line: &crate::NoteLine| {
        Some(WitnessFact { name: line.name.clone(), time_ms: line.time_s?.saturating_mul(1_000) })
    };
    let anchor = |anchored: &Anchored| AnchorFact {
        network: anchored.statement.network.clone(),
        transaction: anchored.statement.transaction.clone(),
    };
    Facts {
        height: bundle.header.height,
        time_ms: bundle.header.time_ms,
        org: bundle.submission.org.clone(),
        kid: bundle.submission.kid.clone(),
        attested_by: bundle.submission.attested_by,
        tree_size: bundle.header.tree_size,
        checkpoint: bundle.witness.as_ref().map(|witness| witness.note.checkpoint.size),
        witnesses: lines.filter_map(witness).collect(),
        anchors: bundle.anchors.iter().map(anchor).collect(),
    }
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
        AttestedBy::Enterprise => KeyUse::Submission,
        AttestedBy::Platform => KeyUse::Platform,
    };
    if submission.org != bundle.content.text("org") {
        return Err(String::from("记录的主体与提交的主体不同"));
    }
    if submission.kid != key.kid || (key.usage, key.org.as_str()) != (usage, submission.signer()) {
        return Err(String::from("提交所示密钥与所附密钥不同，或用途不符"));
    }
    if !submission.is_signed_by(&key.key) {
        return Err(String::from("提交的 SM2 签名与内容不符"));
    }
    Ok(match submission.attested_by {
        AttestedBy::Enterprise => {
            format!("由主体 {} 的密钥 {} 签名", submission.org, submission.kid)
        }
        AttestedBy::Platform => {
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
    if &bundle.validators != validators_at(bundle)? {
        return Err(String::from("验证人集合变更缺少变更证明"));
    }
    Ok(format!("区块 {}，标识 {}…", header.height, short(&header.block_id())))
}

/// Who signs at the bundle's block: the genesis set, changed by blocks that each set signed.
fn validators_at(bundle: &Bundle) -> Result<&ValidatorSet, String> {
    let (mut set, mut height) = (&bundle.genesis.validators, 0);
    for change in &bundle.changes {
        let header = &change.header;
        let in_order = (height + 1..bundle.header.height).contains(&header.height);
        let named = header.validators == set.hash()
            && header.next_validators == change.validators.hash()
            && header.next_validators != header.validators;
        if header.chain_id != bundle.header.chain_id || !in_order || !named {
            return Err(String::from("验证人集合的变更不相衔接"));
        }
        if !change.certificate.commits(header, set) {
            return Err(format!("区块 {} 的验证人变更没有原验证人的签名", header.height));
        }
        (set, height) = (&change.validators, header.height);
    }
    Ok(set)
}

fn check_certificate(bundle: &Bundle) -> Result<String, String> {
    if !bundle.certificate.commits(&bundle.header, &bundle.validators) {
        return Err(String::from("验证人签名无效，或不足三分之二"));
    }
    Ok(format!("{} 个验证人签名确认", bundle.certificate.votes.len()))
}

/// Whether a state of the log that is spoken of elsewhere is the block's log or its continuation.
fn continues(
    bundle: &Bundle,
    (size, root): (u64, Hash),
    (height, block_id): (u64, Hash),
    path: &[Hash],
) -> bool {
    let header = &bundle.header;
    let later = size >= header.tree_size
        && height >= header.height
        && (height > header.height || block_id == header.block_id());
    later && merkle::is_consistent((header.tree_size, header.tree_root), (size, root), path)
}

fn check_witness(bundle: &Bundle, trust: &Trust) -> Result<String, String> {
    let Some(Witnessed { note, keys, path }) = &bundle.witness else {
        return if trust.witnesses.is_empty() {
            Ok(String::from("证明文件中无见证"))
        } else {
            Err(String::from("证明文件中没有您所信任的见证方的签名"))
        };
    };
    let Checkpoint { origin, size, root, height, block_id } = &note.checkpoint;
    if *origin != Checkpoint::origin_of(&bundle.header.chain_id)
        || !continues(bundle, (*size, *root), (*height, *block_id), path)
    {
        return Err(String::from("检查点不是本区块日志的延续"));
    }
    if note.lines.len() != keys.len() || note.lines.len() < 2 {
        return Err(String::from("检查点的签名与所附公钥不相对应"));
    }
    for (at, (line, key)) in note.lines.iter().zip(keys).enumerate() {
        let (kind, of_log) = (key.kind(), at == 0);
        let placed = if of_log {
            kind == NoteKind::Log && key.name() == origin && bundle.validators.holds(key.key())
        } else {
            kind == NoteKind::Witness && !keys[1..at].contains(key)
        };
        if !placed || !line.is_by(&note.checkpoint, key) {
            return Err(format!("检查点上 {} 的签名不成立", key.name()));
        }
    }
    let known = keys[1..].iter().filter(|key| trust.witnesses.contains(key)).count();
    if known == 0 && !trust.witnesses.is_empty() {
        return Err(String::from("证明文件中没有您所信任的见证方的签名"));
    }
    let names: Vec<_> = keys[1..].iter().map(crate::NoteKey::name).collect();
    let trusted = match (known, trust.witnesses.is_empty()) {
        (_, true) => String::from("，见证方公钥由证明文件自带，请与见证方公布的核对"),
        (known, false) => format!("，其中 {known} 个是您所信任的"),
    };
    Ok(format!("检查点共 {size} 项，由 {} 见证{trusted}", names.join("、")))
}

fn check_anchors(bundle: &Bundle) -> Result<String, String> {
    let mut places = Vec::new();
    for Anchored { statement, path } in &bundle.anchors {
        let AnchorStatement { size, root, height, block_id, .. } = statement;
        if statement.chain_id != bundle.header.chain_id
            || !continues(bundle, (*size, *root), (*height, *block_id), path)
        {
            return Err(String::from("外部锚定的日志不是本区块日志的延续"));
        }
        let validator = bundle.validators.find(&statement.validator);
        if !validator.is_some_and(|validator| statement.is_signed_by(&validator.key)) {
            return Err(String::from("外部锚定声明没有验证人的有效签名"));
        }
        places.push(format!("{} 的交易 {}", statement.network, statement.transaction));
    }
    Ok(match places.as_slice() {
        [] => String::from("证明文件中无外部锚定"),
        places => format!("平台声明已锚定于 {}，请在该链上核对", places.join("、")),
    })
}

fn check_trust(bundle: &Bundle, trust: &Trust) -> Result<String, String> {
    let chain_id = bundle.genesis.chain_id();
    match trust.chain {
        Some(trusted) if trusted == chain_id => {
            Ok(format!("链 {}，指纹与您给出的一致", bundle.genesis.name))
        }
        Some(_) => Err(String::from("证明来自另一条链，与您信任的指纹不一致")),
        None => Ok(format!(
            "信任锚由证明文件自带：链 {}，指纹 {}，请与平台公布的指纹核对",
            bundle.genesis.name,
            to_hex(&chain_id)
        )),
    }
}
