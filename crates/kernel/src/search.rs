//! 名称检索 (G-6.2.3): any part of a name, of its pinyin, or of the initials of its pinyin, found
//! by an index on both engines.
//!
//! What is searched is the name's [`form`], kept beside it in the column `…_search`. PostgreSQL
//! keeps the pairs of letters in it in a third column, `…_grams`, with an index of them (GIN). SQLite keeps every run of two or three
//! letters as a word of a full-text table `…_words`, where a phrase of them is exactly a part of
//! the text.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    Db, Dialect, Entity, Field, Match, Result, Sql, SqlValue, Tx, json::Object, reading::readings,
};

/// Stands after the last letter of a line, so that every letter is the beginning of a word.
const END: char = 'ǃ';

/// More matches than this are not looked up one by one: reading along the order finds them soon.
const FEW: i64 = 10_000;

/// Only letters and digits, small, full-width forms made half-width.
fn letters(text: &str) -> String {
    let small = text.chars().map(yj_model::narrow).flat_map(char::to_lowercase);
    small.filter(|letter| letter.is_alphanumeric()).collect()
}

/// What is searched of a name: its letters, then its pinyin and its initials, one a line, in each
/// way it may be read.
fn form(name: &str) -> String {
    let letters: Vec<char> = letters(name).chars().collect();
    let readings = readings(&letters);
    let mut lines = vec![letters.iter().collect::<String>()];
    if readings.iter().flatten().all(Option::is_none) {
        return lines.remove(0);
    }
    for reading in readings {
        let (mut whole, mut initials) = (String::new(), String::new());
        for (letter, spoken) in letters.iter().zip(reading) {
            if let Some(spoken) = spoken {
                whole.push_str(spoken);
                initials.extend(spoken.chars().next());
            } else {
                whole.push(*letter);
                initials.push(*letter);
            }
        }
        for line in [letters_of_pinyin(&whole), letters_of_pinyin(&initials)] {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines.join("\n")
}

/// People type `lv` for 绿.
fn letters_of_pinyin(text: &str) -> String {
    text.replace('ü', "v")
}

/// The searched fields of a register.
pub(crate) fn fields(entity: &Entity) -> impl Iterator<Item = &'static Field> {
    entity.fields.iter().filter(|field| field.filter == Match::Name)
}

/// The column beside a searched field.
fn column(field: &Field) -> String {
    format!("{}_search", field.name)
}

/// A part of a name as it is looked for; an empty text looks for nothing.
pub(crate) fn wanted(text: &str) -> String {
    letters_of_pinyin(&letters(text))
}

/// Letters of the word that begins at a letter: Latin ones say less each.
fn width(letter: char) -> usize {
    if letter.is_ascii() { 3 } else { 2 }
}

/// The words of a form in the full-text table, one for every letter: it and those that follow.
fn words(form: &str) -> String {
    let mut words = Vec::new();
    for line in form.lines() {
        let letters: Vec<char> = line.chars().collect();
        for (at, letter) in letters.iter().enumerate() {
            let following = letters[at..].iter().copied().chain(std::iter::repeat(END));
            words.push(following.take(width(*letter)).collect::<String>());
        }
    }
    words.join(" ")
}

/// The phrase that finds a part in the full-text table: the words that lie wholly within it, and
/// the beginning of one for what is left.
fn phrase(field: &Field, part: &str) -> String {
    let letters: Vec<char> = part.chars().collect();
    let (mut found, mut reached) = (Vec::new(), 0);
    let mut beginning = "";
    for at in 0..letters.len() {
        let end = at + width(letters[at]);
        if end <= letters.len() {
            found.push(letters[at..end].iter().collect::<String>());
            reached = end;
        } else {
            if reached < letters.len() {
                found.push(letters[at..].iter().collect());
                beginning = " *";
            }
            break;
        }
    }
    format!("{} : \"{}\"{beginning}", field.name, found.join(" "))
}

fn pairs(line: &str) -> impl Iterator<Item = String> {
    let following = line.chars().skip(1);
    line.chars().zip(following).map(|(first, second)| String::from_iter([first, second]))
}

/// The pairs of a form, and its Chinese letters alone, each once.
fn grams(form: &str) -> String {
    let alone = form.chars().filter(|letter| !letter.is_ascii()).map(String::from);
    let grams: BTreeSet<_> = form.lines().flat_map(pairs).chain(alone).collect();
    grams.into_iter().collect::<Vec<_>>().join(" ")
}

/// Those of them that every form with this part has; nothing for one Latin letter.
fn grams_wanted(part: &str) -> String {
    let mut letters = part.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if !letter.is_ascii() => String::from(part),
        _ => pairs(part).collect::<Vec<_>>().join(" "),
    }
}

/// The columns beside a searched field, with what they hold on this engine.
pub(crate) fn columns(dialect: Dialect, field: &Field, value: &Value) -> Vec<(String, SqlValue)> {
    let form = value.as_str().map(form);
    let grams = (dialect == Dialect::Postgres)
        .then(|| (format!("{}_grams", field.name), form.as_deref().map(grams).into()));
    grams.into_iter().chain([(column(field), form.into())]).collect()
}

fn table(entity: &Entity) -> String {
    format!("{}_words", entity.table)
}

/// How many rows of the full-text table a phrase finds, up to a number.
async fn matching(tx: &mut Tx, (table, phrase): (&str, &str), most: i64) -> Result<i64> {
    let asked = format!("{table} {most} {phrase}");
    if let Some(found) = tx.searched.get(&asked) {
        return Ok(*found);
    }
    let mut sql = Sql::new("SELECT COUNT(*) FROM (SELECT 1 FROM ");
    sql.push(table).push(" WHERE ").push(table).push(" MATCH ").bind(phrase);
    sql.push(" LIMIT ").bind(most).push(")");
    let found = tx.fetch_one(sql).await?.map_or(Ok(0), |row| row.int(0))?;
    tx.searched.insert(asked, found);
    Ok(found)
}

/// How many records of all contain a part, up to a number, where the index alone can say it.
pub(crate) async fn size(
    tx: &mut Tx,
    entity: &Entity,
    (field, part): (&'static Field, &str),
    most: i64,
) -> Result<Option<i64>> {
    if tx.dialect() != Dialect::Sqlite {
        return Ok(None);
    }
    matching(tx, (&table(entity), &phrase(field, part)), most).await.map(Some)
}

/// Limits a statement to records whose field contains a part.
pub(crate) async fn narrow(
    sql: &mut Sql,
    tx: &mut Tx,
    entity: &Entity,
    (field, part): (&'static Field, &str),
) -> Result<()> {
    match tx.dialect() {
        Dialect::Sqlite => {
            let (table, phrase) = (table(entity), phrase(field, part));
            let found = matching(tx, (&table, &phrase), FEW + 1).await?;
            if found <= FEW {
                sql.push("id IN (SELECT id FROM ").push(&table).push(" WHERE ").push(&table);
                sql.push(" MATCH ").bind(phrase).push(")");
                return Ok(());
            }
        }
        Dialect::Postgres => {
            let grams = grams_wanted(part);
            if !grams.is_empty() {
                sql.push("string_to_array(").push(field.name).push("_grams, ' ') @> ");
                sql.push("string_to_array(").bind(grams).push(", ' ') AND ");
            }
        }
    }
    // One or two letters are a gram themselves; but where rows are read in order, this is the
    // cheaper question and asked first.
    let position_of = tx.dialect().position_of();
    sql.push(position_of).push("(").push(&column(field)).push(", ").bind(part).push(") > 0");
    Ok(())
}

/// Keeps the full-text table of SQLite at what a record now says; nothing where that has not
/// changed, and on engines that index the column itself.
pub(crate) fn keep(
    tx: &mut Tx,
    entity: &Entity,
    id: &str,
    (before, after): (Option<&Object>, Option<&Object>),
) {
    if tx.dialect() != Dialect::Sqlite || fields(entity).next().is_none() {
        return;
    }
    let of = |object: Option<&Object>| {
        let object = object?;
        let text = |field: &Field| object.get(field.name).and_then(Value::as_str);
        let form = |field: &Field| text(field).map(form).unwrap_or_default();
        Some(fields(entity).map(form).collect::<Vec<_>>())
    };
    let (before, after) = (of(before), of(after));
    if before != after {
        tx.later(words_of(entity, id, (before.is_some(), after)));
    }
}

/// Puts what a record now says in the place of what the full-text table has of it.
fn words_of(entity: &Entity, id: &str, (known, after): (bool, Option<Vec<String>>)) -> Vec<Sql> {
    let table = table(entity);
    let mut statements = Vec::new();
    if known {
        let mut sql = Sql::new("DELETE FROM ");
        sql.push(&table).push(" WHERE rowid IN (SELECT rowid FROM ").push(&table);
        sql.push(" WHERE ").push(&table).push(" MATCH ").bind(format!("owner : \"{id}\""));
        sql.push(")");
        statements.push(sql);
    }
    if let Some(forms) = after {
        let mut sql = Sql::new("INSERT INTO ");
        sql.push(&table).push(" (id, owner");
        for field in fields(entity) {
            sql.push(", ").push(field.name);
        }
        sql.push(") VALUES (").bind(id).push(", ").bind(id);
        for form in forms {
            sql.push(", ").bind(words(&form));
        }
        sql.push(")");
        statements.push(sql);
    }
    statements
}

/// Which way of writing forms is in use; it grows with every change of [`form`].
const EDITION: i64 = 2;
/// Records gone through in one transaction.
const CHUNK: i64 = 500;

/// Writes the forms of records anew that were written in an earlier way: once after an upgrade, in
/// small steps that go on where they were interrupted. Called before anybody is served.
pub async fn renew(db: &Db, entities: &[&Entity]) -> Result<()> {
    for entity in entities.iter().filter(|entity| fields(entity).next().is_some()) {
        while !renew_some(db, entity).await? {}
    }
    Ok(())
}

/// One step; whether it was the last.
async fn renew_some(db: &Db, entity: &Entity) -> Result<bool> {
    let mut tx = db.begin().await?;
    let known = Sql::new("SELECT edition, reached FROM search_form WHERE entity = $1");
    let known = tx.fetch_one(known.arg(entity.table)).await?;
    let reached = match &known {
        Some(row) if row.int(0)? == EDITION => return Ok(true),
        Some(row) => String::from(row.text(1)?),
        None => String::new(),
    };
    let fields: Vec<_> = fields(entity).collect();
    let mut sql = Sql::new("SELECT id");
    for field in &fields {
        sql.push(", ").push(field.name).push(", ").push(&column(field));
    }
    sql.push(" FROM ").push(entity.table).push(" WHERE id > ").bind(reached.as_str());
    sql.push(" ORDER BY id LIMIT ").bind(CHUNK);
    let rows = tx.fetch(sql).await?;
    let (mut statements, mut last) = (Vec::new(), reached);
    for row in &rows {
        let (mut set, mut forms, mut differs) = (Vec::new(), Vec::new(), false);
        for (at, field) in fields.iter().enumerate() {
            let name = row.text_opt(2 * at + 1)?;
            let now = name.map(form);
            differs |= now.as_deref() != row.text_opt(2 * at + 2)?;
            set.extend(columns(tx.dialect(), field, &name.map_or(Value::Null, Value::from)));
            forms.push(now.unwrap_or_default());
        }
        last = String::from(row.text(0)?);
        if !differs {
            continue;
        }
        let mut sql = Sql::new("UPDATE ");
        sql.push(entity.table).push(" SET ");
        for (at, (name, value)) in set.into_iter().enumerate() {
            sql.push(if at == 0 { "" } else { ", " }).push(&name).push(" = ").bind(value);
        }
        sql.push(" WHERE id = ").bind(last.as_str());
        statements.push(sql);
        if tx.dialect() == Dialect::Sqlite {
            statements.extend(words_of(entity, &last, (true, Some(forms))));
        }
    }
    let done = i64::try_from(rows.len()).is_ok_and(|count| count < CHUNK);
    let note = Sql::new(
        "INSERT INTO search_form (entity, edition, reached) VALUES ($1, $2, $3) \
         ON CONFLICT (entity) DO UPDATE SET edition = excluded.edition, reached = excluded.reached",
    );
    // A later edition goes through all of them again.
    let (edition, reached) = if done { (EDITION, "") } else { (0, last.as_str()) };
    statements.push(note.arg(entity.table).arg(edition).arg(reached));
    tx.later(statements);
    tx.commit().await?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_its_letters_its_pinyin_and_its_initials() {
        let form = form("示例绿源（重庆）Ａ3 厂");
        let lines: Vec<_> = form.lines().collect();
        assert_eq!(lines[0], "示例绿源重庆a3厂");
        assert_eq!(&lines[1..3], ["shililvyuanzhongqinga3chang", "sllyzqa3c"]);
        assert!(lines.contains(&"shililvyuanchongqinga3chang") && lines.contains(&"sllycqa3c"));
        assert_eq!(super::form("A-3"), "a3");
    }

    #[test]
    fn every_pair_that_is_looked_for_is_one_that_is_indexed() {
        assert_eq!(grams("韭菜社\njcs"), "cs jc 社 菜 菜社 韭 韭菜");
        assert_eq!(grams_wanted("韭菜社"), "韭菜 菜社");
        assert_eq!(grams_wanted("韭"), "韭");
        assert_eq!(grams_wanted("jcs"), "jc cs");
        assert_eq!(grams_wanted("j"), "");
    }

    #[test]
    fn a_phrase_of_words_is_a_part_of_the_text() {
        assert_eq!(words("韭菜社\njcs"), "韭菜 菜社 社ǃ jcs csǃ sǃǃ");
        let name = Field::new("name", "名称", crate::Kind::Text);
        for (part, expected) in [
            ("韭菜社", "name : \"韭菜 菜社\""),
            ("社", "name : \"社\" *"),
            ("jc", "name : \"jc\" *"),
            ("jcs", "name : \"jcs\""),
            ("a3厂", "name : \"a3厂\""),
            ("韭菜ab", "name : \"韭菜 菜a ab\" *"),
            ("韭菜a", "name : \"韭菜 菜a\""),
        ] {
            assert_eq!(phrase(&name, part), expected);
        }
    }
}
