//! One spelling for the codes of units, whatever door they come in by ([`unit_code`]). What was
//! registered in another before there was one for all is still found by it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use yj_kernel::{Ctx, Result, Row, Sql, Tx};
use yj_model::{LotNumber, Rejected, TraceCode, lot_beside, sought_code, unit_code};

use crate::{
    balance::Objects,
    event::{Checked, Findings},
};

/// A code as it was sent, where units were registered so before there was one spelling for all.
#[derive(Debug, Clone)]
pub(crate) struct Spelling {
    pub(crate) sent: TraceCode,
    /// Why nothing new can be registered so: what claims to be of GS1, or of a drug, should be.
    pub(crate) refused: Option<Rejected>,
}

/// The domain whose goods bear 药品追溯码.
const DRUGS: &str = "drug";

/// Reads codes in the one spelling that units are registered in.
pub(crate) struct Codes<'a> {
    root: Option<&'a str>,
    of_drugs: bool,
    pub(crate) spellings: BTreeMap<(&'static str, usize), Spelling>,
    /// The lots that codes of single pieces say besides, where no other was written.
    pub(crate) lots: BTreeMap<(&'static str, usize), LotNumber>,
}

impl<'a> Codes<'a> {
    pub(crate) fn of(ctx: Option<&'a Ctx>, domain: &str) -> Self {
        let root = ctx.map(|ctx| ctx.app().platform().public_url.as_str());
        Self { root, of_drugs: domain == DRUGS, spellings: BTreeMap::new(), lots: BTreeMap::new() }
    }

    /// Notes the lot that a code of a single piece says besides, and returns it; what somebody wrote in so
    /// many words comes first, and must be the same.
    pub(crate) fn lot(
        &mut self,
        (side, line, at): (&'static str, usize, usize),
        (text, written): (&str, Option<LotNumber>),
        findings: &mut Findings,
    ) -> Option<LotNumber> {
        let said = lot_beside(text).and_then(|lot| lot.parse::<LotNumber>().ok());
        let Some(said) = said.filter(|_| self.root.is_some()) else { return written };
        match written {
            None => {
                self.lots.insert((side, line), said.clone());
                Some(said)
            }
            Some(written) => {
                if written != said {
                    let detail = format!("追溯码中写的批次号是 {said}，与此处的 {written} 不一致");
                    findings.add(format!("{side}[{at}].lot"), detail);
                }
                Some(written)
            }
        }
    }

    /// The code of the line that will be this one of its side, and is that one as sent.
    pub(crate) fn read(
        &mut self,
        (side, line, at): (&'static str, usize, usize),
        text: &str,
        findings: &mut Findings,
    ) -> Option<TraceCode> {
        let sent = text.parse::<TraceCode>();
        let Some(root) = self.root else {
            return sent.map_err(|error| findings.add(field(side, at), error.to_string())).ok();
        };
        let mut code = unit_code(text, root);
        if self.of_drugs {
            code = code.and_then(of_drug);
        }
        match (code, sent) {
            (Ok(code), Ok(sent)) if code == sent => Some(code),
            (Ok(code), Ok(sent)) => {
                self.spellings.insert((side, line), Spelling { sent, refused: None });
                Some(code)
            }
            (Ok(code), Err(_)) => Some(code),
            (Err(error), Ok(sent)) => {
                let spelling = Spelling { sent: sent.clone(), refused: Some(error) };
                self.spellings.insert((side, line), spelling);
                Some(sent)
            }
            (Err(error), Err(_)) => {
                findings.add(field(side, at), error.to_string());
                None
            }
        }
    }
}

fn field(side: &str, at: usize) -> String {
    format!("{side}[{at}].code")
}

/// Refuses what is meant for a 药品追溯码 and is none (NMPAB/T 1002): of numbers only these have about
/// as many digits.
fn of_drug(code: TraceCode) -> Result<TraceCode, Rejected> {
    let text = code.as_str();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let length = text.len();
    if !digits || !(19..=21).contains(&length) || (length == 20 && text.starts_with('8')) {
        return Ok(code);
    }
    let what =
        if length == 20 { format!("首位为 {}", &text[..1]) } else { format!("{length} 位") };
    Err(Rejected(format!("药品追溯码应为 20 位数字、以 8 开头，现为 {what}")))
}

impl Checked {
    /// Goes back to codes as they were sent where a unit is registered so; refuses those of which none
    /// is, and none can be.
    pub(crate) fn respell(&mut self, is_registered: impl Fn(&str) -> bool) -> Result<()> {
        let mut findings = Findings::none();
        let mut renamed = false;
        for ((side, at), spelling) in std::mem::take(&mut self.spellings) {
            if !is_registered(spelling.sent.as_str()) {
                if let Some(error) = spelling.refused {
                    findings.add(field(side, at), error.to_string());
                }
                continue;
            }
            let code = match side {
                "inputs" => &mut self.inputs[at].code,
                _ => &mut self.outputs[at].code,
            };
            if *code != spelling.sent {
                self.body[side][at]["code"] = json!(spelling.sent);
                *code = spelling.sent;
                renamed = true;
            }
        }
        findings.refuse()?;
        if renamed {
            self.digest = self.digest_now(true)?;
        }
        Ok(())
    }
}

impl Checked {
    /// Refuses codes that say another lot than that of the piece which they name.
    pub(crate) fn require_lots_said(&self, objects: &Objects) -> Result<()> {
        let mut findings = Findings::none();
        for ((side, at), said) in &self.lots_said {
            let code = match *side {
                "inputs" => &self.inputs[*at].code,
                _ => &self.outputs[*at].code,
            };
            let lot = objects.get(code.as_str()).and_then(|object| object.lot.as_deref());
            if lot.is_some_and(|lot| lot != said.as_str()) {
                let detail = format!("{code} 登记的批次号不是 {said}，请核对追溯码中的 (10)");
                findings.add(field(side, *at), detail);
            }
        }
        findings.refuse()
    }
}

/// The code that somebody asks for: as it is written where a unit may be registered so, else in the one
/// spelling.
pub(crate) fn asked(text: &str) -> Result<TraceCode, Rejected> {
    text.parse().or_else(|_| sought_code(text))
}

/// The one spelling of a code that has another.
pub(crate) fn other(code: &str) -> Option<TraceCode> {
    sought_code(code).ok().filter(|one| one.as_str() != code)
}

/// Those of some codes that are registered as they are.
pub(crate) async fn registered(tx: &mut Tx, codes: BTreeSet<&str>) -> Result<BTreeSet<String>> {
    if codes.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut sql = Sql::new("SELECT code FROM trace_object WHERE code ");
    sql.bind_texts(codes);
    let code = |row: &Row| row.text(0).map(String::from);
    tx.fetch(sql).await?.iter().map(code).collect()
}

/// Decides which spelling the codes of some events have: one in which a unit is registered, else the one
/// for all.
pub(crate) async fn settle(tx: &mut Tx, checked: &mut [Result<Checked>]) -> Result<()> {
    let events = || checked.iter().filter_map(|event| event.as_ref().ok());
    let sent: BTreeSet<&str> =
        events().flat_map(|event| event.spellings.values()).map(|one| one.sent.as_str()).collect();
    if sent.is_empty() {
        return Ok(());
    }
    let known = registered(tx, sent).await?;
    for event in checked {
        if let Ok(spelled) = event
            && let Err(problem) = spelled.respell(|code| known.contains(code))
        {
            *event = Err(problem);
        }
    }
    Ok(())
}
