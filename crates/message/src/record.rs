//! Records as plain structs, each described once: its fields, what they hold and whether they must be
//! there. Reading, writing and the published tables all follow the description.

use std::collections::BTreeMap;

use crate::{Fault, Flat, Form};

/// Whether a field must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// 必填
    Must,
    /// 选填
    May,
    /// 列表，可为空
    Many,
}

/// One field of a record.
#[derive(Debug, Clone, Copy)]
pub struct FieldSpec {
    /// Name of its element or member.
    pub name: &'static str,
    /// 中文名称
    pub label: &'static str,
    /// Whether it must be there.
    pub need: Need,
    /// What it holds.
    pub form: Form,
}

/// What a field of a struct makes of the texts that came.
pub(crate) trait Slot {
    const NEED: Need;
    fn fill(texts: Vec<String>) -> Self;
    fn texts(&self) -> Vec<&str>;
}

impl Slot for String {
    const NEED: Need = Need::Must;

    fn fill(texts: Vec<String>) -> Self {
        texts.into_iter().next().unwrap_or_default()
    }

    fn texts(&self) -> Vec<&str> {
        vec![self]
    }
}

impl Slot for Option<String> {
    const NEED: Need = Need::May;

    fn fill(texts: Vec<String>) -> Self {
        texts.into_iter().next()
    }

    fn texts(&self) -> Vec<&str> {
        self.as_deref().into_iter().collect()
    }
}

impl Slot for Vec<String> {
    const NEED: Need = Need::Many;

    fn fill(texts: Vec<String>) -> Self {
        texts
    }

    fn texts(&self) -> Vec<&str> {
        self.iter().map(String::as_str).collect()
    }
}

/// The values of a record by field, each in its normal form; or everything that is wrong with it.
pub(crate) fn check(
    flat: &Flat,
    specs: &'static [FieldSpec],
) -> Result<BTreeMap<&'static str, Vec<String>>, Vec<Fault>> {
    let (mut values, mut faults) = (BTreeMap::<_, Vec<String>>::new(), Vec::new());
    for (name, text) in &flat.fields {
        let Some(spec) = specs.iter().find(|spec| spec.name == name) else {
            let known: Vec<_> = specs.iter().map(|spec| spec.name).collect();
            let detail = format!("没有 {name} 这个字段，可用字段：{}", known.join("、"));
            faults.push(Fault::new(name, detail));
            continue;
        };
        if text.trim().is_empty() {
            continue;
        }
        let texts = values.entry(spec.name).or_default();
        if spec.need != Need::Many && !texts.is_empty() {
            faults.push(Fault::new(name, format!("{}：重复，只应有一个", spec.label)));
            continue;
        }
        match spec.form.check(text) {
            Ok(text) => texts.push(text),
            Err(detail) => {
                // Present all the same: it is not missing, it is wrong.
                texts.push(String::new());
                faults.push(Fault::new(name, format!("{}：{detail}", spec.label)));
            }
        }
    }
    let missing =
        specs.iter().filter(|spec| spec.need == Need::Must && !values.contains_key(spec.name)).map(
            |spec| Fault::new(spec.name, format!("{}：必填，{}", spec.label, spec.form.describe())),
        );
    faults.extend(missing);
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

/// Declares a record: a struct of texts in their normal forms.
macro_rules! record {
    ($(#[$meta:meta])* $record:ident, $name:literal, { $($field:ident: $slot:ty, $form:expr, $label:literal;)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct $record {
            $(#[doc = $label] pub $field: $slot,)*
        }

        impl $record {
            /// Name of its element.
            pub const NAME: &'static str = $name;
            /// Its fields.
            pub const FIELDS: &'static [$crate::FieldSpec] = &[$($crate::FieldSpec {
                name: stringify!($field),
                label: $label,
                need: <$slot as $crate::record::Slot>::NEED,
                form: $form,
            }),*];

            /// Reads it, or says everything that is wrong with it.
            pub fn of(flat: &$crate::Flat) -> Result<Self, Vec<$crate::Fault>> {
                let mut values = $crate::record::check(flat, Self::FIELDS)?;
                Ok(Self { $($field: $crate::record::Slot::fill(
                    values.remove(stringify!($field)).unwrap_or_default(),
                ),)* })
            }

            /// As it is sent.
            pub fn flat(&self, number: usize) -> $crate::Flat {
                let mut fields = Vec::new();
                $(for text in $crate::record::Slot::texts(&self.$field) {
                    fields.push((String::from(stringify!($field)), String::from(text)));
                })*
                $crate::Flat { number, name: String::from(Self::NAME), fields }
            }
        }
    };
}
pub(crate) use record;
