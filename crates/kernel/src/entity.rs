//! A business record described as data (§5.3 数据资源层: one description for storage, checking,
//! forms, import, export and the data dictionary).

use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Ctx, Kind, Problem, Result, Scoping, Spread, Sql, Tx, code_list,
    field::Field,
    json::{self, Object},
    problem::FieldError,
};

/// A Rust type whose values are records of one table.
pub trait Resource: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Table, and the stem of its permissions (`device:read`) and events (`device.created`).
    const TABLE: &'static str;
    /// 中文名称.
    const TITLE: &'static str;
    /// Every field, in the order people read them.
    const FIELDS: &'static [Field];
    /// Who may see a record.
    const SCOPING: Scoping;
    /// Whether changes wait for a second person.
    const REVIEWED: bool = false;

    /// How a field that holds a structure spreads over the columns of files.
    const SPREAD: Option<Spread> = None;

    /// Whether a record can be removed; those that others refer to for ever are closed instead.
    const REMOVABLE: bool = true;

    /// Fills what the record implies and checks rules that need more than one field, or other
    /// records. Single-field rules belong to the field.
    fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> impl Future<Output = Result<()>> + Send {
        let _ = (ctx, tx);
        async { Ok(()) }
    }

    /// What only a new record must fulfil (`before` is none), or one that changes. It comes after
    /// [`Resource::check`], and again when a reviewed change is written.
    fn admit(
        &self,
        before: Option<&Self>,
        ctx: &Ctx,
        tx: &mut Tx,
    ) -> impl Future<Output = Result<()>> + Send
    where
        Self: Sized,
    {
        let _ = (before, ctx, tx);
        async { Ok(()) }
    }

    /// The record that used to have this code, where the register keeps former ones.
    fn formerly(tx: &mut Tx, code: &str) -> impl Future<Output = Result<Option<String>>> + Send {
        let _ = (tx, code);
        async { Ok(None) }
    }

    /// What follows from a change that has just been written, in the same transaction; an error
    /// undoes it.
    fn follow(
        ctx: &Ctx,
        tx: &mut Tx,
        change: &Changed<'_, Self>,
    ) -> impl Future<Output = Result<()>> + Send
    where
        Self: Sized,
    {
        let _ = (ctx, tx, change);
        async { Ok(()) }
    }

    /// A valid record, different for every `n`; lets one test exercise every register.
    fn sample(n: u32) -> Self;
}

/// A change of one record: made (`before` is none), changed, or removed (`after` is none).
pub struct Changed<'a, R> {
    /// Which record.
    pub id: &'a str,
    /// As it was.
    pub before: Option<&'a R>,
    /// As it is now.
    pub after: Option<&'a R>,
}

/// The same without the type.
pub(crate) struct Difference<'a> {
    pub(crate) id: &'a str,
    pub(crate) before: Option<&'a Object>,
    pub(crate) after: Option<&'a Object>,
}

/// Checks a record against itself, others, and what it was before.
type Check =
    for<'a> fn((Object, Option<&'a Object>), &'a Ctx, &'a mut Tx) -> BoxFuture<'a, Result<Object>>;

/// A [`Resource`] without its type: all the generic machinery works on this, so it is compiled
/// once and not once per resource.
#[derive(Clone, Copy)]
pub struct Entity {
    /// See [`Resource::TABLE`].
    pub table: &'static str,
    /// See [`Resource::TITLE`].
    pub title: &'static str,
    /// See [`Resource::FIELDS`].
    pub fields: &'static [Field],
    /// See [`Resource::SCOPING`].
    pub scoping: Scoping,
    /// See [`Resource::REVIEWED`].
    pub reviewed: bool,
    /// See [`Resource::REMOVABLE`].
    pub removable: bool,
    /// See [`Resource::SPREAD`].
    pub(crate) spread: Option<Spread>,
    names: fn() -> &'static [&'static str],
    check: Check,
    formerly: for<'a> fn(&'a mut Tx, &'a str) -> BoxFuture<'a, Result<Option<String>>>,
    follow: for<'a> fn(&'a Ctx, &'a mut Tx, Difference<'a>) -> BoxFuture<'a, Result<()>>,
    sample: fn(u32) -> Result<Object>,
}

impl Entity {
    /// The description of `R`.
    pub const fn of<R: Resource>() -> &'static Self {
        const {
            &Self {
                table: R::TABLE,
                title: R::TITLE,
                fields: R::FIELDS,
                scoping: R::SCOPING,
                reviewed: R::REVIEWED,
                removable: R::REMOVABLE,
                spread: R::SPREAD,
                names: names::<R>,
                check: check::<R>,
                formerly: formerly::<R>,
                follow: follow::<R>,
                sample: sample::<R>,
            }
        }
    }

    /// The fields of the Rust type, in order. A test holds them equal to [`Entity::fields`].
    pub fn type_fields(&self) -> &'static [&'static str] {
        (self.names)()
    }

    /// See [`Resource::sample`].
    pub fn sample(&self, n: u32) -> Result<Object> {
        (self.sample)(n)
    }

    /// The field called `name`.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The same register with its fields described anew.
    pub(crate) const fn with_fields(&self, fields: &'static [Field]) -> Self {
        Self { fields, ..*self }
    }

    /// `trace_subject:read` and the like.
    pub fn permission(&self, verb: &str) -> String {
        format!("{}:{verb}", self.table)
    }

    /// Turns a client's JSON into a checked record, or says everything that is wrong with it.
    /// `before` is the stored record that it is to replace.
    pub(crate) async fn accept(
        &self,
        (object, before): (Object, Option<&Object>),
        ctx: &Ctx,
        tx: &mut Tx,
    ) -> Result<Object> {
        let present = code_list::present(ctx.app(), tx, self).await?;
        let mut object = present.normalise(object)?;
        self.require_days((&mut object, before), ctx)?;
        self.require_references(&object, tx).await?;
        (self.check)((object, before), ctx, tx).await
    }

    /// See [`Resource::formerly`].
    pub(crate) async fn formerly(&self, tx: &mut Tx, code: &str) -> Result<Option<String>> {
        (self.formerly)(tx, code).await
    }

    /// See [`Resource::follow`].
    pub(crate) async fn follow(
        &self,
        ctx: &Ctx,
        tx: &mut Tx,
        difference: Difference<'_>,
    ) -> Result<()> {
        (self.follow)(ctx, tx, difference).await
    }

    /// A day of registration is past, and what is registered does not lose it.
    fn require_days(
        &self,
        (object, before): (&mut Object, Option<&Object>),
        ctx: &Ctx,
    ) -> Result<()> {
        let mut errors = Vec::new();
        for field in self.fields.iter().filter(|field| field.day_of_entry) {
            let stored = before.and_then(|before| before.get(field.name));
            let Some(value) = object.get_mut(field.name) else { continue };
            if let (Value::Null, Some(stored)) = (&*value, stored) {
                *value = stored.clone();
            }
            if stored.is_some_and(|stored| stored == value) {
                continue;
            }
            if let Err(detail) = Field::require_past(value, ctx.today()) {
                let detail = format!("{}：{detail}", field.label);
                errors.push(FieldError { field: String::from(field.name), detail });
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(Problem::Invalid(errors)) }
    }

    /// A new record with its day of registration, where it does not say another.
    pub(crate) fn dated(&self, mut object: Object, ctx: &Ctx) -> Object {
        for field in self.fields.iter().filter(|field| field.day_of_entry) {
            let day = object.entry(field.name).or_insert(Value::Null);
            let blank = day.is_null() || day.as_str().is_some_and(|text| text.trim().is_empty());
            if blank {
                *day = ctx.today().to_string().into();
            }
        }
        object
    }

    /// A record may only name records that exist.
    async fn require_references(&self, object: &Object, tx: &mut Tx) -> Result<()> {
        for field in self.fields {
            let Kind::Id(table) = field.kind else { continue };
            let Some(id) = object.get(field.name).and_then(Value::as_str) else {
                continue;
            };
            let mut sql = Sql::new("SELECT 1 FROM ");
            sql.push(table).push(" WHERE id = ").bind(id);
            if tx.fetch_one(sql).await?.is_none() {
                let detail = format!("{}：所指的记录不存在", field.label);
                return Err(Problem::invalid(field.name, detail));
            }
        }
        Ok(())
    }

    /// A body in its normal form as far as it is sound, so that a number written otherwise is no
    /// change; what is wrong with it is said when it is accepted.
    pub(crate) fn sought(&self, stored: &Object, body: &Object) -> Object {
        let value = |field: &Field| {
            let sent = body.get(field.name).cloned().unwrap_or_default();
            let known = || stored.get(field.name).cloned().unwrap_or_default();
            if field.computed { known() } else { field.accept(sent.clone()).unwrap_or(sent) }
        };
        self.fields.iter().map(|field| (String::from(field.name), value(field))).collect()
    }

    /// Checks each field by its description, so that all mistakes are named at once.
    pub(crate) fn normalise(&self, mut object: Object) -> Result<Object> {
        let mut errors = Vec::new();
        let mut accepted = Object::new();
        for field in self.fields {
            let value = object.remove(field.name).unwrap_or_default();
            match field.accept(value) {
                Ok(value) => {
                    accepted.insert(String::from(field.name), value);
                }
                Err(detail) => errors.push(FieldError {
                    field: String::from(field.name),
                    detail: format!("{}：{detail}", field.label),
                }),
            }
        }
        errors.extend(self.fields.iter().filter_map(|field| {
            let need = field.need?;
            let absent = accepted.get(field.name).is_some_and(Value::is_null);
            let detail = || format!("{}：必填（{}）", field.label, need.said);
            let missing = absent && (need.holds)(&accepted);
            missing.then(|| FieldError { field: String::from(field.name), detail: detail() })
        }));
        let known = || self.fields.iter().map(|field| field.name).collect::<Vec<_>>().join("、");
        errors.extend(object.keys().map(|name| FieldError {
            field: name.clone(),
            detail: format!("没有 {name} 这个字段，可用字段：{}", known()),
        }));
        if errors.is_empty() { Ok(accepted) } else { Err(Problem::Invalid(errors)) }
    }
}

fn check<'a, R: Resource>(
    (object, before): (Object, Option<&'a Object>),
    ctx: &'a Ctx,
    tx: &'a mut Tx,
) -> BoxFuture<'a, Result<Object>> {
    Box::pin(async move {
        let mut typed: R = json::typed(object.into())?;
        typed.check(ctx, tx).await?;
        let before = before.map(|before| crate::record::typed::<R>(before.clone())).transpose()?;
        typed.admit(before.as_ref(), ctx, tx).await?;
        to_object(&typed)
    })
}

fn formerly<'a, R: Resource>(
    tx: &'a mut Tx,
    code: &'a str,
) -> BoxFuture<'a, Result<Option<String>>> {
    Box::pin(R::formerly(tx, code))
}

fn follow<'a, R: Resource>(
    ctx: &'a Ctx,
    tx: &'a mut Tx,
    difference: Difference<'a>,
) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        let typed = |object: Option<&Object>| {
            object.map(|object| crate::record::typed::<R>(object.clone())).transpose()
        };
        let (before, after) = (typed(difference.before)?, typed(difference.after)?);
        let (before, after) = (before.as_ref(), after.as_ref());
        R::follow(ctx, tx, &Changed { id: difference.id, before, after }).await
    })
}

fn sample<R: Resource>(n: u32) -> Result<Object> {
    to_object(&R::sample(n))
}

/// A resource as its JSON object.
pub(crate) fn to_object<R: Serialize>(record: &R) -> Result<Object> {
    match serde_json::to_value(record) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Problem::internal("a resource must serialize to a JSON object")),
    }
}

/// Asks serde for the field names of a struct, by pretending to deserialize one.
fn names<R: DeserializeOwned>() -> &'static [&'static str] {
    struct Probe<'a>(&'a mut &'static [&'static str]);

    impl<'de> serde::Deserializer<'de> for Probe<'_> {
        type Error = serde::de::value::Error;

        fn deserialize_struct<V: serde::de::Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            *self.0 = fields;
            self.deserialize_any(visitor)
        }

        fn deserialize_any<V: serde::de::Visitor<'de>>(
            self,
            _: V,
        ) -> Result<V::Value, Self::Error> {
            Err(serde::de::Error::custom("only the names were wanted"))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut names: &'static [&'static str] = &[];
    // Always an error: the probe only listens.
    let _ = R::deserialize(Probe(&mut names));
    names
}
