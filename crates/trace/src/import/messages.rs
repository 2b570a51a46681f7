//! 行业报文 (G-8-1): what systems of a field speak, read into stories: what one or several records tell
//! together.

use serde_json::{Map, Value};
use yj_message::{
    Fault, Flat, MessageError,
    drug::{self, Bill},
    meat::{self, Happening, MeatRecord},
    waybill::{self, Waybill},
};

/// A kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// 肉菜流通追溯报文
    MeatVegetable,
    /// 药品追溯单据
    DrugBill,
    /// 危险货物电子运单
    Waybill,
}

impl Door {
    pub(super) const ALL: [Self; 3] = [Self::MeatVegetable, Self::DrugBill, Self::Waybill];

    /// Stable code, as in the path.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::MeatVegetable => "meat-vegetable",
            Self::DrugBill => "drug-bill",
            Self::Waybill => "waybill",
        }
    }

    /// 中文名称
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::MeatVegetable => "肉菜流通追溯报文",
            Self::DrugBill => "药品追溯单据",
            Self::Waybill => "危险货物电子运单",
        }
    }

    pub(super) fn find(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|door| door.code() == code)
    }
}

/// What records say.
pub(super) enum Told {
    Meat(Box<Happening>),
    Bill(Box<Bill>),
    Waybill(Box<Waybill>),
}

impl Told {
    /// Its records in their normal form, whatever the notation they came in.
    pub(super) fn flats(&self) -> Vec<Flat> {
        match self {
            Self::Meat(happening) => match &**happening {
                Happening::Trade(trades) => trades.iter().map(|one| one.flat(0)).collect(),
                Happening::Arrival(base, details) => std::iter::once(base.flat(0))
                    .chain(details.iter().map(|one| one.flat(0)))
                    .collect(),
                Happening::SupermarketArrival(base) => vec![base.flat(0)],
                Happening::Sale(sales) => sales.iter().map(|one| one.flat(0)).collect(),
            },
            Self::Bill(bill) => vec![bill.flat(0)],
            Self::Waybill(bill) => vec![bill.flat(0)],
        }
    }
}

/// What one or several records of a message tell together, or what is wrong with them.
pub(super) struct Story {
    /// Numbers of the records in their message.
    pub(super) records: Vec<usize>,
    /// The records as they came.
    pub(super) flats: Vec<Flat>,
    pub(super) told: Result<Told, Vec<Fault>>,
}

/// Reads a message of this kind.
pub(super) fn read(door: Door, bytes: &[u8]) -> Result<Vec<Story>, MessageError> {
    let single = |flat: Flat, told| Story { records: vec![flat.number], flats: vec![flat], told };
    Ok(match door {
        Door::MeatVegetable => meat::read_joined(bytes)?.into_iter().map(told).collect(),
        Door::DrugBill => drug::read(bytes)?
            .into_iter()
            .map(|one| single(one.flat, one.record.map(|bill| Told::Bill(Box::new(bill)))))
            .collect(),
        Door::Waybill => waybill::read(bytes)?
            .into_iter()
            .map(|one| single(one.flat, one.record.map(|bill| Told::Waybill(Box::new(bill)))))
            .collect(),
    })
}

fn told(joined: meat::Joined) -> Story {
    let told = joined.told.map(|happening| Told::Meat(Box::new(happening)));
    Story { records: joined.records, flats: joined.flats, told }
}

/// What these records tell, each as it came.
pub(super) fn retell(door: Door, flats: Vec<Flat>) -> Vec<Story> {
    match door {
        Door::MeatVegetable => {
            let one = |flat: Flat| yj_message::Read { record: MeatRecord::of(&flat), flat };
            meat::join(flats.into_iter().map(one).collect()).into_iter().map(told).collect()
        }
        Door::DrugBill | Door::Waybill => {
            let one = |flat: Flat| {
                let told = match door {
                    Door::DrugBill => drug::of(&flat).map(|bill| Told::Bill(Box::new(bill))),
                    _ => waybill::of(&flat).map(|bill| Told::Waybill(Box::new(bill))),
                };
                Story { records: vec![flat.number], flats: vec![flat], told }
            };
            flats.into_iter().map(one).collect()
        }
    }
}

/// Separates the texts of a list in one cell.
const BETWEEN: char = ' ';

/// The records of a story as the cells of a row: element, or `2.element` for the second record.
pub(super) fn cells(flats: &[Flat]) -> Map<String, Value> {
    let mut cells = Map::new();
    for (at, flat) in flats.iter().enumerate() {
        let key = |name: &str| {
            if at == 0 { String::from(name) } else { format!("{}.{name}", at + 1) }
        };
        if !flat.name.is_empty() {
            cells.insert(key("message"), Value::from(flat.name.as_str()));
        }
        for (name, text) in &flat.fields {
            let cell = cells.entry(key(name)).or_insert(Value::Null);
            let joined = match cell.as_str() {
                Some(before) => format!("{before}{BETWEEN}{text}"),
                None => text.clone(),
            };
            *cell = Value::from(joined);
        }
    }
    cells
}

/// The reverse of [`cells`].
pub(super) fn flats(cells: &Map<String, Value>) -> Vec<Flat> {
    let mut flats: Vec<Flat> = Vec::new();
    for (key, cell) in cells {
        let (number, name) = match key.split_once('.') {
            Some((number, name)) => (number.parse().unwrap_or(1), name),
            None => (1, key.as_str()),
        };
        let text = cell.as_str().unwrap_or_default();
        let at = flats.iter().position(|flat| flat.number == number).unwrap_or_else(|| {
            flats.push(Flat { number, ..Flat::default() });
            flats.len() - 1
        });
        match name {
            "message" => flats[at].name = String::from(text),
            "codes" => flats[at].fields.extend(
                text.split_whitespace().map(|code| (String::from(name), String::from(code))),
            ),
            _ => flats[at].fields.push((String::from(name), String::from(text))),
        }
    }
    flats.sort_by_key(|flat| flat.number);
    flats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_cells_tells_the_same_story() {
        let sample = include_bytes!("../../../message/samples/meat-vegetable.xml");
        for story in read(Door::MeatVegetable, sample).unwrap() {
            let again = retell(Door::MeatVegetable, flats(&cells(&story.flats))).remove(0);
            assert_eq!(again.told.unwrap().flats(), story.told.unwrap().flats());
        }
        let sample = include_bytes!("../../../message/samples/drug-bill.json");
        for story in read(Door::DrugBill, sample).unwrap() {
            let again = retell(Door::DrugBill, flats(&cells(&story.flats))).remove(0);
            assert_eq!(again.told.unwrap().flats(), story.told.unwrap().flats());
        }
    }
}
