//! Former codes under which the recorded messages of the fields name their subjects, so that whoever
//! sends such a message to the demonstration has it taken.

use yj_kernel::{Problem, Result};
use yj_subject::SubjectAlias;

use super::planted::subject;
use crate::Assembled;

/// Subjects and their codes on the platforms of their fields: of meat and vegetables, drugs, waybills of
/// dangerous goods, and of the examples of the other domains.
const CODES: [(&str, &str); 11] = [
    ("W1", "6101040010001"),
    ("R1", "6104030010001"),
    ("R2", "6108020010001"),
    ("Y4", "6101120020001"),
    ("X2", "6108020020001"),
    ("X1", "6108020020002"),
    ("D2", "6101180030001"),
    ("A2", "6105250030001"),
    ("E2", "6101160030001"),
    ("K2", "6103040030001"),
    ("M3", "6103030030001"),
];

pub(super) async fn load(assembled: &Assembled) -> Result<()> {
    let ctx = assembled.app.on_own_behalf("demo");
    let mut tx = ctx.begin().await?;
    for (name, code) in CODES {
        let subject = subject(&mut tx, name).await?;
        let alias = SubjectAlias {
            code: String::from(code),
            kind: String::from("merchant13"),
            subject_id: subject.id.parse().map_err(Problem::internal)?,
            note: Some(String::from("示例行业平台")),
            region: None,
        };
        tx.insert(&ctx, &alias).await?;
    }
    tx.commit().await
}
